"""The live database and the new one change names, in one transaction.

At no moment is there no database under the live one's name: it is the old one, or it is the new one. It can be done
again after a death at any point.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psycopg
from psycopg import errors, sql

from ...errors import DeployError, GateRefused, Unreachable
from . import properties
from .dump import locked
from .names import Names, Source, comment as commented, is_verified, state
from .server import Connection, Server

_TRIES = 3
"""Of the change of names. At each the server waits five seconds for others to leave."""
_TRY = 6.0
"""Seconds."""


def exchange(server: Server, source: Source, names: Names, deadline: float) -> None:
    """Give the new database the live one's name, and the live one the name under which it is kept.

    Whoever is connected to the live one is disconnected, and comes back to the new one. Nothing to do when that was
    done. Raises ``DeployError``; then the live one is what it was.
    """
    with server.opened(deadline, server.maintenance, does="restore") as connection, locked(connection, names.live):
        if properties.read(connection, names.before):
            return
        live = properties.read(connection, names.live)
        if not is_verified(connection, names.new, source):
            raise GateRefused(f"{names.new} is not there, or not verified", state=state(names), do="restore again")
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
        commented(connection, names.live, comment)


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


def _require_no_prepared(connection: Connection, names: Names) -> None:
    query = "SELECT gid FROM pg_catalog.pg_prepared_xacts WHERE database = %s"
    if gids := [row[0] for row in connection.execute(query, (names.live,))]:
        raise GateRefused(
            f"{names.live} has prepared transactions: {', '.join(gids[:5])}",
            state=state(names),
            do="commit or roll them back (COMMIT PREPARED, ROLLBACK PREPARED), then resume",
        )


def _in_use(connection: Connection, names: Names) -> Unreachable:
    query = """SELECT format('%%s (process %%s, %%s)', coalesce(usename, backend_type), pid, application_name)
               FROM pg_catalog.pg_stat_activity WHERE datname = %s"""
    others = [row[0] for row in connection.execute(query, (names.live,))]
    who = ", ".join(others[:5]) or "somebody"
    return Unreachable(
        f"{names.live} is in use by {who}, whom this role cannot disconnect, or who come back at once",
        state=state(names),
        do="stop them, or GRANT pg_signal_backend to this role; then `inv resume`, or restore again",
    )
