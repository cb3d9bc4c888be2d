"""DORA's measures of a ledger that is told by hand."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, strategies as st
from tale import DAWN, ON_BLUE, ON_GREEN, Tale

from deploytasks.delivery import levels
from deploytasks.delivery.failures import failures
from deploytasks.delivery.measures import Changes, Period, measured
from deploytasks.delivery.spread import likely, spread
from deploytasks.ledger.deployment import Deployment

DAYS_28 = Period(DAWN, DAWN + timedelta(days=28))


def measure(tale: Tale, period: Period = DAYS_28, **committed: Sequence[datetime]) -> dict[str, Any]:
    def changes(one: Deployment) -> Changes | None:
        return Changes(committed[one.deployment], is_all=True) if one.deployment in committed else None

    return measured(tuple(tale.folded().values()), period, changes)


def on_day(tale: Tale, day: float) -> None:
    tale.now = DAWN + timedelta(days=day)


def test_how_often() -> None:
    """What settled counts, by day and by week; what was taken back does not."""
    tale = Tale()
    for day in range(14):
        on_day(tale, day)
        tale.began(f"d{day}")
        tale.settled(f"d{day}")
    on_day(tale, 20)
    tale.began("bad")
    tale.exposed("bad", "green", 10)
    tale.tell("ended", deployment="bad", outcome="taken back", code=4, why="", left=[])
    found = measure(tale)["deployment_frequency"]
    assert (found["n"], found["days_with_one"], found["per_day"], found["per_week"]) == (14, 14, 0.5, 3.5)
    assert found["between"]["median"] == 86400
    assert (found["is_few"], found["level"]) == (False, "high")


def test_a_ledger_that_is_younger_than_the_period() -> None:
    """Days before its first event are not counted: nothing could have been recorded."""
    tale = Tale()
    tale.began("a")
    tale.settled("a")
    found = measure(tale, Period(DAWN - timedelta(days=90), DAWN + timedelta(days=10), DAWN))
    assert (found["days"], found["deployment_frequency"]["per_day"]) == (10.0, 0.1)
    assert found["deployment_frequency"]["level"] == ""
    assert [week["is_whole"] for week in found["weeks"]] == [False] * 14 + [True]


def test_how_long_a_change_takes() -> None:
    """Each commit counts, from when it was made until it was out; a deployment without known commits is said so."""
    tale = Tale()
    tale.began("a")
    tale.settled("a")
    settled = tale.folded()["a"].settled
    assert settled is not None
    tale.began("b")
    tale.settled("b")
    found = measure(tale, a=[settled - timedelta(hours=hours) for hours in (1, 2, 30)])["lead_time"]
    assert (found["n"], found["median"], found["p90"], found["is_few"]) == (3, 7200.0, None, True)
    assert (found["deployments"], found["with_all_commits"], found["without_commits"]) == (1, 1, 1)
    assert found["level"] == ""


def test_a_clock_that_was_ahead_makes_no_negative_lead_time() -> None:
    """A commit from the future took no time."""
    tale = Tale()
    tale.began("a")
    tale.settled("a")
    assert measure(tale, a=[DAWN + timedelta(days=1)])["lead_time"]["median"] == 0.0


def test_what_failed() -> None:
    """Rolled back, taken back before the eyes of users, or followed by a hotfix within a day: each counts once."""
    tale = Tale()
    tale.began("good")
    tale.settled("good")
    tale.began("rolled")
    tale.settled("rolled")
    tale.rolled_back(ON_GREEN, ON_BLUE)
    tale.began("judged")
    tale.exposed("judged", "green", 10, 25)
    tale.tell("reading", deployment="judged", move="turn back")
    tale.tell("ended", deployment="judged", outcome="taken back", code=4, why="5 % errors", left=[])
    tale.began("sloppy")
    tale.settled("sloppy")
    on_day(tale, 0.5)
    tale.began("fix", task="hotfix")
    tale.settled("fix")
    found = measure(tale)
    assert found["change_failure_rate"] == {
        "n": 5, "failed": 3, "rate": 0.6, "likely": list(likely(3, 5) or ()), "rolled_back": 1, "taken_back": 1,
        "taken_back_at_most": 25, "hotfix_followed": 1, "automatic": 1, "is_few": False,
    }  # fmt: skip
    assert [(one["deployment"], one["how"]) for one in found["failures"]] == [
        ("rolled", "rolled back"),
        ("judged", "taken back"),
        ("sloppy", "hotfix followed"),
    ]
    assert found["rework_rate"] == {"n": 4, "hotfixes": 1, "rate": 0.25, "is_few": True}


@pytest.mark.parametrize("outcome", ["held", "interrupted", "recovered"])
def test_what_is_not_the_fault_of_the_change(outcome: str) -> None:
    """Too little traffic, Ctrl-C and a dead deployer say nothing about the release."""
    tale = Tale()
    tale.began("a")
    tale.exposed("a", "green", 10)
    tale.tell("ended", deployment="a", outcome=outcome, code=6, why="", left=[])
    found = measure(tale)["change_failure_rate"]
    assert (found["n"], found["failed"]) == (1, 0)


def test_what_no_user_could_meet() -> None:
    """A gate that refused, an installation that failed: neither tried nor failed."""
    tale = Tale()
    tale.began("a")
    tale.tell("ended", deployment="a", outcome="taken back", code=4, why="", left=[])
    assert measure(tale)["change_failure_rate"]["n"] == 0


def test_what_still_runs_is_not_judged() -> None:
    """A deployment on its way counts once it is over."""
    tale = Tale()
    tale.began("a")
    tale.exposed("a", "green", 10)
    assert measure(tale)["change_failure_rate"]["n"] == 0


def test_a_hotfix_that_came_later_than_a_day() -> None:
    """It says nothing about the deployment before; nor does a deployment that is none."""
    tale = Tale()
    tale.began("a")
    tale.settled("a")
    on_day(tale, 1.5)
    tale.began("fix", task="hotfix")
    tale.settled("fix")
    tale.began("b")
    tale.settled("b")
    assert failures(tuple(tale.folded().values())) == []


def test_how_soon_it_was_restored() -> None:
    """From the first user who could meet it until traffic was home, by whomever."""
    tale = Tale()
    tale.began("a")
    tale.exposed("a", "green", 10)
    first = tale.now
    tale.now += timedelta(minutes=10)
    tale.tell("reading", deployment="a", move="turn back")
    tale.tell("step", deployment="a", step="roll out", state="undone", why="")
    home = tale.now
    tale.now += timedelta(minutes=10)
    tale.tell("ended", deployment="a", outcome="taken back", code=4, why="", left=[])
    found = measure(tale)["time_to_restore"]
    assert (found["n"], found["median"], found["open"]) == (1, (home - first).total_seconds(), 0)


def test_a_way_back_that_could_not_complete() -> None:
    """It lasts until somebody sends traffic home, or the next deployment has settled."""
    tale = Tale()
    tale.began("a")
    tale.exposed("a", "green", 50)
    exposed = tale.now
    tale.tell("ended", deployment="a", outcome="stuck", code=8, why="the balancer is gone", left=["traffic"])
    found = measure(tale)["time_to_restore"]
    assert (found["n"], found["open"], found["median"]) == (0, 1, None)
    tale.began("b")
    tale.settled("b")
    after = tale.folded()["b"].settled
    assert after is not None
    assert measure(tale)["time_to_restore"]["median"] == (after - exposed).total_seconds()


def test_only_what_lies_in_the_period_counts() -> None:
    """The rest of the ledger is read, for what came after may be about what was before; but it is not counted."""
    tale = Tale()
    tale.began("old")
    tale.settled("old")
    on_day(tale, 40)
    tale.rolled_back(ON_GREEN, ON_BLUE)
    tale.began("new")
    tale.settled("new")
    found = measure(tale)
    assert (found["deployment_frequency"]["n"], found["change_failure_rate"]["failed"]) == (1, 1)
    later = measure(tale, Period(DAWN + timedelta(days=30), DAWN + timedelta(days=60)))
    assert (later["deployment_frequency"]["n"], later["change_failure_rate"]["failed"]) == (1, 0)


def test_weeks_end_with_the_period() -> None:
    """Each is seven days; their numbers add up to those of the period."""
    tale = Tale()
    for day in (1, 2, 9, 23):
        on_day(tale, day)
        tale.began(f"d{day}")
        tale.settled(f"d{day}")
    weeks = measure(tale)["weeks"]
    assert [week["deployments"] for week in weeks] == [2, 1, 0, 1]
    assert (weeks[0]["since"], weeks[-1]["until"]) == (DAWN.isoformat(), DAYS_28.until.isoformat())


def test_nothing_happened() -> None:
    """An empty ledger measures nothing, and says so by its counts."""
    found = measure(Tale())
    assert found["deployment_frequency"]["n"] == 0
    assert found["change_failure_rate"]["rate"] is None
    assert found["time_to_restore"]["median"] is None


def test_median_and_p90() -> None:
    """The nearest rank; none of fewer than ten values."""
    assert spread([3.0, 1.0, 2.0])[:3] == (3, 2.0, None)
    assert spread([float(n) for n in range(1, 11)])[:3] == (10, 5.5, 9.0)
    assert spread([])[:3] == (0, None, None)


def test_how_sure_a_share_is() -> None:
    """Wilson's interval, as published for 2 of 10 and for none of 20."""
    assert likely(2, 10) == pytest.approx((0.0567, 0.5098), abs=1e-4)
    assert likely(0, 20) == pytest.approx((0.0, 0.1611), abs=1e-4)
    assert likely(0, 0) is None


@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_a_share_lies_within_its_interval(case: tuple[int, int]) -> None:
    """Whatever the numbers; and the interval within 0 and 1."""
    hits, n = case
    low, high = likely(hits, n) or (1.0, 0.0)
    assert 0 <= low <= hits / n <= high <= 1


@pytest.mark.parametrize(
    ("found", "level"),
    [
        (levels.of_frequency(2.0), "elite"), (levels.of_frequency(1.0), "high"), (levels.of_frequency(0.1), "medium"),
        (levels.of_frequency(0.01), "low"), (levels.of_lead_time(3600), "elite"), (levels.of_lead_time(86400), "high"),
        (levels.of_lead_time(8 * 86400), "medium"), (levels.of_lead_time(40 * 86400), "low"),
        (levels.of_restoring(60), "elite"), (levels.of_restoring(3600), "high"), (levels.of_restoring(86400), "low"),
    ],
)  # fmt: skip
def test_levels(found: str, level: str) -> None:
    """As in the report of 2024, where its clusters are in order."""
    assert level == found
