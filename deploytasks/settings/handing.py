"""From stages of ours to what ECS does by itself: equal steps, or one step and the rest. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal, NamedTuple

_LEAST = 3
"""Percent that a step of ``LINEAR`` has at least (API reference, LinearConfiguration)."""


class Handing(NamedTuple):
    """``percent``: of one step (LINEAR), or of the first (CANARY). ``stages``: what traffic goes through then."""

    strategy: Literal["BLUE_GREEN", "LINEAR", "CANARY"]
    percent: int
    stages: tuple[int, ...]


def nearest(stages: Sequence[int]) -> Handing:
    """As many steps as there are stages, all of one size: what comes nearest to them."""
    if len(stages) == 1:
        return Handing("BLUE_GREEN", 100, (100,))
    if len(stages) == 2:
        return Handing("CANARY", stages[0], (stages[0], 100))
    step = max(_LEAST, math.ceil(100 / len(stages)))
    return Handing("LINEAR", step, tuple(min(100, step * at) for at in range(1, math.ceil(100 / step) + 1)))


def explained(stages: Sequence[int]) -> str:
    """Where ECS goes other steps than were asked for: which, and why. Empty: the same."""
    given = nearest(stages)
    if given.stages == tuple(stages):
        return ""
    asked, gets = (", ".join(map(str, one)) for one in (stages, given.stages))
    return f"ECS shifts in equal steps: {gets} % instead of {asked} %"
