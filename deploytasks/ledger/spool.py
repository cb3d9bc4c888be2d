"""Events that the ledger could not take when they happened: kept beside it, recorded later, each once."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from .. import redaction
from ..durable import locked, make_folder, sync_folder, written_aside
from ..errors import Unreachable
from ..ports import Json
from .chain import Ledger
from .event import canonical, instant_text
from .facts import Facts, part, text

_PATIENCE = 5.0
"""Seconds to wait for another process that is recording the same spool."""


class Spool:
    """A folder of events, readable for its owner only; made on first use.

    ``recorded``: what becomes of facts when the ledger takes them; whoever spools may not know whom they name.
    """

    def __init__(self, folder: Path, recorded: Callable[[Facts], Facts] = lambda facts: facts) -> None:
        self._folder = folder
        self._recorded = recorded

    def put(self, kind: str, facts: Mapping[str, Json], at: datetime, who: str, name: str = "") -> str:
        """Keep an event durably; returns its id. Raises ``Unreachable`` when the folder cannot be written.

        ``name``: the id of an event that may be found more than once, and that the ledger takes once.
        """
        facts = {key: value if key == "plan" else redaction.clean(value) for key, value in facts.items()}
        name = name or f"{at.astimezone(UTC):%Y%m%dT%H%M%S.%f}-{os.urandom(4).hex()}"
        document = canonical({"kind": kind, "facts": facts, "at": instant_text(at), "who": who})
        with self._translated("write to"):
            make_folder(self._folder, 0o700)
            with written_aside(self._folder, document, 0o600) as aside:
                aside.rename(self._folder / f"{name}.json")
            sync_folder(self._folder)
        return name

    def waiting(self) -> list[str]:
        """The ids of what waits to be recorded, oldest first."""
        return self._names(".json")

    def broken(self) -> list[str]:
        """The names of files that were set aside, because nobody could read them."""
        return self._names(".broken")

    def drain(self, ledger: Ledger) -> int:
        """Record what waits, oldest first, and delete it; how many that were. One process at a time.

        The events get the facts ``spooled`` (their id), ``at`` and ``who`` (as they were when it happened). One
        that was recorded by somebody who died before deleting the file is not recorded again. Raises
        ``Unreachable`` when the ledger still does not take them; nothing is lost then.
        """
        if not self.waiting():
            return 0
        with self._translated("read"), locked(self._folder / ".lock", _PATIENCE):
            return sum(self._record(name, ledger) for name in self.waiting())

    def _record(self, name: str, ledger: Ledger) -> bool:
        file = self._folder / f"{name}.json"
        found = _read(file)
        if found is None:
            file.rename(file.with_suffix(".broken"))
            return False
        is_new = name not in ledger.head().standing.imported
        if is_new:
            told: dict[str, Json] = {"spooled": name, "at": text(found, "at"), "who": text(found, "who")}
            ledger.append(text(found, "kind"), {**self._recorded(part(found, "facts")), **told})
        file.unlink()
        sync_folder(self._folder)
        return is_new

    def _names(self, suffix: str) -> list[str]:
        with self._translated("read"):
            found = self._folder.iterdir() if self._folder.exists() else ()
            return sorted(file.name.removesuffix(suffix) for file in found if _is_ours(file, suffix))

    @contextmanager
    def _translated(self, verb: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise Unreachable(
                f"cannot {verb} the spool {self._folder}: {error.strerror or error}",
                state="what happened may not be recorded" if verb == "write to" else "nothing was lost",
                do="free space there and make it writable",
            ) from error


def _is_ours(file: Path, suffix: str) -> bool:
    return file.name.endswith(suffix) and not file.name.startswith(".")


def _read(file: Path) -> Facts | None:
    """What was put there, or ``None`` when nobody could tell."""
    try:
        found = json.loads(file.read_bytes())
    except ValueError:
        return None
    is_whole = isinstance(found, dict) and text(found, "kind") and isinstance(found.get("facts"), dict)
    return found if is_whole else None
