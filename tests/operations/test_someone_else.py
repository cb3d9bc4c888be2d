"""Two at once: a rollback, a switch that fires, a second rollback, while a deployment is anywhere."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import memory
import pytest
import stories

from deploytasks import plans
from deploytasks.errors import GateRefused, SplitMoved, Unreachable, WayBackFailed
from deploytasks.operations.carrying_out import carry_out
from deploytasks.operations.recording import Recording
from deploytasks.operations.resuming import resume
from deploytasks.operations.returning import Returned, roll_back
from deploytasks.ports import Call, Color, Split
from deploytasks.world import World


@pytest.fixture
def live(tmp_path: Path) -> Path:
    """1.0.0 is live on blue."""
    stories.deploy(stories.world(tmp_path), "1.0.0")
    return tmp_path


def back(world: World, to: Color | None = None) -> Returned:
    with Recording(world, patience=10.0) as recording:
        returned = roll_back(world, to=to)
        recording.record(returned, "a test")
    return returned


@pytest.mark.parametrize("step", ["start green", "smoke public", "settle"])
def test_a_rollback_stops_a_deployment_at_any_step(live: Path, step: str) -> None:
    """Before traffic moves and after all of it has: the rollback stays in force, the deployer leaves with 5."""
    kind = stories.when("step", lambda world: roll_back(stories.world(live)), step=step, state="began")
    with pytest.raises(SplitMoved):
        stories.deploy(stories.world(live, kind))

    assert ("blue", "back") == (stories.split(live).live, stories.split(live).verb)
    assert memory.world(live).ledger.head().standing.open is None


def test_a_resumed_deployment_does_not_settle_what_was_taken_home(live: Path) -> None:
    """Killed between rollout and settling, taken home by the switch: it begins at the first stage again."""
    stories.killed(live, "step", step="roll out", state="done")
    writer = f"deadman:{(stories.split(live).writer or '').partition(':')[2]}"
    memory.state_of(live).change(split=[100, 0, None, writer], armed=None)
    before = len(memory.state_of(live).read()["log"])
    resume(stories.world(live))

    log = [line.split()[1] for line in memory.state_of(live).read()["log"][before:]]
    assert ["100/0", "50/50", "0/100", "0/100"] == log


def test_a_rollback_to_the_new_color_is_not_taken_back(live: Path) -> None:
    """Somebody decides for green after its deployer died: closing the dead deployment leaves traffic there."""
    stories.killed(live, "shifted")
    back(stories.world(live), to="green")

    found = memory.world(live).fleet.installed("green")
    assert "green" == stories.split(live).live
    assert found is not None
    assert found.running
    assert memory.world(live).ledger.head().standing.open is None


def test_a_refused_rollback_moves_nothing(live: Path) -> None:
    """Home is ill, so the rollback is refused: clearing up after the dead deployer must not move traffic either."""
    stories.killed(live, "shifted")
    memory.state_of(live).set(sick={"blue": "503"})
    before = stories.split(live)
    with pytest.raises(GateRefused, match="not healthy"):
        back(stories.world(live))

    assert before == stories.split(live)


def test_two_rollbacks_at_once_are_both_done(live: Path) -> None:
    """The other's way back, written right over ours, is as good: no alarm."""
    stories.deploy(stories.world(live))
    world = stories.world(live)
    written_over(world, live, Split(100, 0, None, "back:rollback-other"))

    assert roll_back(world).changed


def test_a_rollback_that_is_written_over_is_an_alarm(live: Path) -> None:
    """Someone else's split is not taken for home."""
    stories.deploy(stories.world(live))
    world = stories.world(live)
    written_over(world, live, Split(50, 50, "blue", "deploy:other"))

    with pytest.raises(WayBackFailed):
        roll_back(world)


def test_a_balancer_that_falls_silent_after_the_write_is_code_8(live: Path) -> None:
    """The write was made: "nothing was changed" would be a lie."""
    stories.deploy(stories.world(live))
    world = stories.world(live)
    real = world.traffic.shift

    def shift(to: Split, expect: Split | None = None) -> Call:
        def perform(timeout: float) -> None:
            real(to, expect).perform(timeout)
            memory.state_of(live).set(balancer_down=True)

        return Call("shift", perform)

    world.traffic.shift = shift  # type: ignore[method-assign]  # a balancer that falls silent
    with pytest.raises(WayBackFailed, match="does not say"):
        roll_back(world)


def test_a_first_release_has_no_way_back(tmp_path: Path) -> None:
    """While the first one is watched at 100 %, a rollback says so: it was not "taken back already"."""
    said: list[object] = []

    def ask(world: World) -> None:
        with pytest.raises(GateRefused, match="no way back") as caught:
            roll_back(stories.world(tmp_path))
        said.append(caught.value)

    stories.deploy(stories.world(tmp_path, stories.when("shifted", ask)), "1.0.0")
    assert said


def test_a_verdict_does_not_write_over_another_s_decision(live: Path) -> None:
    """Judged bad just when somebody sent everything to green: green keeps it, and that is said."""
    memory.state_of(live).set(errors={"green": 0.5})

    def decide(world: World) -> None:
        memory.state_of(live).change(split=[0, 100, None, "back:rollback-1"])

    world = stories.world(live, stories.when("reading", decide, move="turn back"))
    with pytest.raises(Exception, match="errors") as caught:
        stories.deploy(world)

    assert "there it stays" in caught.value.state  # type: ignore[attr-defined]  # an error of ours
    assert "back:rollback-1" == stories.split(live).writer


def test_a_machine_that_died_gets_its_balancer_back_first(live: Path) -> None:
    """After a death of everything, the dead deployment is taken back with a balancer that was started for it."""
    stories.killed(live, "shifted")
    memory.state_of(live).set(balancer_down=True)
    world = stories.world(live)
    start = Call("start the balancer", lambda timeout: memory.state_of(live).set(balancer_down=False))
    world.traffic.prepare = lambda: [[start]] if memory.state_of(live).read()["world"]["balancer_down"] else ()  # type: ignore[method-assign]  # a balancer of ours
    stories.deploy(world)

    assert "green" == stories.split(live).live


def written_over(world: World, folder: Path, by: Split) -> None:
    """Have somebody write right after each of our writes."""
    real = world.traffic.shift

    def shift(to: Split, expect: Split | None = None) -> Call:
        def perform(timeout: float) -> None:
            real(to, expect).perform(timeout)
            memory.state_of(folder).change(split=list(by))

        return Call("shift", perform)

    world.traffic.shift = shift  # type: ignore[method-assign]  # a world with somebody else in it


def test_the_balancer_must_answer_first(live: Path) -> None:
    """A rollback that could not even look is code 7: nothing was written."""
    memory.state_of(live).set(balancer_down=True)
    with pytest.raises(Unreachable):
        roll_back(stories.world(live))


def test_an_installation_does_not_write_over_a_rollback(live: Path) -> None:
    """Somebody moved traffic while it installed: letting go of the balancer must not move it back."""

    def decide(world: World) -> None:
        memory.state_of(live).change(split=[0, 100, None, "back:rollback-1"])

    world = stories.world(live, stories.when("step", decide, step="smoke green", state="done"))
    with pytest.raises(SplitMoved):
        carry_out(world, partial(plans.install, release=memory.release("1.1.0")), task="install")

    assert "back:rollback-1" == stories.split(live).writer
