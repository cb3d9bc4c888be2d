"""A copy into a new database beside the live one; and the two change names, in one transaction.

At no moment is there no database under the live one's name: it is the old one, or it is the new one. Each of the two
steps can be given again after a death at any point.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import NamedTuple

import psycopg
from psycopg import errors, sql

from ...errors import DeployError, GateRefused, Unreachable
from . import properties
from .census import Census, count, tables
from .dump import locked
from .programs import Failed, Programs, run
from .properties import Properties
from .server import Connection, Server

_LONGEST = 63
"""Bytes of a name."""
_TRIES = 3
"""Of the change of names. At each the server waits five seconds for others to leave."""
_TRY = 6.0
"""Seconds."""


class Names(NamedTuple):
    """The live database, the new one beside it, and what the live one is called afterwards."""

    live: str
    new: str
    before: str

    @classmethod
    def of(cls, live: str, mark: str) -> Names:
        """The names for one restore. ``mark``: unique to it, letters, digits and ``-``."""
        return cls(live, _beside(live, f"__restore_{mark}"), _beside(live, f"__before_{mark}"))


class Source(NamedTuple):
    """A copy: its name, its file, what was counted in it and how its database was."""

    name: str
    file: str
    census: Census | None
    properties: Properties | None


def fill(server: Server, programs: Programs, source: Source, names: Names, jobs: int, deadline: float) -> None:
    """Restore a copy into the new database, verify it, and give it all that the live one has beside its content.

    Nothing to do when it is there, verified, or when the names have been changed. Raises ``DeployError``; then there
    is no new database.
    """
    with server.opened(deadline, server.maintenance, does="restore") as connection, locked(connection, names.live):
        if properties.read(connection, names.before) or _is_verified(connection, names.new, source):
            return
        wanted = _wanted(connection, names, source)
        _require_rights(connection, names, wanted)
        _clear(connection, names)
        connection.execute(properties.creation(names.new, wanted))
        try:
            _comment(connection, names.new, _unfinished(names))
            _pour(server, programs, source, names, jobs, deadline)
            properties.apply(connection, names.new, wanted)
            _comment(connection, names.new, _verified(source))
        except BaseException as error:
            with suppress(DeployError), server.opened(time.monotonic() + 15, server.maintenance) as again:
                _drop(again, names.new)
            if isinstance(error, Failed):
                what = f"{source.name} cannot be restored: {error.what}"
                raise Unreachable(
                    what, state=_state(names), do="docs/postgresql.md says what the role needs"
                ) from error
            raise


def exchange(server: Server, source: Source, names: Names, deadline: float) -> None:
    """Give the new database the live one's name, and the live one the name under which it is kept.

    Whoever is connected to the live one is disconnected, and comes back to the new one. Nothing to do when that was
    done. Raises ``DeployError``; then the live one is what it was.
    """
    with server.opened(deadline, server.maintenance, does="restore") as connection, locked(connection, names.live):
        if properties.read(connection, names.before):
            return
        live = properties.read(connection, names.live)
        if not _is_verified(connection, names.new, source):
            raise GateRefused(f"{names.new} is not there, or not verified", state=_state(names), do="restore again")
        _require_no_prepared(connection, names)
        comment = live.comment if live else source.properties.comment if source.properties else None
        for _ in range(_TRIES):
            try:
                _rename(server, connection, names, comment, deadline, live is not None)
                return
            except errors.ObjectInUse:
                if time.monotonic() + _TRY > deadline:
                    break
        raise _in_use(connection, names)


def stays_behind(connection: Connection, before: str) -> list[str]:
    """What belongs to the replaced database by its identity, and cannot come along."""
    query = "SELECT slot_name FROM pg_catalog.pg_replication_slots WHERE database = %s ORDER BY 1"
    return [f"the logical replication slot {row[0]}" for row in connection.execute(query, (before,))]


def _rename(
    server: Server, connection: Connection, names: Names, comment: str | None, deadline: float, is_there: bool
) -> None:
    """Both renames in one transaction. The first takes a lock that lets nobody in any more, and waits for those inside
    to leave: they are sent away meanwhile."""
    rename = sql.SQL("ALTER DATABASE {} RENAME TO {}")
    live, new, before = (sql.Identifier(name) for name in names)
    with _sent_away(server, names, deadline), connection.transaction():
        if is_there:
            connection.execute(rename.format(live, before))
        connection.execute(rename.format(new, live))
        _comment(connection, names.live, comment)


@contextmanager
def _sent_away(server: Server, names: Names, deadline: float) -> Iterator[None]:
    """Meanwhile, end the connections of others to the live database and to the new one."""
    done = threading.Event()

    def send_away() -> None:
        with suppress(DeployError), server.opened(deadline, server.maintenance, does="restore") as connection:
            while not done.wait(0.02):
                _send_away(connection, names)

    thread = threading.Thread(target=send_away, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join(15)


def _send_away(connection: Connection, names: Names) -> None:
    """One by one: a connection that we may not end must not keep us from the others."""
    query = "SELECT pid FROM pg_catalog.pg_stat_activity WHERE datname = ANY(%s)"
    for (pid,) in connection.execute(query, ([names.live, names.new],)).fetchall():
        with suppress(psycopg.Error):
            connection.execute("SELECT pg_terminate_backend(%s)", (pid,))


def _pour(server: Server, programs: Programs, source: Source, names: Names, jobs: int, deadline: float) -> None:
    with server.opened(deadline, names.new, does="restore") as connection:
        tools = programs.fit_for(connection.info.server_version // 10_000)
        is_same = tools.major == connection.info.server_version // 10_000
        command = [
            tools.path("pg_restore"), *(["--exit-on-error"] if is_same else []), "--no-password", f"--jobs={jobs}",
            f"--dbname={server.target(names.new)}", source.file,
        ]  # fmt: skip
        try:
            run(command, server.environment("restore"), deadline)
        except Failed as error:
            if is_same or not _is_only_newer(error.output):
                raise
        connection.execute("SET row_security = off")
        found = count(connection, tables(connection))
        other = source.census.difference(found) if source.census else ""
        if other:
            raise DeployError(
                f"what was restored is not what {source.name} was made of: {other}", state=_state(names),
                do="look at event triggers and rules that change rows; or choose another copy",
            )  # fmt: skip
        connection.execute("ANALYZE")


def _is_only_newer(output: str) -> bool:
    """Whether all that a newer ``pg_restore`` could not do is to set what an older server does not know."""
    found = re.findall(r"^pg_restore: error: (.*)$", output, re.MULTILINE)
    return bool(found) and all("unrecognized configuration parameter" in one for one in found)


def _wanted(connection: Connection, names: Names, source: Source) -> Properties:
    """As the live database is; as the copied one was, when there is no live one."""
    found = properties.read(connection, names.live) or source.properties
    if found is None:
        raise GateRefused(
            f"there is no database {names.live}, and the copy does not say how it was", do="create it, empty"
        )
    return found


def _require_rights(connection: Connection, names: Names, wanted: Properties) -> None:
    query = """SELECT rolsuper OR rolcreatedb, pg_has_role(%s, 'MEMBER') FROM pg_catalog.pg_roles
               WHERE rolname = current_user"""
    row = connection.execute(query, (wanted.owner,)).fetchone()
    assert row is not None  # whoever asks is a role
    missing = [] if row[0] else ["create databases (ALTER ROLE … CREATEDB)"]
    missing += [] if row[1] else [f"rename {names.live}, which belongs to {wanted.owner} (GRANT … TO …)"]
    if missing:
        raise GateRefused(
            f"the role {connection.info.user} may not {', nor '.join(missing)}",
            state=_state(names),
            do="restore as a role that may; docs/postgresql.md says what it needs",
        )


def _clear(connection: Connection, names: Names) -> None:
    """Drop the new database, and those that dead restores have left, none of which was ever used."""
    query = """SELECT datname FROM pg_catalog.pg_database
               WHERE datname = %s OR shobj_description(oid, 'pg_database') = %s"""
    for (name,) in connection.execute(query, (names.new, _unfinished(names))).fetchall():
        _drop(connection, name)


def _drop(connection: Connection, name: str) -> None:
    connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def _comment(connection: Connection, name: str, text: str | None) -> None:
    connection.execute(sql.SQL("COMMENT ON DATABASE {} IS {}").format(sql.Identifier(name), sql.Literal(text)))


def _unfinished(names: Names) -> str:
    """The comment of a new database until it is verified. One that a dead restore has left is known by it."""
    return f"deploytasks: being restored for {names.live}"


def _verified(source: Source) -> str:
    return f"deploytasks: the copy {source.name}, restored and verified"


def _is_verified(connection: Connection, name: str, source: Source) -> bool:
    found = properties.read(connection, name)
    return found is not None and found.comment == _verified(source)


def _require_no_prepared(connection: Connection, names: Names) -> None:
    query = "SELECT gid FROM pg_catalog.pg_prepared_xacts WHERE database = %s"
    if gids := [row[0] for row in connection.execute(query, (names.live,))]:
        raise GateRefused(
            f"{names.live} has prepared transactions: {', '.join(gids[:5])}",
            state=_state(names),
            do="commit or roll them back (COMMIT PREPARED, ROLLBACK PREPARED), then resume",
        )


def _in_use(connection: Connection, names: Names) -> Unreachable:
    query = """SELECT format('%%s (process %%s, %%s)', coalesce(usename, backend_type), pid, application_name)
               FROM pg_catalog.pg_stat_activity WHERE datname = %s"""
    others = [row[0] for row in connection.execute(query, (names.live,))]
    who = ", ".join(others[:5]) or "somebody"
    return Unreachable(
        f"{names.live} is in use by {who}, whom this role cannot disconnect, or who come back at once",
        state=_state(names),
        do="stop them, or GRANT pg_signal_backend to this role; then `inv resume`, or restore again",
    )


def _state(names: Names) -> str:
    return f"{names.live} is as it was"


def _beside(live: str, ending: str) -> str:
    """The name with an ending, cut where it would be too long; never within a character."""
    return live.encode()[: _LONGEST - len(ending)].decode(errors="ignore") + ending
