"""The checkout that a release is cut from, and whether one may be cut there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from ..errors import GateRefused
from . import git

_UNFINISHED = {
    "rebase-merge": "a rebase",
    "rebase-apply": "a rebase",
    "MERGE_HEAD": "a merge",
    "CHERRY_PICK_HEAD": "a cherry-pick",
    "REVERT_HEAD": "a revert",
    "BISECT_LOG": "a bisection",
}
"""File in the git folder → what has been begun and not ended."""


@dataclass(frozen=True)
class Checkout:
    """A work tree on a branch. ``git_dir``: its own git folder, which linked work trees do not share."""

    top: Path
    git_dir: Path
    branch: str
    head: str

    @property
    def ref(self) -> str:
        """The full name of the branch."""
        return f"refs/heads/{self.branch}"


def git_dir_of(folder: Path) -> tuple[Path, Path]:
    """The top of the work tree and its git folder."""
    top = git.top(folder)
    return top, Path(git.line(top, "rev-parse", "--absolute-git-dir"))


def look(folder: Path, branches: Sequence[str]) -> Checkout:
    """The checkout. Raises ``GateRefused`` where no release can be cut: in the middle of a merge, without a branch or
    on one that is not among ``branches`` (shell patterns; none: any), or where history is cut off."""
    top, git_dir = git_dir_of(folder)
    _refuse_unfinished(top, git_dir)
    branch = branch_of(top)
    if branch is None:
        raise refused("no branch is checked out (detached HEAD)", "git switch BRANCH")
    if branches and not any(fnmatchcase(branch, pattern) for pattern in branches):
        raise refused(
            f"no release is cut from the branch {branch}: allowed are {', '.join(branches)}",
            "git switch to one of them, or add it to deploy.release.branch",
        )
    found = Checkout(top, git_dir, branch, git.head(top))
    if git.is_shallow(top):
        raise refused(
            "this clone is shallow: the tags of earlier versions may be missing", "git fetch --unshallow --tags"
        )
    return found


def branch_of(top: Path) -> str | None:
    """The branch that is checked out, without ``refs/heads/``."""
    try:
        return git.line(top, "symbolic-ref", "--quiet", "HEAD").removeprefix("refs/heads/")
    except git.GitRefused:
        return None


def _refuse_unfinished(top: Path, git_dir: Path) -> None:
    for name, what in _UNFINISHED.items():
        if (git_dir / name).exists():
            raise refused(f"{what} is in progress in {top}", "finish or abort it; `git status` says how")


def refuse_dirty(at: Checkout, exclude: Sequence[str] = ()) -> None:
    """Raise ``GateRefused`` when the work tree or the index has what the commit does not; untracked files count."""
    changed = git.changed(at.top, exclude=exclude)
    if changed:
        raise refused(
            f"the work tree has changes that no commit has: {git.named(changed)}",
            "commit them, or put them aside: git stash --include-untracked",
        )


def refused(what: str, do: str) -> GateRefused:
    """A refusal; nothing was changed."""
    return GateRefused(what, state="nothing was changed", do=do)
