"""A folder of verified copies: ``<name>.sqlite3``, and beside it ``<name>.json`` with time, size, digest and tags.

A server's copies are ``<name>.dump``. The note is written last. A copy without one is not finished, and is never shown.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from hashlib import sha256
from pathlib import Path

from .. import durable
from ..errors import DeployError, Unreachable, UsageError
from ..ports import Backup, Json


class Copies:
    """The copies in one folder, which need not exist yet. ``suffix``: how their files' names end."""

    def __init__(self, folder: Path, suffix: str) -> None:
        self._folder = folder
        self._suffix = suffix

    def check_name(self, name: str) -> None:
        """Raise ``UsageError`` for a name that could be anything but a file here."""
        if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._+-]{0,120}", name):
            raise UsageError(f"{name!r} cannot be the name of a copy", do="use letters, digits, dots, - and _")

    def found(self) -> Sequence[Backup]:
        """All that are verified, newest first."""
        notes = [backup for note in self._folder.glob("*.json") if (backup := self._read(note))]
        return sorted(notes, key=lambda backup: (backup.at, backup.name), reverse=True)

    def named(self, name: str) -> Backup:
        """One of them. Raises ``UsageError`` with those that may have been meant."""
        found = {backup.name: backup for backup in self.found()}
        if name not in found:
            near = dict.fromkeys([*difflib.get_close_matches(name, found, 3), *list(found)[:3]])
            do = f"choose one of: {', '.join(near)}" if near else "there is none yet: `inv backup-database`"
            raise UsageError(f"there is no copy called {name!r}", do=do)
        return found[name]

    def is_whole(self, name: str) -> bool:
        """Whether a copy is there with the digest that was noted."""
        backup = self._read(self._note(name))
        return backup is not None and digest_of(self._file(name)) == backup.digest

    def verified(self, backup: Backup) -> Path:
        """The file of a copy. Raises ``DeployError`` when it is not what was once verified."""
        file = self._file(backup.name)
        if not file.exists() or digest_of(file) != backup.digest:
            raise DeployError(
                f"the copy {backup.name} has changed since it was made",
                state="the database is as it was",
                do="choose another copy; this one cannot be trusted",
            )
        return file

    def content(self, name: str) -> Mapping[str, Json]:
        """What ``make`` said about the content of a copy when it was added."""
        try:
            return dict(json.loads(self._note(name).read_bytes()).get("content") or {})
        except (OSError, ValueError, AttributeError):
            return {}

    def add(
        self, name: str, tags: Mapping[str, str], at: datetime, make: Callable[[Path], Mapping[str, Json] | None]
    ) -> None:
        """Let ``make`` write a verified copy, and note it, with what ``make`` says about it. Raises ``Unreachable``."""
        aside = self._folder / f".{name}.part"
        content = make(aside)
        try:
            facts = {"at": at.isoformat(), "size": aside.stat().st_size, "sha256": digest_of(aside), "tags": dict(tags)}
            facts |= {"content": content} if content else {}
            self._note(name).unlink(missing_ok=True)  # an older one would speak of the older file
            aside.replace(self._file(name))
            with durable.written_aside(self._folder, json.dumps(facts, indent=2).encode()) as note:
                note.replace(self._note(name))
            durable.sync_folder(self._folder)
        except OSError as error:
            with suppress(OSError):
                aside.unlink()
            what = f"cannot keep the copy {name}: {error.strerror or error}"
            raise Unreachable(what, state="the database is as it was", do="mend the folder of copies") from error

    def prune(self, keep: int) -> None:
        """Delete all but the newest ``keep``, the note first; and what unfinished copies have left."""
        self.discard([backup.name for backup in self.found()[keep:]])
        for part in self._folder.glob(".*.part*"):
            with suppress(OSError):
                part.unlink()

    def discard(self, names: Sequence[str]) -> None:
        """Delete some, the note first: a copy without one is none."""
        for name in names:
            self.check_name(name)
            self._note(name).unlink(missing_ok=True)
            self._file(name).unlink(missing_ok=True)

    def _file(self, name: str) -> Path:
        return self._folder / f"{name}{self._suffix}"

    def _note(self, name: str) -> Path:
        return self._folder / f"{name}.json"

    def _read(self, note: Path) -> Backup | None:
        try:
            facts = json.loads(note.read_bytes())
            size, digest = int(facts["size"]), str(facts["sha256"])
            at, tags = datetime.fromisoformat(facts["at"]), dict(facts["tags"])
            is_there = self._file(note.stem).stat().st_size == size
            return Backup(note.stem, at, size, digest, tags) if is_there else None
        except (OSError, ValueError, KeyError, TypeError):
            return None


def digest_of(file: Path) -> str:
    """The SHA-256 of a file, in hex."""
    hashed = sha256()
    with file.open("rb") as content:
        while block := content.read(1 << 20):
            hashed.update(block)
    return hashed.hexdigest()
