"""A deployment as the ledger has it: its plan, and how far it came."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from ..engine.plan import Plan, from_json
from ..engine.progress import Progress, progress
from ..errors import GateRefused
from ..pseudonyms import unveiled

if TYPE_CHECKING:
    from ..world import World


class UnreadablePlan(GateRefused):
    """A deployment was recorded by a version of this toolkit whose steps this one does not know."""

    def __init__(self, deployment: str, error: Exception) -> None:
        super().__init__(
            f"the plan of {deployment} cannot be read here ({type(error).__name__}: {error})",
            state="nothing was changed",
            do="`inv resume` with the version of deploytasks that began it",
        )
        self.deployment = deployment


class Recorded(NamedTuple):
    """A recorded deployment and how far it came."""

    plan: Plan
    past: Progress
    number: int
    """Of the event with which it began."""


def recorded(world: World, *, held: bool = False) -> Recorded | None:
    """The open deployment of the ledger; with ``held``, the last one when it can be gone on with: it was held for want
    of evidence, or hosts failed."""
    standing = world.ledger.head().standing
    if standing.open is not None:
        deployment, number = standing.open.deployment, standing.open.number
    elif held and standing.recent and (standing.recent[-1].resumable or standing.recent[-1].outcome == "held"):
        deployment, number = standing.recent[-1].deployment, standing.recent[-1].number
    else:
        return None
    return read(world, deployment, number)


def read(world: World, deployment: str, number: int) -> Recorded:
    """The deployment that began with event ``number``. Raises ``UnreadablePlan``."""
    from ..steps import KINDS

    events = tuple(world.ledger.events(after=number - 1))
    try:
        plan = from_json(cast("Mapping[str, Any]", unveiled(events[0].facts["plan"], world.site.root)), KINDS)
    except (LookupError, TypeError, ValueError) as error:
        raise UnreadablePlan(deployment, error) from error
    return Recorded(plan, progress(deployment, events), number)
