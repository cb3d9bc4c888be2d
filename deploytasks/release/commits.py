"""When commits were made, as far as the repository here knows them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from . import git

MOST = 10_000
"""Commits between two releases that are looked at."""


def committed(root: Path, commit: str) -> datetime | None:
    """When a commit was made (the committer's date, UTC); ``None``: it is not known here, nor is any repository."""
    if not is_name(commit):
        return None
    try:
        return _instant(git.line(root, "show", "--no-patch", "--format=%ct", f"{commit}^{{commit}}"))
    except git.GitRefused:
        return None


def between(root: Path, before: str, commit: str) -> Sequence[datetime] | None:
    """When each of the commits was made that a release brings and the one before had not, merges left out, the newest
    first. ``None``: one of both is not known here."""
    if not (is_name(before) and is_name(commit)):
        return None
    try:
        said = git.line(root, "log", "--no-merges", f"--max-count={MOST}", "--format=%ct", f"{before}..{commit}")
    except git.GitRefused:
        return None
    return [_instant(one) for one in said.split()]


def is_name(commit: str) -> bool:
    """Whether this can only be the name of a commit, and no option or range."""
    return 7 <= len(commit) <= 64 and all(letter in "0123456789abcdef" for letter in commit)


def _instant(seconds: str) -> datetime:
    return datetime.fromtimestamp(int(seconds), UTC)
