"""How a database is reached: by psycopg from here, and by PostgreSQL's own programs.

A password is handed on in memory and in a program's environment, and nowhere else.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path
from typing import Any

import psycopg
from psycopg import pq
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from ... import redaction
from ...errors import Unreachable, UsageError
from ...settings.postgres import PostgresAccess
from ...vault import HERE, Vault

Connection = psycopg.Connection[tuple[Any, ...]]

_PATIENCE = "10"
"""Seconds to connect, unless the URL says otherwise."""


class Server:
    """A database and the server it is on. ``root``: where relative paths start; ``maintenance``: another database
    there, from which this one is renamed; ``vault``: where its secrets are."""

    def __init__(self, access: PostgresAccess, root: Path, maintenance: str = "postgres", vault: Vault = HERE) -> None:
        self._access = access
        self._root = root
        self._maintenance = maintenance
        self._vault = vault

    @cached_property
    def parameters(self) -> Mapping[str, str]:
        """What libpq is told, by its keywords; with the password. Raises ``UsageError``."""
        own = self._access
        given = self._from_url(own.url_from) if own.url_from else {}
        said = {"host": own.host, "port": own.port, "dbname": own.name, "user": own.user, "service": own.service}
        given |= {key: str(value) for key, value in said.items() if value is not None}
        if own.password_from:
            given["password"] = self._variable(own.password_from)
        if own.passfile:
            given["passfile"] = str(self._root / own.passfile)
        redaction.hide(given.get("password", ""))
        return given

    @property
    def name(self) -> str:
        """The database."""
        return self.parameters["dbname"]

    @property
    def scheme(self) -> str:
        """How a URL of this server begins: as that of ``url_from``, which may name a driver."""
        given = self._variable(self._access.url_from) if self._access.url_from else ""
        return given.partition("://")[0] if "://" in given else "postgresql"

    @property
    def maintenance(self) -> str:
        """Another database of the server."""
        return self._maintenance if self._maintenance != self.name else "template1"

    @property
    def shown(self) -> str:
        """Where it is, for people: ``host:port/name``."""
        given = self.parameters
        service = f"service {given['service']}" if "service" in given else ""
        where = given.get("host") or given.get("hostaddr") or service
        port = f":{given['port']}" if where and "port" in given and "," not in where else ""
        return f"{where or 'local'}{port}/{self.name}"

    @contextmanager
    def opened(self, deadline: float, database: str | None = None, *, does: str = "look") -> Iterator[Connection]:
        """A connection that commits each statement, and that is cut at ``deadline`` (on the monotonic clock): whatever
        it waits for then fails. ``does``: shown to others at the server, as ``deploytasks look``.

        Raises ``Unreachable`` for whatever the server or the way to it refuses.
        """
        left = deadline - time.monotonic()
        if left <= 0:
            raise self._unusable("the time for it is over")
        try:
            connection = psycopg.connect(**self._told(database, does, left), autocommit=True)
        except psycopg.Error as error:
            raise self._unusable(said(error)) from error
        cut = _Cut(connection, deadline)
        try:
            connection.execute("SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0")
            yield connection
        except psycopg.Error as error:
            raise self._unusable("it was not done in time" if cut.is_done else said(error)) from error
        finally:
            cut.close()

    def environment(self, does: str) -> dict[str, str]:
        """The variables with which PostgreSQL's programs reach the same server as the same role."""
        given = {**self.parameters, "application_name": application(does), "connect_timeout": self._patience}
        told = {name: given[key] for key, name in _variables().items() if key in given}
        return {**os.environ, **told}

    def target(self, database: str | None = None) -> str:
        """What such a program is told on its command line: the database, and what no variable can say; no secret."""
        known = {"password", "dbname", "application_name", "connect_timeout", *_variables()}
        more = {key: value for key, value in self.parameters.items() if key not in known}
        if "sslpassword" in more:
            raise UsageError("sslpassword cannot be handed to pg_dump in secret", do="use a key without a passphrase")
        return make_conninfo(dbname=database or self.name, **more)

    def _unusable(self, why: str) -> Unreachable:
        do = "check that it runs, and what `database:` and its variable say; then `inv doctor`"
        return Unreachable(f"{self.shown} cannot be used: {why}", do=do)

    @property
    def _patience(self) -> str:
        return self.parameters.get("connect_timeout", _PATIENCE)

    def _told(self, database: str | None, does: str, left: float) -> dict[str, Any]:
        patience = max(2, min(int(self._patience), round(left)))
        own: dict[str, Any] = {"application_name": application(does), "connect_timeout": patience}
        return {**self.parameters, **own, "dbname": database or self.name}

    def _from_url(self, variable: str) -> dict[str, str]:
        url = self._variable(variable)
        scheme, separator, rest = url.partition("://")
        if separator:
            url = f"{scheme.partition('+')[0]}://{rest}"  # SQLAlchemy names its driver: postgresql+psycopg://
        try:
            given = {key: str(value) for key, value in conninfo_to_dict(url).items()}
        except psycopg.Error:  # what it says may quote the password
            raise UsageError(
                f"the value of {variable} is no address of a PostgreSQL database",
                do="write postgresql://user:password@host:port/name, with every odd character percent-encoded",
            ) from None
        if not given.get("dbname"):
            raise UsageError(f"{variable} names no database", do="write postgresql://user:password@host:port/name")
        redaction.hide(rest.rpartition("@")[0].partition(":")[2])
        return given

    def _variable(self, name: str) -> str:
        value = self._vault.get(name)
        if not value:
            raise UsageError(self._vault.unset(name), do=f"set {name}; it is never written anywhere")
        return value


def application(does: str) -> str:
    """What the server calls a connection of ours in ``pg_stat_activity``."""
    return f"deploytasks {does}"


def said(error: BaseException) -> str:
    """What an error says, in one line and without secrets."""
    detail = getattr(getattr(error, "diag", None), "message_detail", None)
    text = " ".join([*str(error).split(), *(str(detail).split() if detail and str(detail) not in str(error) else ())])
    return str(redaction.clean(text))[:500] or type(error).__name__


def _variables() -> dict[str, str]:
    """The keywords of libpq that an environment variable can say, with its name."""
    options = pq.Conninfo.get_defaults()
    return {one.keyword.decode(): one.envvar.decode() for one in options if one.envvar}


class _Cut:
    """Ends a connection when its time is over: whoever waits for an answer then gets an error."""

    def __init__(self, connection: Connection, deadline: float) -> None:
        self.is_done = False
        self._connection = connection
        self._lock = threading.Lock()  # nobody else may get the number of its socket in between
        self._timer = threading.Timer(max(0.05, deadline - time.monotonic()), self._cut)
        self._timer.daemon = True
        self._timer.start()

    def close(self) -> None:
        """Close it now."""
        self._timer.cancel()
        with self._lock:
            self._connection.close()

    def _cut(self) -> None:
        with self._lock, suppress(OSError, psycopg.Error):
            line = socket.socket(fileno=os.dup(self._connection.fileno()))
            self.is_done = True
            with line:
                line.shutdown(socket.SHUT_RDWR)
