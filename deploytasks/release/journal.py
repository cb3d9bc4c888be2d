"""What is being made, in the git folder meanwhile: after a ``kill -9`` the next release finds it and takes it back."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any, NamedTuple

from .. import durable
from ..errors import GateRefused, LeaseHeld, Unreachable
from .cut import Cut
from .edits import Edit

FILE = "deploytasks-release.json"
LOCK = "deploytasks-release.lock"
KEPT = "deploytasks-release-kept"
"""The folder for what somebody else wrote into a file that was put back."""


class Entry(NamedTuple):
    """A release in the making. ``pushing``: whether the remote may have it already."""

    cut: Cut
    pushing: bool


@contextmanager
def alone(git_dir: Path) -> Iterator[None]:
    """Nobody else makes a release in this work tree meanwhile. Raises ``LeaseHeld``."""
    try:
        with durable.locked(git_dir / LOCK, 0.5):
            yield
    except TimeoutError as error:
        raise LeaseHeld(
            "a release is being cut in this work tree already",
            state="nothing was changed",
            do="wait for it, and run this again",
        ) from error
    except PermissionError as error:
        raise Unreachable(f"{git_dir} cannot be written: {error.strerror}", state="nothing was changed") from error


def write(cut: Cut, *, pushing: bool = False) -> None:
    """Write down what is about to be made."""
    document = {"pushing": pushing, "cut": asdict(cut)}
    with durable.written_aside(cut.git_dir, json.dumps(document, default=_plain).encode(), 0o600) as aside:
        aside.replace(cut.git_dir / FILE)
    durable.sync_folder(cut.git_dir)


def _plain(value: object) -> str:
    return base64.b64encode(value).decode() if isinstance(value, bytes) else str(value)


def read(top: Path, git_dir: Path) -> Entry | None:
    """What somebody was making when they died; ``None``: nobody was. Raises ``GateRefused`` when nobody can tell."""
    file = git_dir / FILE
    try:
        found = json.loads(file.read_bytes())
        return Entry(_cut(found["cut"], top, git_dir), bool(found["pushing"]))
    except FileNotFoundError:
        return None
    except (ValueError, LookupError, TypeError) as error:
        raise GateRefused(
            f"{file} tells of a release that was killed, and cannot be read here ({error})",
            state="nothing was changed",
            do="look at `git status` and `git log`, put right what is wrong, and delete the file",
        ) from error


def end(git_dir: Path) -> None:
    """It is made, or taken back."""
    (git_dir / FILE).unlink(missing_ok=True)
    durable.sync_folder(git_dir)


def keep(cut: Cut, path: str, content: bytes) -> Path:
    """Keep what somebody wrote into a file that is put back."""
    folder = cut.git_dir / KEPT
    durable.make_folder(folder, 0o700)
    file = folder / f"{cut.version}-{cut.id}-{path.replace('/', '-')}"
    with durable.written_aside(folder, content, 0o600) as aside:
        aside.replace(file)
    return file


def _cut(found: dict[str, Any], top: Path, git_dir: Path) -> Cut:
    """A work tree may have been moved meanwhile, its git folder with it."""
    known = {field.name for field in fields(Cut)}
    edits = tuple(
        Edit(**{**edit, "before": base64.b64decode(edit["before"]), "after": base64.b64decode(edit["after"])})
        for edit in found["edits"]
    )
    given = {name: value for name, value in found.items() if name in known}
    cut = Cut(**{**given, "edits": edits, "notes": base64.b64decode(found["notes"])})
    return replace(cut, top=top, git_dir=git_dir, warnings=tuple(cut.warnings))
