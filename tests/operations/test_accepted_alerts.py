"""A critical alert that fired before, and that somebody accepted: a deployment goes on in spite of that very one."""

from __future__ import annotations

import json
from datetime import timedelta
from functools import partial
from pathlib import Path

import memory
import pytest
import stories

from deploytasks import plans
from deploytasks.errors import GateRefused, TakenBack
from deploytasks.operations.carrying_out import carry_out
from deploytasks.operations.resuming import resume
from deploytasks.operations.signing import record
from deploytasks.ports import Event, Json
from deploytasks.steps.gate import accepted
from deploytasks.world import World

RELEASE = memory.release("1.1.0")
BEFORE = (memory.BEGINNING - timedelta(hours=1)).isoformat()


def world(folder: Path, kind: type[memory.TestWorld] = memory.TestWorld) -> World:
    return memory.world(folder, kind=kind, **stories.SHORT)


def fire(folder: Path, **alerts: str) -> None:
    """These alerts fire, since then."""
    memory.state_of(folder).set(alerts=alerts)


def accept(folder: Path) -> None:
    record(world(folder), "override", "monitoring.alerts", RELEASE.commit, "known since Monday, ticket 4711")


def deploy(made: World) -> None:
    carry_out(made, partial(plans.deploy, release=RELEASE), task="deploy")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """1.0.0 is live, and the disk has been full for an hour."""
    stories.deploy(stories.world(tmp_path), "1.0.0")
    fire(tmp_path, Disk=BEFORE)
    return tmp_path


def severities(made: World) -> set[tuple[str, str]]:
    """Of all alerts in all readings."""
    return {(alert[0], alert[1]) for event in readings(made) for alert in event.facts["reading"]["alerts"]}  # type: ignore[index, call-overload, misc]  # as written


def readings(made: World) -> list[Event]:
    return [event for event in made.ledger.events() if event.kind == "reading"]


def test_it_is_listed_and_refused(folder: Path) -> None:
    """Nobody has looked at it yet."""
    with pytest.raises(GateRefused, match=r"monitoring\.alerts: firing: Disk"):
        deploy(world(folder))


def test_what_was_accepted_neither_holds_nor_takes_back(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The rollout passes all its stages; each reading says what fired, and that it was accepted."""
    accept(folder)
    made = world(folder)
    deploy(made)
    assert stories.split(folder).green == 100
    assert ("Disk", "accepted") in severities(made)
    assert ("Disk", "critical") not in severities(made)
    (noted,) = [event for event in made.ledger.events() if event.kind == "overridden"]
    assert [["Disk", BEFORE]] == noted.facts["accepted"]
    out = " ".join(capsys.readouterr().out.split())
    assert "in spite monitoring.alerts: by" in out
    assert "known since Monday, ticket 4711 (firing: Disk)" in out
    shown = json.dumps(readings(made)[-1].facts["outlook"])
    assert "alert Disk (critical, and accepted at the gate) fires" in shown


def test_after_a_death_it_is_still_accepted(folder: Path) -> None:
    """Whoever resumes asks no gate again, and reads what was accepted in the ledger."""
    accept(folder)
    dying = stories.when("shifted", stories.die)
    assert stories.in_a_fork(lambda: deploy(world(folder, dying)))
    made = world(folder)
    resume(made)
    assert stories.split(folder).green == 100
    assert ("Disk", "critical") not in severities(made)


def test_another_alert_is_not_accepted(folder: Path) -> None:
    """One that begins during the rollout takes it back, whatever was accepted."""
    accept(folder)
    after = (memory.BEGINNING + timedelta(days=1)).isoformat()
    worse = stories.when("shifted", lambda made: fire(folder, Disk=BEFORE, Errors=after))
    with pytest.raises(TakenBack, match="alert Errors"):
        deploy(world(folder, worse))
    assert stories.split(folder).blue == 100


def test_the_same_alert_of_a_later_time_is_another_one(folder: Path) -> None:
    """It went away and came back after the rollout had begun: nobody has accepted that."""
    accept(folder)
    after = (memory.BEGINNING + timedelta(days=1)).isoformat()
    worse = stories.when("shifted", lambda made: fire(folder, Disk=after))
    with pytest.raises(TakenBack, match="alert Disk"):
        deploy(world(folder, worse))


def test_an_override_is_about_what_had_begun_by_then(folder: Path) -> None:
    """Nobody sets aside what does not fire yet: for an alert that began later another override is needed."""
    accept(folder)
    made = world(folder)
    made.clock.sleep(60)
    fire(folder, Disk=BEFORE, Replica=made.clock.now().isoformat())
    with pytest.raises(GateRefused, match=r"firing: Disk, Replica; the override of .* does not count: Replica began"):
        deploy(world(folder))
    made.clock.sleep(60)
    accept(folder)
    deploy(world(folder))
    assert stories.split(folder).green == 100


@pytest.mark.parametrize(
    "given", [None, "all", [["Disk"]], [["Disk", "yesterday"]], [["Disk", "2026-11-23T09:00:00"]], [5]]
)
def test_what_cannot_be_read_is_not_accepted(given: Json) -> None:
    """An event of another version: then the alert holds, as if nobody had accepted it."""
    assert [] == list(accepted({"accepted": given}))
