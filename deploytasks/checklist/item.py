"""What a checklist item is, and what checking it returns."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal, NamedTuple

from ..errors import DeployError, HostsDown, UsageError

if TYPE_CHECKING:
    from ..ports import Release
    from ..world import World

Answer = Literal["pass", "warn", "fail", "pending", "not applicable"]


class Found(NamedTuple):
    """What a check found: the answer and the evidence for it."""

    answer: Answer
    evidence: str


class Result(NamedTuple):
    """An item with what its check found."""

    item: str
    text: str
    answer: Answer
    evidence: str


class Item(NamedTuple):
    """One line of the checklist."""

    id: str
    text: str
    check: Callable[[World, Release | None], Found]

    def evaluate(self, world: World, release: Release | None) -> Result:
        """Run the check. What cannot be checked is a failure that says why.

        Raises ``UsageError`` for what is configured wrong and ``HostsDown`` for hosts that are silent: each says by
        itself what to do, and is no refusal.
        """
        try:
            found = self.check(world, release)
        except (UsageError, HostsDown):
            raise
        except DeployError as error:
            found = Found("fail", f"cannot be checked: {error.what}")
        return Result(self.id, self.text, found.answer, found.evidence)
