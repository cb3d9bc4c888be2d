"""What becomes of hosts that a deployment goes on without, and of those that come back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..engine.step import Step
from ..ports import Color, Json, Release

if TYPE_CHECKING:
    from ..ports import Calls, Event, Fleet
    from ..world import World


@dataclass(frozen=True)
class LeaveOut(Step):
    """Stop what hosts that are left out still run of a color: it would serve an older release as if it were new."""

    name = "leave out hosts"
    deadline = 60.0

    hosts: Mapping[str, str]
    """Their names, and why."""
    color: Color

    def calls(self, world: World) -> Calls:
        """One call for each that is still left out."""
        return world.whole_fleet.only(self._out(world)).stop(self.color)

    def do(self, world: World, past: Sequence[Event]) -> None:
        """As far as they can be reached: most are left out because they cannot."""
        world.silence(self._out(world), self.color)

    def _out(self, world: World) -> list[str]:
        return [host for host in self.hosts if host in world.aside]


@dataclass(frozen=True)
class BringAlong(Step):
    """Install and start a release on hosts that were left out and are back. The others are not touched."""

    name = "bring hosts along"
    deadline = 600.0

    release: Release
    color: Color
    hosts: tuple[str, ...]
    must: bool = False
    """Whether it fails when one of them does. Otherwise those that do stay out, as before."""

    def _fleet(self, world: World) -> Fleet:
        return world.whole_fleet.only([host for host in self.hosts if host not in world.aside])

    def calls(self, world: World) -> Calls:
        """Install, then start, there."""
        fleet = self._fleet(world)
        return [*fleet.install(self.release, self.color), *fleet.start(self.color)]

    def do(self, world: World, past: Sequence[Event]) -> None:
        """A host that fails again is set aside again."""
        bearable = 0 if self.must else len(self.hosts)
        world.perform(self.calls(world), self.deadline, color=self.color, bearable=bearable)

    def settled(self, world: World) -> bool:
        """They have the release, run it, and are healthy."""
        if not self._fleet(world).hosts():
            return True
        found = self._fleet(world).installed(self.color)
        runs = found is not None and found.digest == self.release.digest and found.running
        return runs and self._fleet(world).health(self.color).healthy

    def undo(self, world: World) -> Calls:
        """They served nobody before, and must not serve half of it."""
        return self._fleet(world).stop(self.color)

    def outcome(self, world: World) -> Mapping[str, Mapping[str, Json]]:
        """A ``hosts-back`` event."""
        hosts = list(self._fleet(world).hosts())
        return {"hosts-back": {"hosts": hosts, "color": self.color, "release": self.release.name}} if hosts else {}
