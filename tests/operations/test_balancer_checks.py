"""A balancer that checks targets by itself, and binds visitors: its word counts beside the fleet's own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import memory
import pytest
import stories
from invoke import Context

from deploytasks import plans
from deploytasks.errors import DeployError, TakenBack, Unreachable
from deploytasks.observing import _both
from deploytasks.operations import rollback
from deploytasks.operations.carrying_out import carry_out
from deploytasks.ports import Color, Health
from deploytasks.world import World

ILL = Health(False, "0 of 2 targets healthy", 0.0)
WELL = Health(True, "2 of 2 targets healthy", 1.0)


def checked_by(world: World, targets: Callable[[Color], Health], up_within: float = 60.0) -> None:
    """Have a balancer that checks."""
    world.traffic.targets = targets  # type: ignore[attr-defined]
    world.traffic.up_within = up_within  # type: ignore[attr-defined]


@pytest.fixture
def live(tmp_path: Path) -> Path:
    """1.0.0 is live on blue."""
    stories.deploy(stories.world(tmp_path), "1.0.0")
    return tmp_path


def test_first_traffic_waits_until_the_balancer_finds_the_color(live: Path) -> None:
    """Twenty seconds after it was first asked; until then nothing is shifted there."""
    world = stories.world(live)
    asked: list[float] = []

    def targets(color: Color) -> Health:
        if color == "blue" or world.traffic.read().green:
            return WELL
        asked.append(world.clock.elapsed())
        return WELL if asked[-1] - asked[0] >= 20 else ILL

    checked_by(world, targets)
    stories.deploy(world, "1.1.0")
    assert asked[-1] - asked[0] >= 20
    assert stories.split(live).live == "green"


def test_a_color_that_is_never_found_gets_nothing(live: Path) -> None:
    """In the time that the balancer is given; what was begun is taken back."""
    world = stories.world(live)
    checked_by(world, lambda color: ILL if color == "green" else WELL, up_within=10)
    with pytest.raises(DeployError, match="does not find green healthy: 0 of 2 targets healthy") as caught:
        stories.deploy(world, "1.1.0")
    assert caught.value.exit_code == 4
    assert stories.split(live).live == "blue"
    assert not any("split 50" in line for line in memory.state_of(live).read()["log"])


def test_what_the_balancer_finds_ill_goes_home(live: Path) -> None:
    """The fleet's own page still answers; three looks in a row are enough."""
    world = stories.world(live)
    checked_by(world, lambda color: ILL if color == "green" and world.traffic.read().green else WELL)
    with pytest.raises(TakenBack, match="0 of 2 targets healthy"):
        stories.deploy(world, "1.1.0")
    assert stories.split(live).live == "blue"


def test_a_second_opinion_that_is_not_to_be_had_harms_nobody(live: Path) -> None:
    """The fleet's own word counts then."""
    world = stories.world(live)

    def targets(color: Color) -> Health:
        if world.traffic.read().green:
            raise Unreachable("health is unavailable")
        return WELL

    checked_by(world, targets)
    stories.deploy(world, "1.1.0")
    assert stories.split(live).live == "green"


@pytest.mark.parametrize(
    ("own", "other", "expected"),
    [
        (Health(True, "200"), WELL, Health(True, "200; 2 of 2 targets healthy", 1.0)),
        (Health(True, "200"), ILL, Health(False, "0 of 2 targets healthy", 0.0)),
        (Health(False, "500"), WELL, Health(False, "500", 1.0)),
        (Health(True, "3 of 4", 0.75), Health(True, "1 of 2", 0.5), Health(True, "3 of 4; 1 of 2", 0.5)),
        (Health(False, "500"), ILL, Health(False, "500; 0 of 2 targets healthy", 0.0)),
    ],
)
def test_two_opinions_are_one(own: Health, other: Health, expected: Health) -> None:
    """Healthy when both say so; the smaller share; and who says no, says why."""
    assert _both(own, other) == expected


@pytest.mark.parametrize("bound", [0.0, 90.0, 5000.0])
def test_retiring_waits_for_visitors_that_are_bound(live: Path, bound: float) -> None:
    """As long as that may be: longer than a step may otherwise take."""
    stories.deploy(stories.world(live), "1.1.0")
    world = stories.world(live)
    until = world.clock.elapsed() + bound
    world.traffic.lingering = lambda color: max(0.0, until - world.clock.elapsed())  # type: ignore[attr-defined]
    carry_out(world, plans.retire, task="retire")
    assert until <= world.clock.elapsed() < until + 5
    assert "stop blue" in memory.state_of(live).read()["log"]


def test_a_rollback_says_when_its_targets_are_ill(
    live: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It waits for nobody: traffic is home by then."""
    stories.deploy(stories.world(live), "1.1.0")
    world = stories.world(live)
    checked_by(world, lambda color: ILL)
    world.consent = True
    monkeypatch.setattr(rollback, "_opened", lambda *_, **__: (world, ""))
    options = {"preview": False, "consent": True, "database": False, "watch": False, "force": False}
    rollback.rollback(Context(), "test", "why not", to=None, **options)
    said = "".join(capsys.readouterr())
    assert "the balancer does not find blue healthy: 0 of 2 targets healthy" in said
    assert stories.split(live).live == "blue"
