"""Nothing is stopped under a user's hands: requests that are open get to end first, for a while."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from ..errors import Unreachable
from ..ports import Call, Calls, Color

if TYPE_CHECKING:
    from ..world import World

_LOOK = 0.2
"""Seconds between two looks."""


def drained(world: World, color: Color) -> Calls:
    """Wait until no request is open at a color that gets no new ones; none, where the balancer cannot count them."""
    count = getattr(world.traffic, "drained", None)
    within = float(getattr(world.settings.sections.get("fleet"), "drain_within", 0.0))
    if count is None or not within:
        return ()
    text = f"wait until no request to {color} is open, at most {within:g} s"
    return [[Call(text, partial(_wait, world, partial(count, color), within))]]


def released(world: World, color: Color) -> Calls:
    """Wait until no visitor is bound to a color any more; none, where the balancer binds nobody."""
    lingering = getattr(world.traffic, "lingering", None)
    seconds = lingering(color) if lingering is not None else 0.0
    if not seconds:
        return ()
    text = f"wait {seconds:.0f} s: until then the balancer may still send visitors to {color} that it bound there"
    return [[Call(text, lambda _: world.wait(seconds))]]


def _wait(world: World, count: Callable[[], int], within: float, timeout: float) -> None:
    """A balancer that does not say holds nobody up."""
    until = world.clock.elapsed() + min(within, timeout)
    with suppress(Unreachable):
        while count() and world.clock.elapsed() < until:
            world.wait(_LOOK)
