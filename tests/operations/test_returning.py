"""The way back, where it meets a deployer that is still at work."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import memory
import pytest
from invoke import Config, Context

from deploytasks.errors import PartlyKnown, Unreachable, WayBackFailed
from deploytasks.operations import returning
from deploytasks.ports import Call, Split

MIXED = Split.partly_on("green", 25, "blue", "deploy:20261123-101500-ab12cd")


@pytest.fixture
def world(tmp_path: Path) -> Any:
    """Halfway through a deployment; of its settings, only what every rollback asks for."""
    found = memory.world(tmp_path, poll="7s")
    state = memory.state_of(tmp_path)
    state.write({**state.read(), "split": list(MIXED)})
    sections = {name: value for name, value in found.settings.sections.items() if name != "rollout"}
    found.settings = replace(found.settings, sections=sections)
    return found


def test_looks_again_after_two_polls(world: Any, tmp_path: Path) -> None:
    """As long as the settings say, which are read when a deployer may be at work, and not before."""
    deploy = {"application": "library", "environments": {"test": {"poll": "7s", "watch": "70s"}}}
    world.site = world.site._replace(context=Context(Config(overrides={"deploy": deploy})))

    returned = returning.roll_back(world, to="blue", force=True)

    assert returned.after == world.traffic.read()
    assert 14 == world.clock.elapsed()


def test_goes_home_by_what_the_other_balancers_say(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """One balancer is silent: the way back that the others know is taken, and not refused."""
    seen = iter([PartlyKnown("lb2 is silent", split=MIXED)])
    read = world.traffic.read
    monkeypatch.setattr(world.traffic, "read", lambda: _raised(next(seen, None)) or read())

    assert (100, 0) == returning.roll_back(world, force=True).after[:2]


def test_a_balancer_that_is_silent_is_never_said_to_be_home(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The others are home since a first rollback. A second one writes everywhere again, instead of doing nothing."""
    home = Split.all_on("blue", None, "back:rollback-00000000")
    seen = iter([PartlyKnown("lb2 is silent", split=home)])
    read = world.traffic.read
    monkeypatch.setattr(world.traffic, "read", lambda: _raised(next(seen, None)) or read())

    returned = returning.roll_back(world, force=True)

    assert (True, (100, 0)) == (returned.changed, read()[:2])


def test_tells_which_balancers_took_the_way_back(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of several, some may have taken it: whoever must act by hand need not guess which."""

    def shift(to: Split, expect: Split | None = None) -> Call:
        return Call("", lambda _: _raised(Unreachable("lb2 is silent", state="lb1 has it")))

    monkeypatch.setattr(world.traffic, "shift", shift)
    with pytest.raises(WayBackFailed) as caught:
        returning.roll_back(world, force=True)
    assert "lb1 has it" in caught.value.state


def test_goes_where_it_is_told_when_nobody_says_where_traffic_is(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is known: without a color it is refused, with one it is written."""
    read = world.traffic.read
    seen = iter([PartlyKnown("forgotten", split=None), PartlyKnown("forgotten", split=None)])
    monkeypatch.setattr(world.traffic, "read", lambda: _raised(next(seen, None)) or read())

    with pytest.raises(Unreachable, match="forgotten"):
        returning.roll_back(world, force=True)
    assert (100, 0) == returning.roll_back(world, to="blue", force=True).after[:2]


def _raised(error: Exception | None) -> None:
    if error is not None:
        raise error


def test_looks_again_after_two_default_polls_when_the_settings_are_wrong(world: Any, tmp_path: Path) -> None:
    """A mistake about the stages does not keep traffic from going home, nor from being looked after."""
    deploy = {"application": "library", "environments": {"test": {"stages": [75, 10]}}}
    world.site = world.site._replace(context=Context(Config(overrides={"deploy": deploy})))

    returned = returning.roll_back(world, to="blue", force=True)

    assert returned.after == world.traffic.read()
    assert 30 == world.clock.elapsed()
