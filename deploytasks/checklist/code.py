"""Code quality and tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import evidence
from .branch import ALLOWED, PUSHED
from .committed import COMMITTED
from .governing import CONFIGURED
from .item import Answer, Found, Item
from .review import INTEGRATED, REVIEWED

if TYPE_CHECKING:
    from .subject import Subject


def tests_passed(of: Subject) -> Found:
    """The configured tests passed for exactly this content within a day."""
    world, release = of.world, of.release
    command = world.settings.tests
    if command is None:
        answer: Answer = "fail" if world.settings.level == "production" else "warn"
        return Found(answer, "no `deploy.tests` command is configured")
    if release is None:
        return Found("pending", "no release yet")
    found = evidence.fresh(of.standing, "tests", evidence.key(release.digest, command), world.clock.now())
    if found is None:
        return Found("pending", f"no run of `{command}` is recorded for {release.version} within 24 h: `inv test`")
    return Found("pass" if found.ok else "fail", f"{found.detail} ({found.who}, {found.at:%Y-%m-%d %H:%M} UTC)")


ITEMS = (
    COMMITTED,
    CONFIGURED,
    Item("code.tests", "All tests passed for this content", tests_passed, "development", critical=True),
    ALLOWED,
    PUSHED,
    REVIEWED,
    INTEGRATED,
)
