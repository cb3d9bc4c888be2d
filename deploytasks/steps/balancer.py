"""What happens at the balancer before any traffic moves: it runs, it is claimed, the switch is armed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..engine.step import Step
from ..errors import DeployError, Unreachable
from ..ports import Split

if TYPE_CHECKING:
    from ..ports import Calls, Event
    from ..world import World


def written(world: World, to: Split, expect: Split | None = None) -> Calls:
    """The write that makes the split ``to``; none when it is that already."""
    return () if world.traffic.at_rest() == to else [[world.traffic.shift(to, expect=expect)]]


@dataclass(frozen=True)
class Prepare(Step):
    """Have the balancer running as configured; nothing to do when it is not ours, or runs already."""

    name = "prepare the balancer"
    deadline = 30.0

    def calls(self, world: World) -> Calls:
        """Whatever the balancer says it lacks."""
        return world.traffic.prepare()

    def do(self, world: World, past: Sequence[Event]) -> None:
        """Prepare it. One that does not come up is as it was before: nothing was written that could be taken back."""
        had_written = world.has_written
        try:
            super().do(world, past)
        except DeployError:
            world.has_written = had_written
            raise


@dataclass(frozen=True)
class Claim(Step):
    """Sign the split, and close the way back before the color it leads to is changed.

    Without it, a rollback during an installation would send everybody to a half-installed release.
    """

    name = "claim the balancer"
    deadline = 15.0
    starts_over = True

    before: Split
    deployment: str

    @property
    def claimed(self) -> Split:
        """The same weights, signed by this deployment: the way back leads to where traffic is, and stops it."""
        return self.before._replace(way_back=self.before.live, writer=f"deploy:{self.deployment}")

    def calls(self, world: World) -> Calls:
        """One write; refused when the split is neither the one that was planned from nor one of ours."""
        now = world.traffic.at_rest()  # a plan is also shown where no balancer runs yet
        if self._is_claimed(now):
            return ()
        taken_home = now.writer in (f"back:{self.deployment}", f"deadman:{self.deployment}")
        is_ours = taken_home or now == self.before._replace(way_back=None)  # as our own undo may have left it
        return [[world.traffic.shift(self.claimed, expect=now if is_ours else self.before)]]

    def do(self, world: World, past: Sequence[Event]) -> None:
        """Sign it; from then on, a split that somebody else signed stops this deployment before its next write."""
        super().do(world, past)
        world.has_claimed = True

    def settled(self, world: World) -> bool:
        """The split bears our signature."""
        return self._is_claimed(world.traffic.read())

    def _is_claimed(self, split: Split) -> bool:
        """Whatever its weights: a resumed deployment may have shifted already."""
        return split.writer == self.claimed.writer

    def undo(self, world: World) -> Calls:
        """As it was, unless somebody wrote since, or traffic was taken home: then no way back is open."""
        if not self._is_claimed(world.traffic.read()):
            return ()
        before = self.before
        if before.way_back and not world.fleet.health(before.way_back).is_usable:
            before = before._replace(way_back=None)  # what stood there could not be brought back
        return [[world.traffic.shift(before)]]


@dataclass(frozen=True)
class LetGo(Step):
    """The end of a change that moves no traffic: the claim is over, and no way back leads to what was replaced."""

    name = "let go of the balancer"
    deadline = 15.0
    seals = True

    before: Split
    deployment: str

    @property
    def split(self) -> Split:
        """The same weights; whoever reads them finds nobody at work."""
        return self.before._replace(way_back=None, writer=f"retired:{self.deployment}")

    def calls(self, world: World) -> Calls:
        """One write; refused when somebody sent traffic elsewhere meanwhile."""
        return written(world, self.split, expect=Claim(self.before, self.deployment).claimed)

    def settled(self, world: World) -> bool:
        """Read back."""
        return world.traffic.read() == self.split


@dataclass(frozen=True)
class Arm(Step):
    """Arm the dead-man's switch: if this deployer dies, traffic goes home by itself."""

    name = "arm the dead-man's switch"
    deadline = 15.0
    exposes = True
    starts_over = True

    home: Split
    deployment: str

    def calls(self, world: World) -> Calls:
        """One call, if the environment has a switch."""
        return [[world.deadman.arm(self.deployment, self.home)]] if world.deadman else ()

    def settled(self, world: World) -> bool:
        """The switch says that it is armed."""
        return world.deadman is None or world.deadman.state().armed

    def undo(self, world: World) -> Calls:
        """Disarm it, once traffic is home. Where that failed, the switch is who goes on trying: ``Unreachable``."""
        if world.deadman is None:
            return ()
        if self._is_out(world):
            raise Unreachable("stays armed, and goes on trying to take traffic home")
        return [[world.deadman.disarm()]]

    def _is_out(self, world: World) -> bool:
        """Whether traffic may still be where this deployment sent it."""
        try:
            split = world.traffic.at_rest()
        except Unreachable:
            return True
        is_home = (split.blue, split.green) == (self.home.blue, self.home.green)
        return split.writer == f"deploy:{self.deployment}" and not is_home


@dataclass(frozen=True)
class Disarm(Step):
    """Disarm the switch at the good end of a rollout that does not settle: traffic is home by then."""

    name = "disarm the dead-man's switch"
    deadline = 15.0

    def calls(self, world: World) -> Calls:
        """One call, if the environment has a switch."""
        return [[world.deadman.disarm()]] if world.deadman else ()

    def settled(self, world: World) -> bool:
        """The switch says that it is off."""
        return world.deadman is None or not world.deadman.state().armed
