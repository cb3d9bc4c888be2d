"""A database on a PostgreSQL server: copied while others write, and put back without ever writing over the live one."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from shlex import quote

from psycopg import sql

from ...errors import UsageError
from ...ports import Backup, Call, Calls, Finding, Json, Scratch
from ...settings.postgres import PostgresSettings
from ..applied import applied
from ..copies import Copies
from ..site import Site
from . import diagnosing, properties
from .busy import busy
from .census import Census
from .dump import dump
from .fill import fill
from .names import Names, Source
from .programs import Programs
from .properties import Properties
from .scratch import scratch
from .server import Connection, Server
from .swap import exchange, stays_behind

_LOOK = 20.0
"""Seconds to look at something."""


class PostgresDatabase:
    """``database: {kind: postgres}``. Copies are kept by ``Copies``, on the machine that deploys."""

    def __init__(self, settings: PostgresSettings, site: Site) -> None:
        self._settings = settings
        self._site = site
        self._server = Server(settings, site.root, settings.maintenance, site.vault)
        self._programs = Programs(site.path(settings.bin) if settings.bin else None)
        self._copies = Copies(site.path(settings.backups) if settings.backups else site.folder / "backups", ".dump")

    # -- copies --------------------------------------------------------------

    def back_up(self, name: str, tags: Mapping[str, str]) -> Call:
        """Dump one moment, read the dump back, and only then let it count. Raises ``UsageError`` for a name that is
        no file name."""
        self._copies.check_name(name)
        text = f"postgres: dump {self._server.shown} to {name} and verify it"
        return Call(text, partial(self._back_up, name, tags, datetime.now(UTC)))

    def backups(self) -> Sequence[Backup]:
        """The verified copies, newest first."""
        return self._copies.found()

    def prune(self, keep: int) -> Calls:
        """Which copies go is decided when it is done."""
        return [[Call(f"postgres: delete all but the newest {keep} copies", lambda _timeout: self._copies.prune(keep))]]

    def discard(self, names: Sequence[str]) -> Calls:
        """One after the other, each with its note first."""
        return [[Call(f"postgres: delete the copies {', '.join(names)}", lambda _timeout: self._copies.discard(names))]]

    def restore(self, name: str, mark: str = "") -> Calls:
        """Restore into a new database and verify it; then let the two change names. The live one is kept as it is.
        Raises ``UsageError`` for an unknown copy."""
        backup = self._copies.named(name)
        names = Names.of(self._server.name, mark or f"{datetime.now(UTC):%Y%m%d-%H%M%S-%f}")
        made = f"postgres: restore {name} (sha256 {backup.digest[:12]}) into the new database {names.new} and verify it"
        moved = (
            f"postgres: end all connections to {self._server.shown}, rename it to {names.before}, "
            f"where it is kept, and rename {names.new} to {names.live}"
        )
        return [
            [Call(made, partial(self._fill, backup, names))],
            [Call(moved, partial(self._exchange, backup, names))],
        ]

    def restored(self, mark: str) -> Mapping[str, Json]:
        """The name of the database that was replaced, and what of it is not as it was."""
        names = Names.of(self._server.name, mark)
        deadline = time.monotonic() + _LOOK
        with self._server.opened(deadline, self._server.maintenance) as connection:
            before, live = properties.read(connection, names.before), properties.read(connection, names.live)
            if before is None or live is None:
                return {}
            lost: list[Json] = [*before.lost(live)]
            return {"kept": names.before, "lost": [*lost, *stays_behind(connection, names.before)]}

    def busy(self) -> str | None:
        """A backup, a restore or a migration of ours; or anything that keeps a whole table locked for ``patience``."""
        return busy(self._server, self._settings.patience)

    # -- migrations ----------------------------------------------------------

    def scratch(self, name: str, mark: str, folder: str) -> Scratch:
        """A database of its own, on the same server. Raises ``UsageError`` for an unknown copy."""
        backup = self._copies.named(name)
        file = partial(self._copies.verified, backup)
        source = self._source(backup, Path())
        own = (self._server, self._programs, source, mark, self._settings.jobs)
        return scratch(*own, lambda: str(file()), self._applied_in)

    def applied(self) -> Sequence[str]:
        """What the preset's tool has written down in the database."""
        return self._applied_in(None)

    def _applied_in(self, database: str | None) -> Sequence[str]:
        if self._settings.preset is None:
            return ()
        with self._server.opened(time.monotonic() + _LOOK, database) as connection:
            return applied(
                self._settings.preset,
                partial(_find, connection),
                lambda query: connection.execute(query.encode()).fetchall(),
            )

    def run(self, command: str, what: str) -> Call:
        """A command in the project's folder."""
        from ..hosts.localhost import LocalHost
        from ..hosts.rendering import command as filled_in

        here = filled_in(command, {"python": sys.executable, "root": str(self._site.root)})
        host = LocalHost(self._site.context)
        line = f"cd {quote(str(self._site.root))} && {{ {here}\n}}"

        def perform(timeout: float) -> None:
            host.run(line, timeout)

        return Call(f"here: {what}: {here}", perform)

    # -- how -----------------------------------------------------------------

    def _back_up(self, name: str, tags: Mapping[str, str], now: datetime, timeout: float) -> None:
        if not self._copies.is_whole(name):
            deadline = time.monotonic() + timeout
            make = partial(dump, self._server, self._programs, deadline=deadline)
            self._copies.add(name, tags, now, make)

    def _fill(self, backup: Backup, names: Names, timeout: float) -> None:
        file = self._copies.verified(backup)
        deadline = time.monotonic() + timeout
        fill(self._server, self._programs, self._source(backup, file), names, self._settings.jobs, deadline)

    def _exchange(self, backup: Backup, names: Names, timeout: float) -> None:
        exchange(self._server, self._source(backup, Path()), names, time.monotonic() + timeout)

    def _source(self, backup: Backup, file: Path) -> Source:
        content = self._copies.content(backup.name)
        return Source(
            backup.name, str(file), Census.from_json(content), Properties.from_json(content.get("properties"))
        )

    # -- diagnosing ----------------------------------------------------------

    def diagnose(self) -> Sequence[Finding]:
        """The server, the programs, what the role may, and the copies."""
        return diagnosing.diagnose(self._server, self._programs, self._copies)


def _find(connection: Connection, table: str) -> str | None:
    """The quoted name of a table: the one that is on the search path, or else the only one."""
    query = """SELECT n.nspname, pg_catalog.pg_table_is_visible(c.oid)
               FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
               WHERE c.relname = %s AND c.relkind IN ('r', 'p') ORDER BY 2 DESC, 1"""
    found = connection.execute(query, (table,)).fetchall()
    if len(found) > 1 and not found[0][1]:
        raise UsageError(
            f"there is a table {table} in {', '.join(row[0] for row in found)}, and none on the search path",
            do="set the role's search_path in this database: ALTER ROLE … IN DATABASE … SET search_path",
        )
    return sql.Identifier(found[0][0], table).as_string() if found else None
