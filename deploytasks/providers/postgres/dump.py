"""One moment of a database in one file, while others write: ``pg_dump`` and our own counts see the same snapshot.

https://www.postgresql.org/docs/current/functions-admin.html#FUNCTIONS-SNAPSHOT-SYNCHRONIZATION
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from zlib import crc32

import psycopg

from ... import durable
from ...errors import DeployError, GateRefused, Unreachable
from ...ports import Json
from . import properties
from .census import Table, count, tables
from .programs import Failed, Programs, Tools, run, running
from .server import Connection, Server

OURS = 0x6465706C
"""The first number of our advisory locks: ``depl``."""
_LOCK_WAIT = 30_000
"""Milliseconds to wait for a table that something else has locked."""


def dump(server: Server, programs: Programs, target: Path, deadline: float) -> Mapping[str, Json]:
    """Write a verified copy to ``target``, durably; returns what is in it.

    ``deadline``: on the monotonic clock. Raises ``Unreachable`` or ``UsageError``; then there is no ``target``.
    """
    try:
        return _dump(server, programs, target, deadline)
    except BaseException as error:
        with suppress(OSError):
            target.unlink()
        if isinstance(error, OSError):
            raise _refused(f"cannot write the copy: {error.strerror or error}") from error
        if isinstance(error, Failed):
            raise _refused(f"{server.shown} cannot be copied: {error.what}") from error
        raise


def _dump(server: Server, programs: Programs, target: Path, deadline: float) -> Mapping[str, Json]:
    durable.make_folder(target.parent, 0o700)
    target.unlink(missing_ok=True)
    os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))  # pg_dump keeps the mode
    with server.opened(deadline, does="backup") as connection, locked(connection, server.name):
        tools = programs.fit_for(connection.info.server_version // 10_000)
        snapshot = _begin(connection)
        command = [
            tools.path("pg_dump"), "--format=custom", "--no-password", f"--snapshot={snapshot}",
            f"--lock-wait-timeout={_LOCK_WAIT}", f"--file={target}", f"--dbname={server.target()}",
        ]  # fmt: skip
        with running(command, server.environment("backup")) as pg_dump:
            listed = tables(connection)
            census = count(connection, listed)
            found = properties.read(connection, server.name)
            pg_dump.finish(deadline)
        connection.execute("COMMIT")
    verify(tools, target, listed, deadline)
    with target.open("rb") as file:
        os.fsync(file.fileno())
    facts: dict[str, Json] = {"database": server.name, "server": tools.major, **census.to_json()}
    return {**facts, "properties": found.to_json() if found else None}


def verify(tools: Tools, file: Path, listed: Sequence[Table], deadline: float) -> None:
    """Read the copy's table of contents: it must hold the data of every table. Raises ``DeployError``."""
    contents = run([tools.path("pg_restore"), "--list", str(file)], os.environ, deadline)
    # "3365; 0 16386 TABLE DATA public books ann": names can hold blanks, numbers cannot.
    held = {int(number) for number in re.findall(r"^\d+; \d+ (\d+) TABLE DATA ", contents, re.MULTILINE)}
    missing = [f"{table.schema}.{table.name}" for table in listed if table.oid not in held]
    if missing:
        raise DeployError(
            f"the copy lacks the data of {', '.join(missing[:5])}",
            state="it does not count as a copy, and was deleted",
            do="look whether a policy or an extension keeps pg_dump from it, then try again",
        )


@contextmanager
def locked(connection: Connection, database: str) -> Iterator[None]:
    """Let no other backup or restore of ours near this database: an advisory lock, gone with the connection.

    Raises ``GateRefused`` when another one is at work.
    """
    taken = connection.execute("SELECT pg_try_advisory_lock(%s, %s)", (OURS, key(database))).fetchone()
    if taken != (True,):
        raise GateRefused(
            f"another backup or restore of {database} is at work", state="nothing was changed", do="wait for its end"
        )
    try:
        yield
    finally:
        with suppress(psycopg.Error):
            connection.execute("SELECT pg_advisory_unlock(%s, %s)", (OURS, key(database)))


def key(database: str) -> int:
    """The second number of the advisory lock of a database."""
    return crc32(database.encode()) - 2**31


def _begin(connection: Connection) -> str:
    connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY")
    connection.execute(f"SET LOCAL lock_timeout = {_LOCK_WAIT}")
    connection.execute("SET LOCAL row_security = off")
    row = connection.execute("SELECT pg_export_snapshot()").fetchone()
    assert row is not None  # a function has one row
    return str(row[0])


def _refused(what: str) -> Unreachable:
    full = "No space left" in what or "quota" in what
    do = "make room on the disk, then try again" if full else "`inv doctor`; then try again"
    return Unreachable(what, state="the database is as it was, and no half copy is left", do=do)
