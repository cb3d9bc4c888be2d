"""What ``inv doctor`` says about a server: whether it answers, what our role may, and what a restore would meet."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime

from ...errors import DeployError
from ...ports import Finding
from ..copies import Copies
from .programs import Programs
from .server import Connection, Server

_LOOK = 10.0
"""Seconds."""
_RIGHTS = """
    SELECT r.rolsuper OR r.rolcreatedb, pg_has_role(d.datdba, 'MEMBER'), pg_get_userbyid(d.datdba),
      r.rolsuper OR pg_has_role('pg_signal_backend', 'MEMBER')
    FROM pg_catalog.pg_roles r, pg_catalog.pg_database d WHERE r.rolname = current_user AND d.datname = %s
"""
_KEPT = """
    SELECT datname, CASE WHEN has_database_privilege(oid, 'CONNECT') THEN pg_database_size(oid) END
    FROM pg_catalog.pg_database WHERE datname LIKE '%%\\_\\_before\\_%%' ORDER BY 1
"""


def diagnose(server: Server, programs: Programs, copies: Copies) -> Sequence[Finding]:
    """One finding or more about each."""
    return [*_server(server, programs), _copies(copies)]


def _server(server: Server, programs: Programs) -> Iterator[Finding]:
    try:
        with server.opened(time.monotonic() + _LOOK) as connection:
            major = connection.info.server_version // 10_000
            size = _one(connection, "SELECT pg_database_size(current_database())", ())
            detail = f"{server.shown}, {int(str(size)) / 1e6:.1f} MB, on PostgreSQL {major}"
            yield Finding("database", "ok", detail)
            yield _programs(programs, major)
            for look in _LOOKS:
                yield from look(server, connection)
    except DeployError as error:
        yield Finding("database", "fail", error.what, error.do)


def _programs(programs: Programs, server: int) -> Finding:
    subject = "database programs"
    try:
        tools = programs.fit_for(server)
    except DeployError as error:
        return Finding(subject, "fail", error.what, error.do)
    found = f"pg_dump {tools.major} in {tools.folder}"
    if tools.major == server:
        return Finding(subject, "ok", found)
    do = f"install the programs of version {server}: a newer pg_dump writes what an older server may not understand"
    return Finding(subject, "warn", f"{found}, for a server of version {server}", do)


def _rights(server: Server, connection: Connection) -> Iterator[Finding]:
    row = connection.execute(_RIGHTS, (server.name,)).fetchone()
    assert row is not None  # we are connected to it
    may_create, is_owner, owner, may_signal = row
    missing = [] if may_create else ["create databases (ALTER ROLE … CREATEDB)"]
    missing += [] if is_owner else [f"rename this one (GRANT {owner} TO …)"]
    missing += [] if may_signal else ["disconnect other roles (GRANT pg_signal_backend TO …)"]
    if missing:
        detail = f"the role {connection.info.user} may not {', nor '.join(missing)}"
        yield Finding("database restore", "warn", detail, "a backup needs none of it; a restore does")
    else:
        yield Finding("database restore", "ok", f"the role {connection.info.user} may do what it needs")


def _maintenance(server: Server, connection: Connection) -> Iterator[Finding]:
    try:
        with server.opened(time.monotonic() + _LOOK, server.maintenance):
            return
    except DeployError as error:
        what = f"the database {server.maintenance}, from which this one is renamed: {error.what}"
        yield Finding("database restore", "warn", what, "name another one of this server: `database.maintenance`")


def _replication(server: Server, connection: Connection) -> Iterator[Finding]:
    subject = "database replication"
    if _one(connection, "SELECT pg_is_in_recovery()", ()):
        yield Finding(subject, "fail", f"{server.shown} is a standby", "name the primary")
    slots = "SELECT string_agg(slot_name, ', ') FROM pg_catalog.pg_replication_slots WHERE database = %s"
    if names := _one(connection, slots, (server.name,)):
        do = "after a restore, make them again in the new database and start the subscribers anew"
        yield Finding(subject, "warn", f"the logical replication slots {names} would stay with the old database", do)


def _kept(server: Server, connection: Connection) -> Iterator[Finding]:
    found = connection.execute(_KEPT).fetchall()
    if found:
        names = ", ".join(f"{name} ({size / 1e6:.0f} MB)" if size is not None else name for name, size in found)
        yield Finding("database restore", "warn", f"kept from restores: {names}", "DROP DATABASE what nobody needs")


def _copies(copies: Copies) -> Finding:
    subject = "database copies"
    found = copies.found()
    if not found:
        return Finding(subject, "ok", "none yet")
    age = (datetime.now(UTC) - found[0].at).total_seconds() / 3600
    return Finding(subject, "ok", f"{len(found)}, the newest {found[0].name}, {age:.0f} hours old")


_LOOKS: tuple[Callable[[Server, Connection], Iterator[Finding]], ...] = (_rights, _maintenance, _replication, _kept)


def _one(connection: Connection, query: str, values: tuple[object, ...]) -> object:
    row = connection.execute(query.encode(), values or None).fetchone()
    assert row is not None  # each of these has one row
    return row[0]
