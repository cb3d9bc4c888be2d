"""Whether something is at work that a backup or a restore must not meet.

Neither Django nor Alembic takes a lock that others could see. So three things are looked at: the advisory locks of our
own backups and restores; connections that call themselves a migration of ours (``PGAPPNAME``, which libpq heeds); and
whoever holds a lock on a whole table, as every change of a schema does.
"""

from __future__ import annotations

import time

from ...errors import Unreachable
from . import properties
from .dump import OURS, key
from .server import Connection, Server, application

_AT_WORK = """
    SELECT pid, application_name, 0 FROM pg_catalog.pg_stat_activity
    WHERE datname = %(name)s AND application_name = %(migrate)s
    UNION ALL
    SELECT l.pid, a.application_name, 0
    FROM pg_catalog.pg_locks l LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
    WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 2
      AND l.classid::bigint = %(ours)s AND l.objid::bigint = %(key)s
"""
_LOCKED = """
    SELECT l.pid, a.application_name, l.relation::bigint
    FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
    WHERE l.locktype = 'relation' AND l.granted AND l.mode = 'AccessExclusiveLock' AND a.datname = %s
      AND a.backend_type = 'client backend' AND l.pid <> pg_catalog.pg_backend_pid()
"""


def busy(server: Server, patience: float) -> str | None:
    """Why nothing should be copied or restored now; ``None`` when nothing is in the way. ``patience``: seconds."""
    deadline = time.monotonic() + 20 + patience
    try:
        with server.opened(deadline) as connection:
            return _at_work(server, connection) or _locked(server, connection, patience)
    except Unreachable:
        with server.opened(deadline, server.maintenance) as connection:
            if properties.read(connection, server.name) is not None:
                raise
            return _at_work(server, connection)  # it is gone, and may be restored


def _at_work(server: Server, connection: Connection) -> str | None:
    given = {"name": server.name, "migrate": application("migrate"), "ours": OURS, "key": key(server.name) % 2**32}
    found = connection.execute(_AT_WORK, given).fetchone()
    return f"{found[1] or 'deploytasks'} is at work in {server.name} (server process {found[0]})" if found else None


def _locked(server: Server, connection: Connection, patience: float) -> str | None:
    """A lock on a whole table that lasts: one that is gone at the next look was no migration."""
    until = time.monotonic() + patience
    held = set(connection.execute(_LOCKED, (server.name,)))
    while held and time.monotonic() < until:
        time.sleep(min(0.1, patience))
        held &= set(connection.execute(_LOCKED, (server.name,)))
    for pid, who, _ in sorted(held):
        return f"{who or 'a client'} keeps a whole table of {server.name} locked (server process {pid})"
    return None
