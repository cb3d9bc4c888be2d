"""A color gets its first traffic once the balancer itself finds it healthy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import Unreachable

if TYPE_CHECKING:
    from ..ports import Color
    from ..world import World

_LOOK = 1.0
"""Seconds between two looks."""


def found_healthy(world: World, color: Color) -> None:
    """Wait until the balancer's own checks find a color, where it has some. Meanwhile the lease and the dead-man's
    switch are looked after. Raises ``Unreachable`` when it does not in the time that the balancer is given."""
    ask = getattr(world.traffic, "targets", None)
    if ask is None:
        return
    until = world.clock.elapsed() + float(getattr(world.traffic, "up_within", 0.0))
    while not (found := ask(color)).healthy:
        if world.clock.elapsed() >= until:
            raise Unreachable(
                f"the balancer does not find {color} healthy: {found.detail}",
                do="check what it asks for, and what answers there",
            )
        world.wait(_LOOK)
