"""SQLite: copies made while others write, verified before they count, and put back without a moment of absence."""

from __future__ import annotations

import shutil
import sqlite3
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from ...errors import GateRefused, Unreachable, UsageError
from ...ports import Backup, Call, Calls, Finding, Json, Scratch
from ...settings.sqlite import SqliteSettings
from ..applied import applied
from ..copies import Copies
from ..identity import is_alive
from ..site import Site
from .copying import copy, copy_beside, integrity, opened, patiently, remove, replace_content


class Sqlite:
    """The database of one machine, a file. Copies are kept by ``Copies``."""

    def __init__(self, settings: SqliteSettings, site: Site) -> None:
        self._settings = settings
        self._path = site.path(settings.path)
        folder = site.path(settings.backups) if settings.backups else site.folder / "backups"
        self._copies = Copies(folder, ".sqlite3")
        self._marker = site.path(settings.marker) if settings.marker else None
        fleet = site.sections.get("fleet")
        root = getattr(fleet, "root", None)
        self._running = (site.path(root) if root else site.folder) / "run"

    # -- copies --------------------------------------------------------------

    def back_up(self, name: str, tags: Mapping[str, str]) -> Call:
        """Copy online, check the copy's integrity, and only then let it count. Raises ``UsageError`` for a name that
        is no file name. Before the first migration there is no database, and the call says so."""
        self._copies.check_name(name)
        now = datetime.now(UTC)
        if not self._path.exists() and not self._copies.found():
            text = f"sqlite: nothing to back up yet, {self._settings.path} does not exist"
            return Call(text, partial(self._back_up, name, tags, now, is_first=True))
        return Call(
            f"sqlite: copy {self._settings.path} to {name} and verify it",
            partial(self._back_up, name, tags, now, is_first=False),
        )

    def backups(self) -> Sequence[Backup]:
        """The verified copies, newest first."""
        return self._copies.found()

    def prune(self, keep: int) -> Calls:
        """Which copies go is decided when it is done."""
        return [[Call(f"sqlite: delete all but the newest {keep} copies", lambda _timeout: self._copies.prune(keep))]]

    def discard(self, names: Sequence[str]) -> Calls:
        """One after the other, each with its note first."""
        return [[Call(f"sqlite: delete the copies {', '.join(names)}", lambda _timeout: self._copies.discard(names))]]

    def restore(self, name: str, mark: str = "") -> Calls:
        """Verify the copy, keep what is there beside it, and write the copy into the database, in one transaction:
        whoever has it open goes on with the restored content. Raises ``UsageError`` for an unknown copy."""
        backup = self._copies.named(name)
        beside = self._beside(mark or f"{datetime.now(UTC):%Y%m%d-%H%M%S-%f}")
        text = (
            f"sqlite: restore {name} (sha256 {backup.digest[:12]}) into {self._settings.path}; "
            f"what is there is kept as {beside.name}"
        )
        return [[Call(text, partial(self._restore, backup, beside))]]

    def restored(self, mark: str) -> Mapping[str, Json]:
        """The file beside the database; the content is all there is, and nothing is lost."""
        beside = self._beside(mark)
        return {"kept": beside.name, "lost": []} if beside.exists() else {}

    def scratch(self, name: str, mark: str, folder: str) -> Scratch:
        """Another file with the content of a copy. Raises ``UsageError`` for an unknown copy."""
        backup, file = self._copies.named(name), Path(folder) / f"rehearsal-{mark}.sqlite3"

        def make(_timeout: float) -> None:
            try:
                shutil.copyfile(self._copies.verified(backup), file)
                file.chmod(0o600)
            except OSError as error:
                what = f"cannot copy {name} to {file}: {error.strerror or error}"
                raise Unreachable(what, state="the database is as it was") from error

        return Scratch(
            Call(f"sqlite: copy {name} (sha256 {backup.digest[:12]}) to {file}", make),
            Call(f"sqlite: delete {file}", lambda _timeout: remove(file)),
            {"path": str(file)},
            {"path": str(file.parent / "not there" / file.name)},
            {},
            partial(self._applied_in, file),
        )

    def applied(self) -> Sequence[str]:
        """What the preset's tool has written down in the database. Raises ``Unreachable``."""
        return self._applied_in(self._path)

    def _applied_in(self, path: Path) -> Sequence[str]:
        if self._settings.preset is None or not path.exists():
            return ()
        try:
            with opened(path, self._settings.patience) as database:
                return applied(
                    self._settings.preset,
                    lambda table: _quoted(table) if _has(database, table) else None,
                    lambda query: database.execute(query).fetchall(),
                )
        except sqlite3.Error as error:
            raise Unreachable(f"{path.name} does not say what was applied: {error}") from error

    def run(self, command: str, what: str) -> Call:
        """Never: the fleet is on the machine of this file."""
        raise UsageError(f"{what}: a SQLite database is migrated on the fleet")

    def busy(self) -> str | None:
        """A command that the fleet runs, the marker, or a lock held longer than ``patience``."""
        return self._command_at_work() or self._marked() or self._locked()

    # -- how -----------------------------------------------------------------

    def _back_up(self, name: str, tags: Mapping[str, str], now: datetime, timeout: float, *, is_first: bool) -> None:
        if self._copies.is_whole(name):
            return
        if not self._path.exists():
            if is_first and not self._copies.found():
                return
            raise GateRefused(
                f"the database {self._path} is gone, though there was one",
                state="nothing was changed",
                do="find out who moved it, or put a copy back: `inv restore-database`",
            )
        self._copies.add(name, tags, now, partial(copy, self._path, deadline=time.monotonic() + timeout))

    def _beside(self, mark: str) -> Path:
        return self._path.with_name(f"{self._path.name}.before-{mark}")

    def _restore(self, backup: Backup, beside: Path, timeout: float) -> None:
        deadline = time.monotonic() + timeout
        source = self._copies.verified(backup)
        if self._path.exists() and not beside.exists():
            copy_beside(self._path, beside, deadline)
        replace_content(source, self._path, deadline)

    def _command_at_work(self) -> str | None:
        for file in sorted(self._running.glob("command-*.pid")):
            known = _first_line(file)
            if is_alive(known):
                return f"{file.stem.removeprefix('command-')} is at work (process {known.partition(':')[0]})"
        return None

    def _marked(self) -> str | None:
        if self._marker is None or not self._marker.exists():
            return None
        known = _first_line(self._marker)
        # A marker with an identity ends with its process; any other one ends when it is removed.
        return None if known.count(":") == 2 and not is_alive(known) else f"{self._settings.marker} says so"

    def _locked(self) -> str | None:
        if not self._path.exists():
            return None
        try:
            with opened(self._path, 0) as database:
                patiently(database, "BEGIN IMMEDIATE", time.monotonic() + self._settings.patience)
                database.execute("ROLLBACK")
        except sqlite3.OperationalError as error:
            return f"{self._settings.path} is locked by another writer ({error})"
        except sqlite3.DatabaseError:
            return None  # it is broken: nobody writes there, and a restore must be possible
        return None

    # -- diagnosing ----------------------------------------------------------

    def diagnose(self) -> Sequence[Finding]:
        """The file and its integrity, and the newest copy."""
        return [self._diagnose_file(), self._diagnose_copies()]

    def _diagnose_file(self) -> Finding:
        subject = "database"
        if not self._path.exists():
            return Finding(subject, "ok", f"{self._settings.path} does not exist yet")
        try:
            with opened(self._path, 0) as database:
                problem = integrity(database, time.monotonic() + self._settings.patience, "quick_check")
        except sqlite3.Error as error:
            problem = str(error)
        size = self._path.stat().st_size / 1e6
        if problem:
            return Finding(
                subject, "fail", f"{self._settings.path}: {problem}", "restore a copy: `inv restore-database`"
            )
        return Finding(subject, "ok", f"{self._settings.path}, {size:.1f} MB, is whole")

    def _diagnose_copies(self) -> Finding:
        try:
            found = self._copies.found()
        except (Unreachable, UsageError) as error:
            return Finding("database copies", "fail", error.what, error.do)
        if not found:
            return Finding("database copies", "ok", "none yet")
        return Finding(
            "database copies", "ok", f"{len(found)}, the newest {found[0].name} of {found[0].at:%Y-%m-%d %H:%M}"
        )


def _has(database: sqlite3.Connection, table: str) -> bool:
    found = database.execute("SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = ?", (table,))
    return bool(found.fetchone()[0])


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _first_line(file: Path) -> str:
    try:
        return file.read_text(errors="replace").partition("\n")[0].strip()
    except OSError:
        return ""
