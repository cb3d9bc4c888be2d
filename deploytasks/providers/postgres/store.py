"""A store in PostgreSQL: what a team on several machines, and its CI, share.

Each operation is one statement, and so is its comparison: two writers of one key are told apart by the database. A
write carries a random id. When its answer is lost, the same write is sent again: it can succeed only once, and if it
did before, its id is found there.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import psycopg
from psycopg import errors

from ...errors import Conflict, DeployError, Unreachable, UsageError
from ...ports import Finding, Tag
from ...settings.postgres import PostgresAccess
from ..keys import segments
from .ahead import Ahead
from .line import Answer, Connection, Line
from .server import Server, said
from .table import Table, pattern

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ...settings.postgres_store import PostgresStoreSettings
    from ..site import Site

_PAGE = 1000
"""Keys that are asked for at once."""
_MISSING = (errors.UndefinedTable, errors.InvalidSchemaName)
_SEE = 'run the SQL of docs/ledger.md, "A shared ledger on PostgreSQL"'
_IN_DOUBT = "it may have been written, or not"


class PostgresStore:
    """The ``Store`` of a team. Its table is made on the first write, by whoever may make it."""

    def __init__(self, settings: PostgresStoreSettings, site: Site) -> None:
        server = Server(settings, site.root, vault=site.vault)
        given = {**server.parameters, **_tls(settings, site)}
        _refuse_the_applications(given, site)
        self._table = Table(settings.table)
        self._shown = server.shown
        self._line = Line(given, server.shown, settings.answer_within)
        self._ahead = Ahead(self._line, self._table)

    def get(self, key: str) -> tuple[bytes, Tag] | None:
        """The value and its tag, or ``None``. Raises ``Unreachable``."""
        segments(key)
        with self._translated(f"read {key}"):
            try:
                return self._ahead.get(key)
            except _MISSING:
                return None

    def put(self, key: str, value: bytes, expect: Tag | None) -> Tag:
        """Write durably if the key still has the tag ``expect`` (``None``: must not exist), else ``Conflict``.

        Raises ``Unreachable`` when it cannot. Its state says so when nobody knows whether it was written.
        """
        segments(key)
        write = str(uuid.uuid4())
        with self._translated(f"write {key}"):
            try:
                done = self._write(key, value, expect, write)
            except _MISSING:
                self._make()
                done = self._write(key, value, expect, write)
            if done.rows or (done.is_repeated and self._got_through(key, write)):
                return write
        raise Conflict(key)

    def keys(self, prefix: str, after: str = "") -> Iterator[str]:
        """Keys with this prefix greater than ``after``, in order. Raises ``Unreachable``."""
        while True:
            with self._translated(f"list {prefix}"):
                try:
                    rows = self._line.ask(self._table.list, [after, pattern(prefix), _PAGE]).rows
                except _MISSING:
                    return
            yield from (str(row[0]) for row in rows)
            if len(rows) < _PAGE:
                return
            after = rows[-1][0]

    def diagnose(self) -> Sequence[Finding]:
        """Whether one could write here, tried in a transaction that is taken back, and whether it would last."""
        try:
            with self._translated("be sure of writing"):
                return list(self._examined())
        except Unreachable as error:
            return [Finding("store", "fail", error.what, error.do)]

    def _examined(self) -> Iterator[Finding]:
        ((version, is_durable, is_encrypted, is_here),) = self._line.ask(self._table.server).rows
        ((has_table, _),) = self._line.ask(self._table.find).rows
        where = f"{self._table.name} at {self._shown} (PostgreSQL {version})"
        if not has_table:
            yield self._not_there_yet(where)
        else:
            self._try_to_write()
            ((keeps,),) = self._line.ask(self._table.keeps_events).rows
            if keeps:
                yield Finding("store", "ok", f"{where} is writable, and keeps what is recorded")
            else:
                yield Finding("store", "warn", f"{where}: the triggers that keep events are gone", _SEE)
        if not is_durable:
            what = f"{self._shown} runs with fsync or synchronous_commit off: a crash there may lose what was recorded"
            yield Finding("store", "warn", what, "turn both on for this database")
        if not (is_encrypted or is_here):
            yield Finding("store", "warn", f"{self._shown} is reached without TLS", "say sslmode: verify-full")

    def _not_there_yet(self, where: str) -> Finding:
        ((may,),) = self._line.ask(self._table.may_make).rows
        if may:
            return Finding("store", "ok", f"{where} will be made on the first write")
        return Finding("store", "fail", f"{where} is not there, and the role may not make it", _SEE)

    def _try_to_write(self) -> None:
        key, write = f"doctor/{uuid.uuid4()}", str(uuid.uuid4())

        def work(connection: Connection) -> None:
            connection.execute(self._table.create, [key, b"", write])
            connection.execute(self._table.swap, [b"", write, key, write])

        self._line.transact(work, keep=False)

    def _write(self, key: str, value: bytes, expect: Tag | None, write: str) -> Answer:
        if expect is None:
            return self._line.ask(self._table.create, [key, value, write], _IN_DOUBT)
        if not _is_id(expect):
            return Answer((), False)
        return self._line.ask(self._table.swap, [value, write, key, expect], _IN_DOUBT)

    def _got_through(self, key: str, write: str) -> bool:
        return bool(self._line.ask(self._table.was_written, [key, write], _IN_DOUBT).rows)

    def _make(self) -> None:
        """Make schema and table, one process at a time."""

        def work(connection: Connection) -> None:
            connection.execute(self._table.lock)
            ((has_table, has_schema),) = connection.execute(self._table.find).fetchall()
            if not has_schema:
                connection.execute(self._table.make_schema)
            if not has_table:
                connection.execute(self._table.make)

        self._line.transact(work)

    @contextmanager
    def _translated(self, doing: str) -> Iterator[None]:
        try:
            yield
        except psycopg.Error as error:
            raise Unreachable(
                f"cannot {doing} in the store at {self._shown}: {said(error)}",
                state="what the store held before is whole",
                do=self._advice(error),
            ) from error

    def _advice(self, error: psycopg.Error) -> str:
        match error:
            case errors.InsufficientPrivilege():
                return f"give the role what docs/ledger.md says for {self._table.name}"
            case errors.DiskFull():
                return "free some space at the server, then run the same command again"
            case errors.QueryCanceled() | errors.LockNotAvailable():
                return "see who holds it: SELECT * FROM pg_stat_activity"
        return "look at the server's log; `inv doctor` tries it again"


def _is_id(tag: Tag) -> bool:
    with suppress(ValueError):
        return str(uuid.UUID(tag)) == tag
    return False


def _tls(settings: PostgresStoreSettings, site: Site) -> Mapping[str, str]:
    """What the section says about TLS, paths from the project's folder on."""
    told = {name: getattr(settings, name) for name in ("sslmode", "sslrootcert", "sslcert", "sslkey")}
    is_word = ("sslmode", "system")
    return {
        name: value if name in is_word or value in is_word else str(site.path(value))
        for name, value in told.items()
        if value is not None
    }


def _refuse_the_applications(given: Mapping[str, str], site: Site) -> None:
    """The ledger must outlive whatever happens to the application's database: a restore, a rename, a DROP."""
    database = site.sections.get("database")
    if not isinstance(database, PostgresAccess):
        return
    try:
        theirs = Server(database, site.root, vault=site.vault).parameters
    except DeployError:  # a mistake about the database is no business of the store
        return
    if _place(given) == _place(theirs):
        raise UsageError(
            f"deploy.environments.{site.environment}.store: this is the application's own database",
            do="create one for the ledger alone (CREATE DATABASE deploytasks), and name it there",
        )


def _place(given: Mapping[str, str]) -> tuple[str, str, str]:
    """Which database it is, as far as its address tells; all names of this machine count as one."""
    host = given.get("host") or given.get("hostaddr") or ""
    is_here = host in ("", "localhost", "127.0.0.1", "::1") or host.startswith("/")
    return ("here" if is_here else host.lower(), given.get("port") or "5432", given.get("dbname") or "")
