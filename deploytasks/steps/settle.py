"""The good end of a deployment: signed as settled, the way back open, the switch disarmed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from ..engine.step import Step
from ..ports import Color, Json, Release, Split, Unconditional
from .balancer import written

if TYPE_CHECKING:
    from ..ports import Calls
    from ..world import World


@dataclass(frozen=True)
class Settle(Step):
    """Leave the balancer with everything on the new color and the way back to the old one open."""

    name = "settle"
    deadline = 15.0
    seals = True

    color: Color
    way_back: Color | None
    keep: float
    """Seconds that the old color is kept."""
    release: Release
    deployment: str
    closes: bool = False
    """Whether the platform stops the old color now: then no way back stays open."""

    @property
    def split(self) -> Split:
        """How traffic stays."""
        return Split.all_on(self.color, self._open, f"settled:{self.deployment}")

    @property
    def _open(self) -> Color | None:
        return None if self.closes else self.way_back

    @property
    def before(self) -> Split:
        """How the rollout leaves it. Anything else is somebody's way back: it is not written over."""
        return Split.all_on(self.color, self.way_back, f"deploy:{self.deployment}")

    def calls(self, world: World) -> Calls:
        """Sign first, disarm then: a switch that fires in between finds a signature it does not obey.

        One that looks at no signature is disarmed first: should it fire all the same, nothing is signed over that.
        """
        disarm = [[world.deadman.disarm()]] if world.deadman else []
        sign = written(world, self.split, expect=self.before)
        return [*disarm, *sign] if isinstance(world.deadman, Unconditional) else [*sign, *disarm]

    def settled(self, world: World) -> bool:
        """Read back, and the switch is off."""
        return world.traffic.read() == self.split and not (world.deadman and world.deadman.state().armed)

    def outcome(self, world: World) -> Mapping[str, Mapping[str, Json]]:
        """A ``settled`` event with the end of the way back."""
        until = world.clock.now() + timedelta(seconds=self.keep)
        of = self.release
        facts: dict[str, Json] = {
            "color": self.color,
            "version": of.version,
            "release": of.name,
            "digest": of.digest,
            "commit": of.commit,
            "way_back": self._open,
            "way_back_until": until.isoformat() if self._open else None,
        }
        return {"settled": facts}
