"""Which version a commit has. The newest version tag in its history decides (https://semver.org).

Newest by precedence and not by date or by ``git describe``, which picks any of several tags on one commit.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from semver import Version

from . import git


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
