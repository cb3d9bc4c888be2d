"""A rollback that is rehearsed, and what of it stays; where nobody is killed."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import memory
import pytest
import stories

from deploytasks.checklist import Subject, drilled
from deploytasks.errors import GateRefused, UsageError, WayBackFailed
from deploytasks.operations import at_rest, drilling, dying, going_and_coming
from deploytasks.ports import Call, Split
from deploytasks.smoke import Result
from deploytasks.view.paint import Paint
from deploytasks.view.text import text
from deploytasks.world import World


@pytest.fixture(autouse=True)
def smoke_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    """At the public address."""
    monkeypatch.setattr(going_and_coming, "run_checks", lambda base, checks: [Result("health", True, "200", 0.0)])


@pytest.fixture
def live(tmp_path: Path) -> Path:
    """1.1.0 is live on green, the way back to blue is open."""
    stories.deploy(stories.world(tmp_path), "1.0.0")
    stories.deploy(stories.world(tmp_path), "1.1.0")
    return tmp_path


def practice(folder: Path, **changes: Any) -> drilling.Answer:
    found = drilling.there_and_back(memory.world(folder, **{**stories.SHORT, **changes}), preview=False)
    assert found is not None
    return found


def test_all_traffic_goes_back_and_comes_again(live: Path) -> None:
    """Everything is as before: split, way back, signature, and what the ledger holds of the deployment."""
    before, settled = stories.split(live), memory.world(live).ledger.head().standing.settled
    done = len(memory.state_of(live).read()["log"])
    answer = practice(live)
    moved = [line for line in memory.state_of(live).read()["log"][done:] if line.startswith("split")]
    assert ["split 100/0", "split 0/100"] == [" ".join(line.split()[:2]) for line in moved]
    assert before == stories.split(live)
    standing = memory.world(live).ledger.head().standing
    assert (settled, None) == (standing.settled, standing.open)
    assert (True, "green", "blue", []) == tuple(answer[name] for name in ("ok", "from", "to", "wrong"))


def test_it_leaves_evidence(live: Path) -> None:
    """Who, when, how long; and the note of where traffic belonged meanwhile."""
    practice(live)
    *_, drilling_, evidence = (
        event for event in memory.world(live).ledger.events() if event.kind in ("drilling", "evidence")
    )
    assert ("drilling", "blue") == (drilling_.kind, drilling_.facts["to"])
    assert ("drill", "rollback", True) == tuple(evidence.facts[name] for name in ("item", "key", "ok"))
    assert "green → blue → green" in str(evidence.facts["detail"])


def test_an_old_release_that_does_not_serve_is_what_a_drill_finds(live: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Traffic is forward again, and the answer says what would have gone wrong."""

    def fails_on_blue(base: str, checks: Any) -> list[Result]:
        is_well = stories.split(live).live == "green"
        return [Result("books", is_well, "500", 0.0)]

    monkeypatch.setattr(going_and_coming, "run_checks", fails_on_blue)
    answer = practice(live)
    assert (False, ["books failed on blue: 500"]) == (answer["ok"], answer["wrong"])
    assert "green" == stories.split(live).live
    shown = text("drill", answer, Paint(False))
    assert "NOT everything is in order" in shown
    assert "books failed on blue: 500" in shown


def test_a_drill_that_died_on_the_old_color_is_brought_forward_first(live: Path) -> None:
    """The note that it left says where traffic belongs."""
    before = stories.split(live)

    class Dying(memory.TestWorld):
        def wait(self, seconds: float, **how: Any) -> None:
            stories.die(self)

    assert stories.in_a_fork(lambda: drilling.there_and_back(memory.world(live, kind=Dying), preview=False))
    assert "blue" == stories.split(live).live
    assert practice(live)["ok"]
    assert before == stories.split(live)


def test_a_rollback_after_such_a_death_is_left_alone(live: Path) -> None:
    """Somebody has decided since: a drill does not undo that."""
    memory.world(live).note("drilling", split=[0, 100, "blue", "settled:x"], to="blue")
    memory.state_of(live).change(split=[100, 0, None, "back:rollback-1"])
    memory.world(live).note("rolled-back", by="ben", reason="bad")
    with pytest.raises(GateRefused, match="there is no way back to rehearse"):
        practice(live)
    assert "blue" == stories.split(live).live


def test_traffic_that_does_not_come_forward_is_code_8(live: Path) -> None:
    """It is on the release before, and the error says how to go on."""

    class Stuck(memory.TestWorld):
        def wait(self, seconds: float, **how: Any) -> None:
            memory.state_of(live).set(balancer_refuses=True)

    with pytest.raises(WayBackFailed, match="traffic did not come forward again") as stuck:
        drilling.there_and_back(memory.world(live, kind=Stuck), preview=False)
    assert "inv drill" in stuck.value.do
    assert "blue" == stories.split(live).live


def test_without_a_way_back_there_is_nothing_to_rehearse(tmp_path: Path) -> None:
    """Code 3, and nothing is touched."""
    stories.deploy(stories.world(tmp_path), "1.0.0")
    with pytest.raises(GateRefused, match="there is no way back to rehearse"):
        practice(tmp_path)


def test_a_preview_moves_nothing(live: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Both writes are shown."""
    before = memory.world(live).ledger.head().number
    assert drilling.there_and_back(memory.world(live), preview=True) is None
    said = capsys.readouterr().err
    assert 2 == said.count("would: ")
    assert before == memory.world(live).ledger.head().number


def test_a_protected_environment_asks_first(live: Path) -> None:
    """Its users are on another release meanwhile."""
    with pytest.raises(UsageError, match="nobody is at a terminal to confirm"):
        practice(live, protected=True)
    assert "green" == stories.split(live).live


def test_nobody_is_killed_where_it_is_not_all_on_this_machine(live: Path) -> None:
    """A shared store, an address that others reach, or protection: then it is a rollback that is rehearsed."""
    world = memory.world(live)
    assert not dying.is_for_this(world)  # its address is no loopback
    world.traffic.address = lambda: "http://127.0.0.1:8080"  # type: ignore[method-assign]  # for this test
    assert dying.is_for_this(world)
    world.traffic.address = lambda: "http://shop.example"  # type: ignore[method-assign]  # the same
    assert not dying.is_for_this(world)
    world.traffic.address = lambda: "http://localhost:8080"  # type: ignore[method-assign]  # the same
    world.settings = replace(world.settings, protected=True)
    assert not dying.is_for_this(world)
    with pytest.raises(UsageError, match="nobody is killed in test"):
        drilling.is_about_deaths(world, rollback=False, at=["install"], thorough=False)
    assert not drilling.is_about_deaths(world, rollback=False, at=(), thorough=False)


def test_what_is_not_in_order_is_named(live: Path) -> None:
    """Each thing by itself."""
    assert [] == at_rest.problems(memory.world(live))
    memory.state_of(live).change(split=[50, 50, None, "deploy:d-1"], armed="d-1")
    world = memory.world(live)
    world.note("began", deployment="d-1", plan={})
    assert [
        "traffic is at blue 50 % / green 50 %",
        "d-1 is open",
        "the dead-man's switch is armed",
    ] == at_rest.problems(world)


# -- the checklist ------------------------------------------------------------------------------------------------


def subject(world: World) -> Subject:
    return Subject(world, memory.release("1.1.0"))


def test_who_has_drilled_lately_knows_the_way_back(live: Path) -> None:
    """For 30 days; nobody else knows it by that, and a drill that found something is no proof."""
    asked = "needs a signature"
    assert asked == drilled.practiced(subject(memory.world(live))).answer
    practice(live)
    found = drilled.practiced(subject(memory.world(live)))
    assert "pass" == found.answer
    assert "ann@desk has drilled in test on 2026-11-23: green → blue → green" in found.evidence
    other = memory.world(live)
    other.site = other.site._replace(who="ben@laptop")
    found = drilled.practiced(subject(other))
    assert asked == found.answer
    assert "ann@desk has drilled" in found.evidence
    memory.state_of(live).change(elapsed=timedelta(days=31).total_seconds())
    assert asked == drilled.practiced(subject(memory.world(live))).answer


def test_a_drill_that_went_wrong_proves_nothing(live: Path) -> None:
    """It is told all the same."""
    memory.world(live).note("evidence", item="drill", key="rollback", ok=False, detail="books failed on blue")
    found = drilled.practiced(subject(memory.world(live)))
    assert "needs a signature" == found.answer
    assert "books failed on blue" in found.evidence


def test_a_write_that_is_not_shown_is_code_8(live: Path) -> None:
    """The balancer took it, and shows something else."""
    world = memory.world(live)
    shift = world.traffic.shift

    def deaf(to: Split, expect: Split | None = None) -> Call:
        return Call("shift", lambda timeout: None) if to.verb == "settled" else shift(to, expect)

    world.traffic.shift = deaf  # type: ignore[method-assign]  # for this test
    with pytest.raises(WayBackFailed, match="after the way forward was written"):
        drilling.there_and_back(world, preview=False)
