"""Requests that are open get to end before what serves them is stopped."""

from __future__ import annotations

from pathlib import Path

import memory
import pytest
import stories

from deploytasks import plans
from deploytasks.errors import TakenBack, Unreachable
from deploytasks.operations.carrying_out import carry_out
from deploytasks.ports import Color
from deploytasks.world import World


def with_open_requests(folder: Path, world: World, seconds: float) -> list[tuple[float, Color]]:
    """Each color's requests end so many seconds after they are first counted; returns when somebody counted."""
    asked: list[tuple[float, Color]] = []
    began: dict[Color, float] = {}

    def drained(color: Color) -> int:
        now = world.clock.elapsed()
        asked.append((now, color))
        began.setdefault(color, now)
        return int(now - began[color] < seconds)

    world.traffic.drained = drained  # type: ignore[attr-defined]  # a balancer that counts
    return asked


@pytest.fixture
def live(tmp_path: Path) -> Path:
    """1.1.0 is live on green, 1.0.0 the way back."""
    stories.deploy(stories.world(tmp_path), "1.0.0")
    stories.deploy(stories.world(tmp_path), "1.1.0")
    return tmp_path


@pytest.mark.parametrize(("open_for", "waited"), [(0.0, 0.0), (4.0, 4.0), (500.0, 30.0)])
def test_retiring_waits_for_the_last_request(live: Path, open_for: float, waited: float) -> None:
    """As long as it takes, and no longer than configured."""
    world = stories.world(live)
    asked = with_open_requests(live, world, open_for)
    began = world.clock.elapsed()
    carry_out(world, plans.retire, task="retire")

    assert {"blue"} == {color for _, color in asked}
    assert waited <= world.clock.elapsed() - began < waited + 0.5
    assert "stop blue" in memory.state_of(live).read()["log"]


def test_what_runs_is_drained_before_it_is_replaced_and_before_it_is_taken_back(live: Path) -> None:
    """Going there before the old release is stopped, coming back before the new one is."""
    memory.state_of(live).set(errors={"blue": 0.5})
    world = stories.world(live)
    asked = with_open_requests(live, world, 4.0)
    with pytest.raises(TakenBack):
        stories.deploy(world, "1.2.0")
    assert {"blue"} == {color for _, color in asked}
    events = [event.facts for event in world.ledger.events() if event.kind == "began"]
    assert "blue" == events[-1]["color"]


def test_a_balancer_that_cannot_say_holds_nobody_up(live: Path) -> None:
    """It is silent: the color is stopped."""

    def drained(color: Color) -> int:
        raise Unreachable("no answer")

    world = stories.world(live)
    world.traffic.drained = drained  # type: ignore[attr-defined]  # a balancer that counts
    began = world.clock.elapsed()
    carry_out(world, plans.retire, task="retire")
    assert world.clock.elapsed() - began < 1
    assert "stop blue" in memory.state_of(live).read()["log"]


def test_a_plan_says_that_it_waits(live: Path) -> None:
    """Between the signature and the stop."""
    world = stories.world(live)
    with_open_requests(live, world, 1.0)
    (step,) = plans.retire(world.settings, world.situation(), "d").steps
    texts = [call.text for batch in step.calls(world) for call in batch]
    assert "wait until no request to blue is open, at most 30 s" == texts[1]
