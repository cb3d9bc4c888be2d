"""A copy in a database of its own, in which migrations are rehearsed; the live one is only asked how it is made."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from urllib.parse import quote, urlencode

from ... import redaction
from ...errors import DeployError, UsageError
from ...ports import Call, Scratch
from . import properties
from .fill import drop, pour, require_rights, wanted
from .names import Names, Source, comment
from .programs import Programs
from .server import Connection, Server

_FORGOTTEN = timedelta(days=1)
"""After which a rehearsal is over, however it ended: nobody uses its database any more."""


def scratch(
    server: Server,
    programs: Programs,
    source: Source,
    mark: str,
    jobs: int,
    verified: Callable[[], str],
    applied: Callable[[str], Sequence[str]],
) -> Scratch:
    """The database ``<live>__rehearsal_<mark>``. ``verified``: hands out the copy's file, or raises; ``applied``: the
    migrations in a database of this name."""
    names = Names.scratch(server.name, mark)
    if names.new == names.live:
        raise UsageError(f"{mark!r} cannot name a rehearsal")

    def make(timeout: float) -> None:
        _make(server, programs, source._replace(file=verified()), names, jobs, time.monotonic() + timeout)

    def gone(timeout: float) -> None:
        with server.opened(time.monotonic() + timeout, server.maintenance, does="rehearse") as connection:
            drop(connection, names.new)

    nowhere = f"{names.new[:50]}_nowhere"
    return Scratch(
        Call(f"postgres: restore {source.name} into the new database {names.new}, beside {names.live}", make),
        Call(f"postgres: drop {names.new}", gone),
        {"name": names.new, "url": url(server, names.new)},
        {"name": nowhere, "url": url(server, nowhere)},
        {**_variables(server), "PGDATABASE": names.new},
        lambda: applied(names.new),
    )


def url(server: Server, database: str) -> str:
    """The address of a database on the same server, with the password, in the words of ``url_from`` where it has a
    scheme. It counts as secret from now on."""
    given = {key: value for key, value in server.parameters.items() if key not in ("dbname", "application_name")}
    user, password = (quote(given.pop(key, ""), safe="") for key in ("user", "password"))
    is_plain = not any(mark in given.get("host", "") for mark in ",/")
    host, port = (given.pop(key, "") if is_plain else "" for key in ("host", "port"))
    shown = f"[{host}]" if ":" in host else host
    redaction.hide(password)
    who = f"{user}{f':{password}' if password else ''}@" if user else ""
    more = f"?{urlencode(given)}" if given else ""
    return f"{server.scheme}://{who}{shown}{f':{port}' if port else ''}/{quote(database, safe='')}{more}"


def _make(server: Server, programs: Programs, source: Source, names: Names, jobs: int, deadline: float) -> None:
    with server.opened(deadline, server.maintenance, does="rehearse") as connection:
        like = wanted(connection, names, source)
        require_rights(connection, names, like)
        _forget(connection, names)
        connection.execute(properties.creation(names.new, like))
        try:
            comment(connection, names.new, f"{_begun(names)}{datetime.now(UTC).isoformat()}")
            pour(server, programs, source, names, jobs, deadline)
            properties.apply(connection, names.new, like)
        except BaseException:
            with suppress(DeployError), server.opened(time.monotonic() + 15, server.maintenance) as again:
                drop(again, names.new)
            raise


def _begun(names: Names) -> str:
    return f"deploytasks: a rehearsal for {names.live}, begun "


def _forget(connection: Connection, names: Names) -> None:
    """Drop what rehearsals have left whose deployer died long ago."""
    query = """SELECT datname, shobj_description(oid, 'pg_database') FROM pg_catalog.pg_database
               WHERE starts_with(shobj_description(oid, 'pg_database'), %s)"""
    for name, said in connection.execute(query, (_begun(names),)).fetchall():
        with suppress(ValueError):
            if datetime.now(UTC) - datetime.fromisoformat(said.removeprefix(_begun(names))) > _FORGOTTEN:
                drop(connection, name)


def _variables(server: Server) -> Mapping[str, str]:
    """The variables of PostgreSQL's programs for the same server."""
    return {name: value for name, value in server.environment("rehearse").items() if name.startswith("PG")}
