"""Which branch a commit comes from, and whether others can see it."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from ..errors import UsageError
from .item import Found, Item

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from .subject import Subject


def branch_allowed(of: Subject) -> Found:
    """A branch that may be deployed has the commit: one of this clone, or of the remote as it was fetched last."""
    patterns = of.gates.branches
    if not patterns:
        is_open = of.world.settings.level == "production"
        return Found(
            "warn" if is_open else "pass", "any branch: `gates.branches` names none, such as [main, release/*]"
        )
    looked = _repository_with(of)
    if isinstance(looked, Found):
        return looked
    from ..release import branches, git

    repository, commit = looked
    try:
        found = branches.containing(repository, commit)
    except git.GitRefused as error:
        return Found("fail", f"commit {commit[:12]} is not in this clone ({error.said}): `git fetch`")
    ours = [branch for branch in found if branch.remote in ("", of.gates.remote or branch.remote)]
    allowed = [str(branch) for branch in ours if _matches(branch.name, patterns)]
    if allowed:
        return Found("pass", f"{_listed(allowed)}: commit {commit[:12]} is on it")
    only = f"only {_listed(list(map(str, ours)))} has commit" if ours else "no branch has commit"
    cut = "; this clone is shallow and may not know: `git fetch --unshallow`" if git.is_shallow(repository) else ""
    return Found("fail", f"{only} {commit[:12]}; allowed: {', '.join(patterns)}{cut}")


def pushed(of: Subject) -> Found:
    """The remote has the commit, as it says itself now; on a branch that may be deployed, where these are named."""
    remote, patterns = of.gates.remote, of.gates.branches
    if remote is None:
        return Found("not applicable", "`gates.remote` is null")
    looked = _repository_with(of)
    if isinstance(looked, Found):
        return looked
    from ..release import branches, git

    repository, commit = looked
    if remote not in branches.remotes(repository):
        missing = f"git knows no remote {remote!r}: `git remote add {remote} …`, or name another in `gates.remote`"
        return Found("fail" if of.world.settings.level == "production" else "warn", missing)
    try:
        asked = branches.at_remote(
            repository, remote, commit, lambda name: not patterns or _matches(name, patterns), tags=not patterns
        )
    except git.GitRefused as error:
        return Found("fail", f"cannot be checked: {error.what}")
    if asked.found:
        return Found("pass", f"{remote} has commit {commit[:12]} on {asked.found}")
    where = f"on none of {', '.join(patterns)}" if patterns else "on no branch and no tag"
    unsure = f" ({asked.unsure})" if asked.unsure else ""
    return Found("fail", f"{remote} has commit {commit[:12]} {where}{unsure}: `git push`, or merge it")


def _repository_with(of: Subject) -> tuple[Path, str] | Found:
    """The top of the work tree and the commit; or why there is no answer."""
    from ..release import branches, git

    if of.release is None:
        return Found("pending", "no release yet")
    if not branches.is_commit(of.release.commit):
        return Found("fail", f"nobody knows which commit {of.release.version} was made from")
    try:
        return git.top(of.world.site.root), of.release.commit
    except UsageError as error:
        return Found("fail", f"cannot be checked: {error.what}")


def _matches(branch: str, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(branch, pattern) for pattern in patterns)


def _listed(names: Sequence[str], most: int = 3) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


ALLOWED = Item(
    "code.branch", "The branch may be deployed to this environment", branch_allowed, "staging", critical=True
)
PUSHED = Item("code.pushed", "The commit is on the remote", pushed, "staging", asks="git", critical=True)
