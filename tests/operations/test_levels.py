"""Readings of the database and the hosts: read with every look, and in the way of nothing."""

from __future__ import annotations

import json
from pathlib import Path

import memory
import pytest

from deploytasks.errors import Unreachable
from deploytasks.operations import answers, checking
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


@pytest.mark.parametrize("levels", [{"pool": 0.95}, None])
def test_a_check_shows_them_and_keeps_its_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], levels: dict[str, float] | None
) -> None:
    """`inv check-error-rate`: a busy database warns beside a good error rate; unknown levels are said to be so."""
    world = memory.world(tmp_path)
    memory.state_of(tmp_path).change(split=[100, 0, None, None])
    memory.state_of(tmp_path).set(levels=levels)
    monkeypatch.setattr(checking, "open_world", lambda *_, **__: world)
    checking.check(None, "test", "blue", "60s", measure="errors", json=True)  # type: ignore[arg-type]  # nobody looks at it
    said = capsys.readouterr()
    found = {verdict["metric"]: verdict["kind"] for verdict in json.loads(said.out)["verdicts"]}
    assert {"errors": "PASS", **({"pool": "WARN"} if levels else {})} == found
    assert ("database and hosts are unknown: the levels are silent" in said.err) == (levels is None)
