"""A copy into a new database beside the live one, verified before anything else happens."""

from __future__ import annotations

import re
import time
from contextlib import suppress

from psycopg import sql

from ...errors import DeployError, GateRefused, Unreachable
from . import properties
from .census import count, tables
from .dump import locked
from .names import Names, Source, comment, is_verified, state, unfinished, verified
from .programs import Failed, Programs, run
from .properties import Properties
from .server import Connection, Server


def fill(server: Server, programs: Programs, source: Source, names: Names, jobs: int, deadline: float) -> None:
    """Restore a copy into the new database, verify it, and give it all that the live one has beside its content.

    Nothing to do when it is there, verified, or when the names have been changed. Raises ``DeployError``; then there
    is no new database.
    """
    with server.opened(deadline, server.maintenance, does="restore") as connection, locked(connection, names.live):
        if properties.read(connection, names.before) or is_verified(connection, names.new, source):
            return
        like = wanted(connection, names, source)
        require_rights(connection, names, like)
        _clear(connection, names)
        connection.execute(properties.creation(names.new, like))
        try:
            comment(connection, names.new, unfinished(names))
            pour(server, programs, source, names, jobs, deadline)
            properties.apply(connection, names.new, like)
            comment(connection, names.new, verified(source))
        except BaseException as error:
            with suppress(DeployError), server.opened(time.monotonic() + 15, server.maintenance) as again:
                drop(again, names.new)
            if isinstance(error, Failed):
                what = f"{source.name} cannot be restored: {error.what}"
                raise Unreachable(what, state=state(names), do="docs/postgresql.md says what the role needs") from error
            raise


def pour(server: Server, programs: Programs, source: Source, names: Names, jobs: int, deadline: float) -> None:
    """Restore a copy into the new database, which is empty, and count its rows again. Raises ``DeployError``."""
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
                f"what was restored is not what {source.name} was made of: {other}", state=state(names),
                do="look at event triggers and rules that change rows; or choose another copy",
            )  # fmt: skip
        connection.execute("ANALYZE")


def _is_only_newer(output: str) -> bool:
    """Whether all that a newer ``pg_restore`` could not do is to set what an older server does not know."""
    found = re.findall(r"^pg_restore: error: (.*)$", output, re.MULTILINE)
    return bool(found) and all("unrecognized configuration parameter" in one for one in found)


def wanted(connection: Connection, names: Names, source: Source) -> Properties:
    """As the live database is; as the copied one was, when there is no live one."""
    found = properties.read(connection, names.live) or source.properties
    if found is None:
        raise GateRefused(
            f"there is no database {names.live}, and the copy does not say how it was", do="create it, empty"
        )
    return found


def require_rights(connection: Connection, names: Names, like: Properties) -> None:
    """Refuse a role that may not make a database like the live one. Raises ``GateRefused``."""
    query = """SELECT rolsuper OR rolcreatedb, pg_has_role(%s, 'MEMBER') FROM pg_catalog.pg_roles
               WHERE rolname = current_user"""
    row = connection.execute(query, (like.owner,)).fetchone()
    assert row is not None  # whoever asks is a role
    missing = [] if row[0] else ["create databases (ALTER ROLE … CREATEDB)"]
    missing += [] if row[1] else [f"rename {names.live}, which belongs to {like.owner} (GRANT … TO …)"]
    if missing:
        raise GateRefused(
            f"the role {connection.info.user} may not {', nor '.join(missing)}",
            state=state(names),
            do="restore as a role that may; docs/postgresql.md says what it needs",
        )


def _clear(connection: Connection, names: Names) -> None:
    """Drop the new database, and those that dead restores have left, none of which was ever used."""
    query = """SELECT datname FROM pg_catalog.pg_database
               WHERE datname = %s OR shobj_description(oid, 'pg_database') = %s"""
    for (name,) in connection.execute(query, (names.new, unfinished(names))).fetchall():
        drop(connection, name)


def drop(connection: Connection, name: str) -> None:
    """Drop a database, whoever is connected to it; fine when there is none."""
    connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
