"""A deployer that is killed with -9, and whoever comes next."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from journeys.environment import GRACE, until

from deploytasks.ports import other

if TYPE_CHECKING:
    from journeys.environment import Environment

# Each moment with each successor; by default one of each, in other pairs.
DEFAULT = [
    ("25 %", "resume"),
    ("50 %", "rollback"),
    ("50 %", "deploy"),
    ("start", "deploy"),
    ("migrate", "rollback"),
]
MOMENTS = ("25 %", "50 %", "start", "install", "arm", "settle")
SUCCESSORS = ("resume", "rollback", "deploy")
ALL = [(m, s) for m in MOMENTS for s in SUCCESSORS]
CASES = [*DEFAULT, *(pytest.param(*case, marks=pytest.mark.full) for case in ALL if case not in DEFAULT)]
SLOW_MIGRATION = "sleep 2; {python} manage.py migrate --noinput"


def kill_at(environment: Environment, moment: str) -> None:
    """Start a deployment, and kill its deployer when it has come so far."""
    changes = {"stages": [25, 100] if moment == "25 %" else [50, 100]}
    if moment == "migrate":
        environment.configure(**changes, database={"migrate": SLOW_MIGRATION})
    elif moment == "start":
        environment.configure(**changes)
        environment.commit(faults={"slow_start": 1.5})
    else:
        environment.configure(**changes)
    deployer = environment.start("deploy")
    environment.until_at(deployer, moment)
    deployer.kill()


@pytest.mark.parametrize(("moment", "successor"), CASES)
def test_whoever_comes_after_a_killed_deployer_brings_order(live: Environment, moment: str, successor: str) -> None:
    """One color has everything and is healthy, nothing is open, the chain verifies; and one knows what happened."""
    home = live.live()
    kill_at(live, moment)
    reason = ("--reason", "it died") if successor == "rollback" else ()
    done = live.inv(successor, *reason)
    assert done.code == 0, done.said
    live.assert_at_rest(home if successor == "rollback" else other(home))
    outcomes = [event.facts["outcome"] for event in live.events("ended")]
    assert outcomes[-1] == ("recovered" if successor == "rollback" else "done"), outcomes


@pytest.mark.parametrize("successor", ["resume", pytest.param("deploy", marks=pytest.mark.full)])
def test_a_migration_that_outlives_its_deployer_is_not_started_twice(live: Environment, successor: str) -> None:
    """It goes on by itself: whoever comes next is told so and changes nothing that stays; later it works."""
    home = live.live()
    kill_at(live, "migrate")
    done = live.inv(successor)
    assert done.code in (3, 4), done.said
    assert "still runs" in done.said or "at work" in done.said, done.said
    live.assert_at_rest(home)
    assert live.inv("deploy").code == 0
    live.assert_at_rest(other(home))


def test_a_killed_deployer_and_nobody_acting_sends_traffic_home(live: Environment) -> None:
    """The switch fires within its grace and 5 s; status and history say so."""
    home = live.live()
    deployer = live.start("deploy")
    live.until_at(deployer, "50 %")
    deployer.kill()
    died = time.monotonic()
    until(lambda: live.split().live == home, GRACE + 5 - (time.monotonic() - died), live.split)
    assert live.split().verb == "deadman"
    assert live.colors_seen() == {home}
    status = live.inv("status", "--json")
    assert status.code == 0, status.said
    assert status.answer["deadman"]["fired_at"]
    history = live.inv("history", "--json")
    assert "deadman-fired" in [event["kind"] for event in history.answer["events"]]
    assert live.inv("rollback", "--no-watch", "--reason", "look after it").code == 0
    live.assert_at_rest(home)
