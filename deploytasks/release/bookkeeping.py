"""Commits that only write a release down: the changelog, and the version where it stands.

``inv create-release`` makes one on top of what it releases. It brings no change that anybody could review; the change
is what it stands on.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ..errors import GateRefused
from . import git
from .edits import with_version

if TYPE_CHECKING:
    from ..settings.release import Release as Rules

MOST = 10
"""So many of them may stand on top of each other."""
FILES = frozenset({"100644", "100755"})
"""Modes of plain files; a link is none."""


class _Change(NamedTuple):
    """A changed file, relative to the top."""

    path: str
    modes: tuple[str, str]
    blobs: tuple[str, str]


def released(project: Path, commit: str, rules: Rules) -> str:
    """The newest commit, from ``commit`` on backwards, that does more than to write a release down.

    By content alone, whatever a message says. A history that is not here, or is cut off, leaves ``commit``.
    """
    found = commit
    try:
        prefix = git.line(project, "rev-parse", "--show-prefix")
        for _ in range(MOST):
            parents = git.line(project, "rev-list", "--parents", "-n", "1", f"{found}^0").split()[1:]
            if len(parents) != 1 or not _only_writes_it_down(project, prefix, parents[0], found, rules):
                return found
            found = parents[0]
    except git.GitRefused:
        return commit
    return commit


def _only_writes_it_down(project: Path, prefix: str, before: str, after: str, rules: Rules) -> bool:
    changes = _changes(project, before, after)
    return bool(changes) and all(_is_harmless(project, change, prefix, rules) for change in changes)


def _changes(project: Path, before: str, after: str) -> list[_Change]:
    told = git.items(project, "diff-tree", "-r", "-z", "--raw", "--no-renames", "--no-abbrev", before, after)
    lines = [line.removeprefix(":").split() for line in told[::2]]
    return [_Change(path, (line[0], line[1]), (line[2], line[3])) for line, path in zip(lines, told[1::2], strict=True)]


def _is_harmless(project: Path, change: _Change, prefix: str, rules: Rules) -> bool:
    """The changelog is for people. Elsewhere nothing may differ but the version, in the lines that are configured."""
    if change.modes[0] != change.modes[1] or change.modes[0] not in FILES or not change.path.startswith(prefix):
        return False
    path = change.path.removeprefix(prefix)
    if path == rules.changelog:
        return True
    patterns = [one.pattern for one in rules.version_files if one.file == path]
    if not patterns:
        return False
    before, after = (git.ask(project, "cat-file", "blob", blob) for blob in change.blobs)
    try:
        for pattern in patterns:
            before, after = (with_version(text, pattern, "0.0.0", path) for text in (before, after))
    except GateRefused:
        return False
    return before == after
