"""What is taken back, and what is not, when the going is bad; and what that is called."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import memory
import pytest
import stories

from deploytasks import plans
from deploytasks.errors import DeployError, GateRefused, TakenBack, Unreachable, WayBackFailed
from deploytasks.operations.carrying_out import carry_out
from deploytasks.ports import Call, Color, Split
from deploytasks.steps import Prepare, Smoke
from deploytasks.world import World


@pytest.fixture
def live(tmp_path: Path) -> Path:
    """1.0.0 is live on blue."""
    stories.deploy(stories.world(tmp_path), "1.0.0")
    return tmp_path


def fail(timeout: float) -> None:
    raise Unreachable("it does not answer")


def test_failing_to_prune_gives_up_no_release(live: Path) -> None:
    """What is settled stays; that old releases are still there is told."""
    world = stories.world(live)
    world.fleet.prune = lambda keep, spare=(): [[Call("prune", fail)]]  # type: ignore[method-assign]  # a full host
    outcome = stories.deploy(world)

    assert 0 == outcome.code
    assert "prune old releases: it does not answer" in outcome.left[0]
    assert ("green", "settled") == (stories.split(live).live, stories.split(live).verb)


def test_a_deployment_that_died_after_settling_stays(live: Path) -> None:
    """The next task, whichever it is, closes the record and moves no traffic."""
    stories.killed(live, "step", step="prune old releases", state="began")
    carry_out(stories.world(live), partial(plans.back_up, who="ann"), task="backup-database")

    ended = memory.world(live).ledger.head().standing.recent[-2]
    assert ("green", "blue") == (stories.split(live).live, stories.split(live).way_back)
    assert (0, "1.1.0") == (ended.code, ended.version)


def test_the_switch_stays_armed_while_traffic_is_not_home(live: Path) -> None:
    """The way back failed: the switch is the only one left that goes on trying."""
    world = stories.world(
        live, stories.when("shifted", lambda world: memory.state_of(live).set(balancer_refuses=True, errors=BAD))
    )
    with pytest.raises(WayBackFailed) as caught:
        stories.deploy(world)

    assert stories.split(live).is_mixed
    assert memory.state_of(live).read()["armed"]
    assert "goes on trying" in caught.value.state


BAD = {"green": 0.5}


def test_a_balancer_that_does_not_say_where_traffic_is_is_written_to(live: Path) -> None:
    """Reading fails just then, writing does not: traffic goes home, code 4."""
    memory.state_of(live).set(errors=BAD)

    def fall_silent_once(world: World) -> None:
        real = world.traffic.at_rest

        def at_rest() -> Split:
            world.traffic.at_rest = real  # type: ignore[method-assign]  # as it was
            raise Unreachable("a moment of silence")

        world.traffic.at_rest = at_rest  # type: ignore[method-assign]  # silent once

    with pytest.raises(TakenBack):
        stories.deploy(stories.world(live, stories.when("reading", fall_silent_once, move="turn back")))
    assert ("blue", "back") == (stories.split(live).live, stories.split(live).verb)


def test_a_bug_in_one_undo_does_not_keep_the_others(live: Path) -> None:
    """Whatever a provider raises: the rest is undone, and the end is recorded."""
    memory.state_of(live).set(errors=BAD)
    world = stories.world(live)

    def stop(color: Color) -> object:
        raise ValueError("a bug")

    world.fleet.stop = stop  # type: ignore[assignment,method-assign]  # a provider with a bug
    with pytest.raises(TakenBack) as caught:
        stories.deploy(world)

    assert "start green: a bug" in caught.value.state
    assert memory.state_of(live).read()["colors"]["green"]["release"] is None
    assert memory.world(live).ledger.head().standing.open is None


def test_a_refusal_after_a_recovery_is_code_3(live: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was written to take a dead deployment back does not make a refused one a failed one."""
    stories.killed(live, "shifted")

    def refuse(*_: object) -> None:
        raise GateRefused("not today")

    monkeypatch.setattr(Prepare, "do", refuse)
    with pytest.raises(GateRefused):
        stories.deploy(stories.world(live), "1.2.0")


def test_a_first_deployment_that_cannot_arm_was_not_seen_by_anybody(tmp_path: Path) -> None:
    """No traffic had moved: code 4, no person is called."""
    world = stories.world(tmp_path)
    assert world.deadman is not None
    world.deadman.arm = lambda deployment, home: Call("arm", fail)  # type: ignore[method-assign]  # no switch
    with pytest.raises(DeployError) as caught:
        stories.deploy(world, "1.0.0")

    assert 4 == caught.value.exit_code


def test_the_switch_is_beaten_between_smoke_checks(live: Path) -> None:
    """Six slow checks take longer than the switch's grace: it must not fire on a deployer that lives."""
    checks = [{"name": f"{number}", "path": "/health"} for number in range(6)]
    world = memory.world(live, smoke={"checks": checks}, **stories.SHORT)
    beats: list[float] = []
    world.pulse = lambda: beats.append(world.clock.elapsed())  # type: ignore[method-assign]  # counted
    Smoke(None).do(world, ())

    assert 6 == len(beats)
