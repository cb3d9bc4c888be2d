"""Whether what is deployed is what the commit has, of which everything else on the checklist speaks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import UsageError
from .item import Found, Item

if TYPE_CHECKING:
    from ..ports import Release
    from .subject import Subject


def content_committed(of: Subject) -> Found:
    """What is deployed is what is committed; in production the content is made from the commit anew, and compared."""
    release, settings = of.release, of.world.settings
    if release is None:
        return Found("pass", "nothing chosen yet")
    if release.dirty:
        if settings.dirty and settings.level != "production":
            return Found("warn", "the work tree has changes that no commit has (allowed in this environment)")
        return Found("fail", "the work tree has changes that no commit has: commit or stash them")
    if settings.level != "production":
        return Found("pass", f"commit {release.commit[:12]}")
    return _compared(of, release)


def _compared(of: Subject, release: Release) -> Found:
    """An archive says itself which commit it was made from, and so does the ledger: neither is believed."""
    from ..release import artifact, branches

    if not branches.is_commit(release.commit):
        return Found("fail", f"nobody knows which commit {release.version} was made from")
    commit = release.commit[:12]
    try:
        digest = artifact.digest_of_commit(of.world.site.root, of.world.settings.source, release.commit)
    except UsageError as error:
        return Found("fail", f"{release.version} cannot be compared with commit {commit}: {error.what}: `git fetch`")
    if digest == release.digest:
        return Found("pass", f"commit {commit} has exactly this content")
    what = f"{release.version} is said to be commit {commit}, which has another content"
    return Found("fail", f"{what} ({digest[:12]}, this one is {release.digest[:12]}): build it from the commit")


COMMITTED = Item(
    "code.committed", "What is deployed is exactly what is committed", content_committed, "development", critical=True
)
