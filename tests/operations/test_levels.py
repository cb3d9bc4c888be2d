"""Readings of the database and the hosts: read with every look, and in the way of nothing."""

from __future__ import annotations

from pathlib import Path

import memory

from deploytasks.errors import Unreachable
from deploytasks.operations import answers
from deploytasks.ports import NoData


def test_every_reading_has_them(tmp_path: Path) -> None:
    """As the metrics give them."""
    world = memory.world(tmp_path)
    memory.state_of(tmp_path).set(levels={"cpu": 0.9})
    assert {"cpu": 0.9} == world.observe(world.clock.now(), ()).levels


def test_silent_levels_leave_the_counts_alone(tmp_path: Path) -> None:
    """Whether they say so or raise: unknown, and the reading has its counts."""
    world = memory.world(tmp_path)
    memory.state_of(tmp_path).set(levels=None)
    reading = world.observe(world.clock.now(), ())
    assert NoData("the levels are silent") == reading.levels
    assert not isinstance(reading.totals, NoData)

    def unreachable() -> None:
        raise Unreachable("no answer")

    world.metrics.levels = unreachable  # type: ignore[assignment,method-assign]  # a provider that raises
    assert NoData("no answer") == world.observe(world.clock.now(), ()).levels


def test_status_shows_them_with_their_limits(tmp_path: Path) -> None:
    """The configured limits; nothing without levels; why, when they are unknown."""
    world = memory.world(tmp_path, warn_when={"cpu": "60%"})
    assert {} == answers.status(world)["levels"]
    memory.state_of(tmp_path).set(levels={"cpu": 0.9})
    assert {"cpu": {"value": 0.9, "warns_above": 0.6}} == answers.status(world)["levels"]
    memory.state_of(tmp_path).set(levels=None)
    assert {"unreadable": "the levels are silent"} == answers.status(world)["levels"]
