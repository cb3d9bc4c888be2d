"""Infrastructure as code: what of it a release changes was reviewed, by the same rules as any change."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from ..errors import Unreachable, UsageError
from ..reviews import NoPull, NotTold
from .item import Found
from .reviewers import Told, told

if TYPE_CHECKING:
    from pathlib import Path

    from ..ledger.projections import Succeeded
    from ..ports import Release
    from .subject import Subject

MOST = 20
"""Commits whose reviews are asked for; who changes more looks at it as a whole."""
_SHOWN = 3


class Changed(NamedTuple):
    """What of the infrastructure differs from the live release's, and which commits changed it."""

    files: Sequence[str]
    commits: Sequence[str]

    def __str__(self) -> str:
        rest = len(self.files) - _SHOWN
        return ", ".join([*self.files[:_SHOWN], *([f"{rest} more"] if rest > 0 else [])])


def infrastructure_reviewed(of: Subject) -> Found:
    """Its files are those of the live release; or the reviews of what changed them cover them; or a person signs."""
    if not of.gates.infrastructure:
        return _sign("no `gates.infrastructure` names its files, such as terraform/**")
    if of.release is None:
        return Found("pending", "no release yet")
    if of.release.dirty:
        return _sign("the work tree has changes that no commit has: they cannot be compared")
    went_out = [known for known in of.standing.succeeded if known.commit]  # without what was taken back since
    if not went_out:
        return _sign("there is no live release to compare its files with")
    return _compared(of, of.release, went_out[-1])


def _compared(of: Subject, release: Release, live: Succeeded) -> Found:
    try:
        changed = _changed(of.world.site.root, of.gates.infrastructure, live.commit, release.commit)
    except UsageError as error:
        return _sign(f"its files cannot be compared with those of {live.version} ({live.commit[:12]}): {error.what}")
    if not changed.files:
        return Found("pass", f"its files are those of {live.version}, which is live")
    return _reviewed(of, changed)


def _changed(root: Path, patterns: Sequence[str], live: str, commit: str) -> Changed:
    """Raises ``UsageError`` when git does not know one of the commits, as in a clone that is cut off."""
    from ..release import git

    top = git.top(root)
    paths = [f":(top,glob){pattern}" for pattern in patterns]
    files = git.items(top, "diff", "--name-only", "--no-renames", "-z", live, commit, "--", *paths)
    commits = git.line(top, "log", "--format=%H", f"{live}..{commit}", "--", *paths).split() if files else []
    return Changed(files, commits)


def _reviewed(of: Subject, changed: Changed) -> Found:
    if of.world.reviews is None:
        return _sign(f"{changed} changed, and no `reviews:` section is configured")
    if not changed.commits or len(changed.commits) > MOST:
        how = f"by {len(changed.commits)} commits" if changed.commits else "by no commit of this release"
        return _sign(f"{changed} changed {how}")
    try:
        return _covered(of, changed, told(of, of.world.reviews))
    except NotTold as error:
        return _sign(f"{changed} changed, and nobody tells who approved it: {error.what}")
    except Unreachable as error:
        return Found("fail", f"unreachable: {error.what}; {changed} changed")


def _covered(of: Subject, changed: Changed, known: Told) -> Found:
    """Whether each commit that changed something came by a pull request with enough approvals."""
    needed = max(1, of.gates.approvals)
    names = []
    for commit in changed.commits:
        found = known.approvals(commit)
        if isinstance(found, NoPull):
            return _sign(f"{changed} changed; {found.why}")
        approved = [person.login for person in found.counted.approved]
        if found.counted.blocking or len(approved) < needed:
            return _sign(f"{changed} changed by {found.name}, which has {len(approved)} of {needed} approvals")
        if found.name not in names:
            names.append(found.name)
    return Found("pass", f"{changed} changed by {', '.join(names)}, approved by {needed} or more")


def _sign(why: str) -> Found:
    return Found("needs a signature", f"{why}: was the infrastructure reviewed?")
