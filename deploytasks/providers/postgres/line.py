"""The line to a store's database: each question is answered in time or given up, over as few connections as can be.

Connections are made when they are needed and kept for the next question. Two threads never share one (a lease
beats beside the deployment), nor do two processes. A question whose connection breaks, or whose server is just
starting, is asked again over a new one, until its time is over; so it must be one that may be asked twice.
"""

from __future__ import annotations

import os
import socket
import threading
import time
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from itertools import count
from typing import Any, NamedTuple, TypeVar

import psycopg
from psycopg import errors, sql
from psycopg.pq import TransactionStatus

from ...durable import jitter
from ...errors import Unreachable
from .server import said

T = TypeVar("T")
Row = tuple[Any, ...]
Connection = psycopg.Connection[Row]

_PATIENCE = "3"
"""Seconds to connect, unless the URL says otherwise; a question's own time ends sooner or later."""
PASSING = (
    errors.AdminShutdown, errors.CrashShutdown, errors.CannotConnectNow, errors.IdleInTransactionSessionTimeout,
    errors.TooManyConnections, errors.SerializationFailure, errors.DeadlockDetected, errors.ReadOnlySqlTransaction,
)  # fmt: skip
"""What a server says that restarts, that is full, or that another one is taking over from."""
FOREVER = ("authentication failed", "does not exist", "no pg_hba.conf entry", "no password supplied", "certificate")
"""In what it says to a connection that it refuses; it has no code for that (in other languages, we try in vain)."""


class Answer(NamedTuple):
    """The rows, and whether the question was asked before and may have been heard then."""

    rows: Sequence[Row]
    is_repeated: bool


class Line:
    """``parameters``: of libpq. ``shown``: the database, for people. ``within``: seconds per question."""

    def __init__(self, parameters: Mapping[str, str], shown: str, within: float) -> None:
        self._parameters = _steady(within, parameters)
        self._shown = shown
        self._within = within
        self._idle: list[Connection] = []
        self._pid = os.getpid()
        self._silent_until = 0.0
        self._why_silent = ""
        weakref.finalize(self, _close, self._idle, self._pid)

    def ask(self, statement: sql.Composed, values: Sequence[Any] = (), state: str = "") -> Answer:
        """The answer to one statement, which is a transaction of its own.

        Raises psycopg's error when the server refuses the statement, ``Unreachable`` (with ``state``) when it does not
        answer in time. After that it is not asked again for as long: who goes home must not wait at every step.
        """

        def work(connection: Connection) -> Sequence[Row]:
            cursor = connection.execute(statement, values, binary=True)
            return cursor.fetchall() if cursor.description else ()

        return Answer(*self._tried(work, state))

    def transact(self, work: Callable[[Connection], object], *, keep: bool = True) -> None:
        """Do some work in a transaction; whole, or not at all. Without ``keep``, only to see whether it could be done.

        Raises as ``ask``. The work may be done twice.
        """

        def whole(connection: Connection) -> None:
            with connection.transaction(force_rollback=not keep):
                work(connection)

        self._tried(whole, "")

    def _tried(self, work: Callable[[Connection], T], state: str) -> tuple[T, bool]:
        """What the work gave; and whether a try before that one broke off."""
        if time.monotonic() < self._silent_until:
            raise self._unreachable(self._why_silent, state)
        until = time.monotonic() + self._within
        for attempt in count():
            try:
                with self._connection(until) as connection:
                    return work(connection), attempt > 0
            except (psycopg.OperationalError, psycopg.InterfaceError) as error:
                if _is_refused(error):
                    raise
                pause = min(0.02 * 2**attempt, 0.5) * (0.5 + jitter())
                if _is_hopeless(error) or time.monotonic() + pause >= until:
                    self._silent_until = time.monotonic() + self._within
                    self._why_silent = said(error)
                    raise self._unreachable(self._why_silent, state) from error
            time.sleep(pause)
        raise AssertionError("unreached")

    def _unreachable(self, why: str, state: str) -> Unreachable:
        do = "check that it runs and lets you in: `inv doctor`"
        if any(text in why for text in FOREVER):
            do = "mend the `store:` section or the role, see docs/ledger.md"
        return Unreachable(f"the store at {self._shown} does not answer: {why}", state=state, do=do)

    @contextmanager
    def _connection(self, until: float) -> Iterator[Connection]:
        """One that nobody else uses now; kept for the next question when it is whole afterwards."""
        if self._pid != os.getpid():  # after a fork, those of the parent are none of our business
            self._idle, self._pid = [], os.getpid()
            weakref.finalize(self, _close, self._idle, self._pid)
        try:
            connection = self._idle.pop()
        except IndexError:
            connection = self._new(until)
        try:
            with _cut_at(connection, until):
                yield connection
        finally:
            if not connection.closed and connection.info.transaction_status == TransactionStatus.IDLE:
                self._idle.append(connection)
            else:
                connection.close()
                _close(self._idle, self._pid)  # they broke with it

    def _new(self, until: float) -> Connection:
        left = max(2, round(until - time.monotonic()))
        own = {**self._parameters, "connect_timeout": str(min(left, int(self._parameters["connect_timeout"])))}
        # Any: psycopg's own keywords and libpq's come in one dictionary.
        told: dict[str, Any] = {**own, "autocommit": True, "prepare_threshold": None}
        return psycopg.connect(**told)


def _steady(within: float, given: Mapping[str, str]) -> dict[str, str]:
    """What was given, and what bounds every wait, at the server as well: it should not work on for nobody."""
    milliseconds = round(within * 1000)
    options = {
        "statement_timeout": milliseconds,
        "lock_timeout": milliseconds * 3 // 4,
        "idle_in_transaction_session_timeout": milliseconds,
        "default_transaction_isolation": r"read\ committed",
    }
    ours = " ".join(f"-c {name}={value}" for name, value in options.items())
    patience = given.get("connect_timeout", "")
    return {
        "application_name": "deploytasks store",
        "gssencmode": "disable",
        "target_session_attrs": "read-write",  # of several hosts, the one that is not a standby
        "keepalives_idle": "5",
        "keepalives_interval": "2",
        "keepalives_count": "3",
        "tcp_user_timeout": str(milliseconds),
        **given,
        "client_encoding": "utf8",
        "connect_timeout": patience if patience.isdecimal() and int(patience) else _PATIENCE,
        "options": f"{ours} {given.get('options', '')}".strip(),
    }


@contextmanager
def _cut_at(connection: Connection, until: float) -> Iterator[None]:
    """A server that is stopped, or a host that is gone, lets wait for ever; the line is then cut at our end."""
    timer = threading.Timer(max(0.0, until - time.monotonic()), _cut, (connection,))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _cut(connection: Connection) -> None:
    with suppress(OSError, psycopg.Error), socket.socket(fileno=os.dup(connection.fileno())) as line:
        line.shutdown(socket.SHUT_RDWR)


def _close(connections: list[Connection], pid: int) -> None:
    if pid == os.getpid():  # a child that closed them would end its parent's sessions
        while connections:
            with suppress(psycopg.Error, IndexError):
                connections.pop().close()


def _is_refused(error: psycopg.Error) -> bool:
    """Whether the server answered, and will answer the same again."""
    return error.sqlstate is not None and not isinstance(error, PASSING)


def _is_hopeless(error: psycopg.Error) -> bool:
    return error.sqlstate is None and any(text in str(error) for text in FOREVER)
