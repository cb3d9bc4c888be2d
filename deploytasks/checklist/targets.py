"""Enough hosts are healthy to serve users, and all of them can be reached."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from .item import Found

if TYPE_CHECKING:
    from ..ports import Color
    from ..world import World
    from .subject import Subject


def enough_are_healthy(of: Subject) -> Found:
    """Of the live color's hosts, as many as are needed; and no host of either color is silent.

    Raises ``HostsDown`` with the names of all that are.
    """
    world = of.world
    split = world.traffic.at_rest()
    if split.is_mixed:
        return Found("pending", f"traffic is at {split.weights()}: that is cleared up first")
    found = of.installed(split.live) if split.live else None
    _reach_others(world, split.live)
    if split.live is None:
        return Found("pass", f"nothing is live yet; {_reached(world)}")
    if found is not None and not found.runs:
        return Found("pending", f"{split.live} {found.version} does not run: the deployment starts it first")
    return _counted(world, split.live, least(of, split.live), _reached(world))


def _reach_others(world: World, live: Color | None) -> None:
    """Ask the hosts that do not have the live color. Raises ``HostsDown``."""
    fleet = world.fleet
    others = set(fleet.hosts()) - set(fleet.hosts(live) if live else ())
    if others:
        fleet.only(others).colors()


def _counted(world: World, live: Color, needed: int, reached: str) -> Found:
    health = world.fleet.health(live)
    asked = len(world.fleet.hosts(live))
    share = health.share if health.share is not None else float(health.healthy)
    healthy = round(share * asked)
    told = f"{healthy} of {_hosts(asked)} of {live} healthy, {needed} needed; {reached}"
    if healthy < asked:
        told = f"{told}: {health.detail}"
    return Found("fail" if healthy < needed else "warn" if healthy < asked else "pass", told)


def least(of: Subject, live: Color) -> int:
    """How many of the live color's hosts must be healthy.

    What is configured is a share, or a number, of all of them: it bounds how many may be left out, too.
    """
    world, given = of.world, of.gates.least_healthy
    if given is None:
        most = int(getattr(world.settings.sections.get("fleet"), "max_failures", 0))
        return max(1, len(world.fleet.hosts(live)) - most)
    if given.endswith("%"):
        return math.ceil(len(world.whole_fleet.hosts(live)) * float(given[:-1]) / 100 - 1e-9)
    return int(given)


def _reached(world: World) -> str:
    """That all others answer, and who was left out."""
    count = len(world.fleet.hosts())
    out = [f"{host} ({why})" for host, why in world.aside.items()]
    said = "the host answers" if count == 1 else f"all {count} hosts answer"
    return f"{said}; left out: {', '.join(out)}" if out else said


def _hosts(count: int) -> str:
    return "1 host" if count == 1 else f"{count} hosts"
