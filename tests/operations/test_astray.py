"""What runs against what the ledger says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from deploytasks.ledger.standing import Closed, Ended, Open, Placed, Settled, Standing, WentBack
from deploytasks.operations.astray import Found, astray
from deploytasks.ports import Installed, Notice, Split, Switch

AT = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
LATER = AT + timedelta(hours=1)
OLD, NEW = "1.1.0-aaaaaaaaaaaa", "1.2.0-bbbbbbbbbbbb"
SETTLED = Settled("d2", "green", "1.2.0", NEW, "b" * 64, "c0ffee", AT, "blue", AT + timedelta(days=1))
STANDING = Standing(
    settled=SETTLED,
    releases={
        "blue": Placed("d1", "1.1.0", OLD, "a" * 64, "c0de"),
        "green": Placed("d2", "1.2.0", NEW, "b" * 64, "c0ffee"),
    },
    recent=(
        Ended("d1", "deploy", "1.1.0", "a" * 64, "done", 0, "", "ann", None, AT - timedelta(days=1), 1),
        Ended("d2", "deploy", "1.2.0", "b" * 64, "done", 0, "", "ann", None, AT, 2),
    ),
)
COLORS = {
    "blue": Installed(OLD, "a" * 64, "1.1.0", True),
    "green": Installed(NEW, "b" * 64, "1.2.0", True),
}
AS_RECORDED = Found(
    "production",
    STANDING,
    split=Split(0, 100, "blue", "settled:d2"),
    colors=COLORS,  # type: ignore[arg-type]
    notice=None,
    switch=Switch(False, None, "not armed"),
    is_at_work=False,
)
LEFT = Open("d3", 9, "deploy", "bob@ci", "ci", "1.3.0", "d" * 64, "blue", LATER)


def told(**changes: Any) -> list[str]:
    """What is said, once some of it is otherwise."""
    return [each.what for each in astray(AS_RECORDED._replace(**changes))]


def of(**changes: Any) -> Standing:
    return STANDING._replace(**changes)


def test_as_recorded_is_nothing() -> None:
    """Nor is a color that was stopped, nor a part that could not be read."""
    stopped = {**COLORS, "blue": COLORS["blue"]._replace(running=False)}
    assert [] == told()
    assert [] == told(colors=stopped)
    assert [] == astray(Found("production", STANDING))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"split": Split(100, 0, None, "back:rollback-1")},
            "blue is live, written by back:rollback-1; the ledger knows green",
        ),
        ({"split": Split(100, 0)}, "blue is live, written by nobody we know; the ledger knows green"),
        ({"split": Split(0, 0)}, "nothing is exposed; the ledger knows green as live"),
        (
            {"split": Split(0, 100, "blue", "settled:d9")},
            "traffic was settled by d9; the last one that the ledger knows is d2",
        ),
        (
            {"split": Split(0, 100, None, "settled:d2")},
            "the way back is not what was recorded: the balancer has none, the ledger blue",
        ),
        (
            {"split": Split(50, 50, "blue", "deploy:d3")},
            "traffic is shared (blue 50 % / green 50 %) and nobody is at work",
        ),
    ],
)
def test_traffic(changes: dict[str, Any], said: str) -> None:
    """Whose split it is, and what the last word about it was."""
    assert [said] == told(**changes)


def test_a_way_back_that_was_recorded_is_none() -> None:
    """After a rollback, or after the switch, the other color is live: as recorded."""
    back = WentBack("blue", "1.1.0", "1.2.0", "slow", False, LATER, "ann")
    gone = of(rollbacks=(back,), settled=SETTLED._replace(way_back=None))
    assert [] == told(standing=gone, split=Split(100, 0, None, "back:rollback-1"))
    assert ["green is live, written by nobody we know; the ledger knows blue"] == told(
        standing=gone, split=Split(0, 100)
    )


@pytest.mark.parametrize(
    ("color", "found", "said"),
    [
        ("green", None, f"nothing is installed on green; the ledger knows {NEW}"),
        ("green", Installed(OLD, "a" * 64, "1.1.0", True), f"green has {OLD}; the ledger knows {NEW}"),
        ("blue", Installed(NEW, "b" * 64, "1.2.0", True), f"blue has {NEW}; the ledger knows {OLD}"),
        (
            "green",
            Installed(NEW, "e" * 64, "1.2.0", True),
            f"green has {NEW} with the digest eeeeeeeeeeee, not bbbbbbbbbbbb",
        ),
    ],
)
def test_releases(color: str, found: Installed | None, said: str) -> None:
    """Another version, other content under its name, or none."""
    assert said in told(colors={**COLORS, color: found})


def test_what_a_deployment_that_was_taken_back_has_left_is_not_judged() -> None:
    """Its undoing brought something back that the ledger does not name."""
    failed = Ended("d3", "deploy", "1.3.0", "d" * 64, "taken back", 4, "", "ann", None, LATER, 3)
    standing = of(
        recent=(*STANDING.recent, failed),
        releases={**STANDING.releases, "blue": Placed("d3", "1.3.0", "1.3.0-dddddddddddd", "d" * 64, "c3")},
    )
    assert [] == told(standing=standing)


def test_users_where_nothing_runs() -> None:
    """The most urgent comes before what merely differs."""
    dead = COLORS["green"]._replace(running=False)
    assert ["green has 100 % of traffic, and nothing runs there"] == told(colors={**COLORS, "green": dead})


def test_the_switch_is_armed_and_nobody_is_at_work() -> None:
    """It will act; unless somebody beats."""
    armed = Switch(True, None, "armed")
    assert ["the dead-man's switch is armed and nobody is at work: it will take traffic home"] == told(switch=armed)
    assert [] == told(switch=armed, is_at_work=True)


def test_the_page_and_the_record_of_it() -> None:
    """Closed without a record, and recorded without a page."""
    notice = Notice("Back soon.", 300, AT, "eve")
    closed = of(closed=Closed("Back soon.", AT, "ann"))
    assert ["the site is closed (since 2026-11-23 10:00 UTC, by eve) without a record of it"] == told(notice=notice)
    assert ["the site is open, though ann closed it at 2026-11-23 10:00 UTC by the ledger"] == told(standing=closed)
    assert [] == told(standing=closed, notice=notice)


def test_a_deployment_that_was_left_unfinished() -> None:
    """Who left it; and what it moved is explained by that."""
    left = of(open=LEFT)
    found = astray(AS_RECORDED._replace(standing=left, split=Split(100, 0)))
    assert ["deploy d3 by bob@ci was left unfinished"] == [each.what for each in found]
    assert "inv resume --env production, or the next deployment takes it back" == found[0].do
    assert [] == told(standing=left, split=Split(10, 90, "green", "deploy:d3"), is_at_work=True)
