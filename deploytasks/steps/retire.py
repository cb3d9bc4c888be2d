"""Give up the way back and stop the old color."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..engine.step import Step
from ..ports import Color, Json, Split
from .balancer import written
from .draining import drained, released

if TYPE_CHECKING:
    from ..ports import Calls
    from ..world import World


@dataclass(frozen=True)
class Retire(Step):
    """Close the way back on the balancer first, then stop what it led to."""

    name = "retire"
    deadline = 60.0

    color: Color
    """The color that is stopped."""
    before: Split
    deployment: str

    @property
    def split(self) -> Split:
        """The same weights, with no way back."""
        return self.before._replace(way_back=None, writer=f"retired:{self.deployment}")

    def calls(self, world: World) -> Calls:
        """Sign, wait for whoever is bound there, drain, stop."""
        signed = written(world, self.split, expect=self.before)
        left = [*released(world, self.color), *drained(world, self.color)]
        return [*signed, *left, *world.fleet.stop(self.color)]

    def settled(self, world: World) -> bool:
        """No way back, nothing running there."""
        found = world.fleet.installed(self.color)
        return world.traffic.read() == self.split and not (found and found.runs)

    def outcome(self, world: World) -> Mapping[str, Mapping[str, Json]]:
        """A ``retired`` event."""
        return {"retired": {"color": self.color}}
