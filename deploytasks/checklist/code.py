"""Code quality and tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import evidence
from .item import Found, Item

if TYPE_CHECKING:
    from ..ports import Release
    from ..world import World


def tests_passed(world: World, release: Release | None) -> Found:
    """The configured tests passed for exactly this content within a day."""
    command = world.settings.tests
    if command is None:
        return Found("warn", "no `deploy.tests` command is configured")
    if release is None:
        return Found("pending", "no release yet")
    found = evidence.fresh(
        world.ledger.head().standing, "tests", evidence.key(release.digest, command), world.clock.now()
    )
    if found is None:
        return Found("pending", f"no run of `{command}` is recorded for {release.version} within 24 h: `inv test`")
    return Found("pass" if found.ok else "fail", f"{found.detail} ({found.who}, {found.at:%Y-%m-%d %H:%M} UTC)")


def tree_clean(world: World, release: Release | None) -> Found:
    """What is deployed is what is committed."""
    if release is None or not release.dirty:
        return Found("pass", f"commit {release.commit[:12]}" if release else "nothing chosen yet")
    if world.settings.dirty:
        return Found("warn", "the work tree has changes that no commit has (allowed in this environment)")
    return Found("fail", "the work tree has changes that no commit has: commit or stash them")


ITEMS = (
    Item("code.committed", "What is deployed is exactly what is committed", tree_clean),
    Item("code.tests", "All tests passed for this content", tests_passed),
)
