"""Bring a release to the idle color, start it there, and clear away what is too old to go back to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..engine.step import Step
from ..ports import Color, Json, Release
from .draining import drained

if TYPE_CHECKING:
    from ..ports import Calls, Event, Fleet
    from ..world import World


def has_traffic(world: World, color: Color) -> bool:
    """Whether users are on a color now: what nobody may stop or replace."""
    return world.traffic.read().share(color) > 0


@dataclass(frozen=True)
class Install(Step):
    """Unpack a release on a color and make it the current one, without restarting anything."""

    name = "install"
    deadline = 600.0

    release: Release
    color: Color
    before: str | None
    """The release folder that the color had."""
    before_ran: bool
    deployment: str

    def calls(self, world: World) -> Calls:
        """Put, verify, unpack, switch."""
        return world.fleet.install(self.release, self.color)

    def settled(self, world: World) -> bool:
        """The color's current release has the digest of ours."""
        found = world.fleet.installed(self.color)
        return found is not None and found.digest == self.release.digest

    def do(self, world: World, past: Sequence[Event]) -> None:
        """Go on without hosts that fail, if the fleet allows some."""
        world.perform(self.calls(world), self.deadline, color=self.color)

    def undo(self, world: World) -> Calls:
        """The release from before, running again if it ran; nothing while the color has traffic."""
        if has_traffic(world, self.color):
            return ()
        back = world.fleet.switch(self.color, self.before)
        if not (self.before and self.before_ran):
            return back
        return [*back, *drained(world, self.color), *world.fleet.start(self.color, as_before=True)]

    def outcome(self, world: World) -> Mapping[str, Mapping[str, Json]]:
        """An ``installed`` event."""
        of = self.release
        facts = {"color": self.color, "version": of.version, "release": of.name, "digest": of.digest}
        return {"installed": {**facts, "commit": of.commit}}


@dataclass(frozen=True)
class Start(Step):
    """Start the color's current release and wait until it is healthy."""

    name = "start"
    deadline = 120.0

    color: Color
    hosts: tuple[str, ...] = ()
    """Only these: the color has users, and its other hosts serve them already."""

    @property
    def label(self) -> str:
        """``start blue``."""
        return f"start {self.color}"

    def calls(self, world: World) -> Calls:
        """Stop what still runs there from before, once it is drained; start, wait for health."""
        drain = () if self.hosts else drained(world, self.color)
        return [*drain, *self._fleet(world).start(self.color, as_before=bool(self.hosts))]

    def _fleet(self, world: World) -> Fleet:
        return world.fleet.only(self.hosts) if self.hosts else world.fleet

    def do(self, world: World, past: Sequence[Event]) -> None:
        """Go on without hosts that fail, if the fleet allows some."""
        world.perform(self.calls(world), self.deadline, color=self.color)

    def settled(self, world: World) -> bool:
        """It runs, and its health page says so."""
        found = self._fleet(world).installed(self.color)
        return found is not None and found.running and self._fleet(world).health(self.color).healthy

    def undo(self, world: World) -> Calls:
        """Stop it, once it is drained; never while it has traffic."""
        return () if has_traffic(world, self.color) else [*drained(world, self.color), *world.fleet.stop(self.color)]


@dataclass(frozen=True)
class Prune(Step):
    """Delete releases that are too old to go back to."""

    name = "prune old releases"

    keep: int
    spare: tuple[str, ...] = ()

    def calls(self, world: World) -> Calls:
        """All but the newest ``keep``."""
        return world.fleet.prune(self.keep, self.spare)
