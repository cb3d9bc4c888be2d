"""Which version a commit has, and which one comes next. The newest version tag in its history decides
(https://semver.org).

Newest by precedence and not by date or by ``git describe``, which picks any of several tags on one commit.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from semver import Version

from ..errors import GateRefused, UsageError
from . import git

BUMPS = ("major", "minor", "patch", "final")
"""What may be raised; ``final`` ends a line of pre-releases."""
FIRST = Version(0, 1, 0)
"""What begins, when there is no version yet."""


class Position(NamedTuple):
    """Where a commit stands: ``distance`` commits after the ``newest`` version (``None``: no version yet)."""

    newest: Version | None
    distance: int
    commit: str


def parse(tag: str, prefix: str) -> Version | None:
    """The version in a tag: the prefix once, then semver. ``None`` for other tags, and for those with build metadata,
    which compare equal to each other."""
    if not tag.startswith(prefix) or not Version.is_valid(tag[len(prefix) :]):
        return None
    version = Version.parse(tag[len(prefix) :])
    return None if version.build else version


def known(tags: Iterable[str], prefix: str) -> list[Version]:
    """The versions among tags, newest first."""
    return sorted((version for tag in tags if (version := parse(tag, prefix))), reverse=True)


def position(repository: Path, commit: str, prefix: str) -> Position:
    """Where a commit stands."""
    versions = known(git.tags(repository, commit), prefix)
    newest = versions[0] if versions else None
    distance = git.commits_since(repository, f"{prefix}{newest}" if newest else None, commit)
    return Position(newest, distance, commit)


def version(at: Position, changed: str | None = None) -> str:
    """The version at a position.

    On a version tag, that version. After it, a development version before the next patch:
    ``1.2.4-dev.3+gabc1234``. ``changed``: the digest of content that no commit has; it is named, and takes the
    version off the tag: ``1.2.4-dev.0+gabc1234.dirty.0a1b2c3d``.
    """
    if at.newest and at.distance == 0 and changed is None:
        return str(at.newest)
    origin = f"g{at.commit[:7]}" + (f".dirty.{changed[:8]}" if changed else "")
    return f"{_coming(at.newest)}dev.{at.distance}+{origin}"


def _coming(newest: Version | None) -> str:
    """The beginning of development versions after ``newest``: above it, and below whatever may come next."""
    if newest is None:
        return "0.0.0-"
    if newest.prerelease:  # 1.3.0-rc.1.dev.2 is above 1.3.0-rc.1; 1.3.0-dev.2 would be below
        return f"{newest}."
    return f"{newest.bump_patch()}-"


def following(current: Version | None, bump: str, word: str | None = None) -> Version:
    """The version after ``current`` (``None``: there is none yet). ``word``: a pre-release of it, such as ``rc``.

    A pre-release is finished by the part that it is a pre-release of: ``patch`` and ``minor`` make 1.2.0 of 1.2.0-rc.1,
    as ``Version.next_version`` does; ``Version.bump_minor`` would make 1.3.0. Raises ``UsageError`` for other words,
    ``GateRefused`` where the result would not be newer.
    """
    _check_words(bump, word)
    target = _target(current, bump)
    found = target if word is None else target.replace(prerelease=f"{word}.{_count(current, target, word)}")
    if current is not None and found <= current:
        raise GateRefused(
            f"{found} would sort before {current}, which is released",
            state="nothing was changed",
            do="choose another word for --pre, or raise another part",
        )
    return found


def _check_words(bump: str, word: str | None) -> None:
    if bump not in BUMPS:
        raise UsageError(f"what is raised is major, minor, patch or final, not {bump!r}")
    if word is None:
        return
    if bump == "final":
        raise UsageError("final ends pre-releases, and --pre makes one", do="say one of them")
    if not re.fullmatch(r"[A-Za-z][A-Za-z-]*", word) or word == "dev":
        why = "a development version is called so" if word == "dev" else "letters and - only; the number is counted"
        raise UsageError(f"--pre {word}: {why}", do="say --pre rc")


def _target(current: Version | None, bump: str) -> Version:
    """The final version that is meant."""
    if bump != "final":
        first = Version(1, 0, 0) if bump == "major" else FIRST
        return first if current is None else current.next_version(bump)
    if current is None or not current.prerelease:
        raise GateRefused(
            f"{current or 'nothing'} is no pre-release: there is none to finish",
            state="nothing was changed",
            do="say major, minor or patch",
        )
    return current.finalize_version()


def _count(current: Version | None, target: Version, word: str) -> int:
    """The number of the next pre-release of ``target`` with this word."""
    if current is None or not current.prerelease or current.finalize_version() != target:
        return 1
    found = re.fullmatch(rf"{re.escape(word)}\.(\d+)", current.prerelease)
    return int(found[1]) + 1 if found else 1
