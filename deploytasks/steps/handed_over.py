"""A rollout that the platform makes by itself: it pauses before each step, and goes on when we have judged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from ..engine.step import Step
from ..ports import Color, HandedTraffic, HandingFleet, Split
from .install import has_traffic
from .roll_out import RollOut

if TYPE_CHECKING:
    from ..ports import Calls, Event, Reading
    from ..world import World
    from .roll_out import Silence


@dataclass(frozen=True)
class Begin(Step):
    """Hand a color's release over; done when it runs, is healthy, and waits before its first step."""

    name = "begin"
    deadline = 7200.0

    color: Color
    stages: tuple[int, ...]
    patience: float
    """Seconds that a pause waits for an answer, before the platform takes the release back without anybody's help."""

    def calls(self, world: World) -> Calls:
        """One call."""
        return cast("HandingFleet", world.fleet).begin(self.color, self.stages, self.patience)

    def settled(self, world: World) -> bool:
        """It runs, and its health page says so."""
        found = world.fleet.installed(self.color)
        return found is not None and found.running and world.fleet.health(self.color).healthy

    def undo(self, world: World) -> Calls:
        """Have it taken back; never while it has traffic."""
        return () if has_traffic(world, self.color) else world.fleet.stop(self.color)


@dataclass(frozen=True)
class HandOver(RollOut):
    """Judge at each pause, and release it or have the platform take the release back.

    The fold is that of ``RollOut``, and so is what is recorded: only the hands are the platform's. A resumption finds
    what is under way by what it was given, and begins anew what was taken back meanwhile.
    """

    name = "hand over"
    deadline = 3600.0

    stages: tuple[int, ...] = ()
    patience: float = 0.0

    def do(self, world: World, past: Sequence[Event]) -> None:
        """Begin what is not under way any more; then judge, pause by pause."""
        fleet, traffic = cast("HandingFleet", world.whole_fleet), cast("HandedTraffic", world.traffic)
        world.perform(fleet.begin(self.rules.target, self.stages, self.patience), self.deadline)
        world.note("handed-over", to=traffic.handed(), color=self.rules.target)
        super().do(world, past)

    def _look(self, world: World, since: object, silence: Silence) -> tuple[Reading | None, Silence]:
        """First, whether it is still ours: the platform may have taken it back, or somebody else stopped it."""
        trouble = cast("HandedTraffic", world.traffic).trouble()
        if trouble is not None:
            raise trouble
        return super()._look(world, since, silence)

    def _shift(self, world: World, to: Split, seen: Split) -> None:
        """ECS takes its time: whoever wants it back does not wait for the next reading."""
        with world.orders.between_readings():
            super()._shift(world, to, seen)

    def _armed(self, world: World) -> Calls:
        """Nothing: a pause that nobody answers is the platform's own dead-man's switch."""
        return ()
