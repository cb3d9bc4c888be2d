"""What people, the ledger and ``doctor`` are told. Pure parts, with any time of day."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from deploytasks.ports import Color, Split
from deploytasks.providers.aws.eventbridge import schedule, showing
from deploytasks.providers.aws.eventbridge.beating import pause_of
from deploytasks.providers.aws.eventbridge.diagnosing import findings
from deploytasks.providers.aws.eventbridge.looking import Look
from deploytasks.settings.eventbridge import EventBridgeSettings

from .conftest import NAME, NOW, ROLE, House, home, stage

AT = datetime(2026, 11, 23, 10, 5, tzinfo=UTC)


def look(split: Split, *, due: datetime = AT, order: str = f"blue {NOW}") -> Look:
    """A listener on which a switch was armed."""
    tags = {"deploytasks:home": order, "deploytasks:due": due.isoformat(), "deploytasks:split": "blue=75 green=25"}
    return Look([], tags, split)


def standing(due: datetime = AT, deployment: str = NOW, **changes: Any) -> dict[str, Any]:
    """A schedule as AWS shows it."""
    owner = schedule.Owner(deployment, "0a1b2c3d", "blue")
    return {**schedule.request(NAME, "default", due, owner, schedule.Way("modifyListener", {}), ROLE, None), **changes}


def asked(there: dict[str, Any] | None, seen: Look, *, grace: float = 600, group: bool = True) -> list[tuple[str, str]]:
    """State and words of what ``doctor`` finds."""
    settings = EventBridgeSettings(kind="eventbridge", grace=grace, role_arn=ROLE)
    found = findings(settings, group, there, seen, AT - timedelta(minutes=1), NAME)
    return [(one.state, f"{one.detail} {one.do}") for one in found]


@pytest.mark.parametrize(
    ("application", "environment"),
    [("shop", "production"), ("my shop", "prüfung"), ("s" * 80, "production"), ("a-b", "c"), ("a", "b-c")],
)
def test_a_name_is_one_that_aws_takes(application: str, environment: str) -> None:
    """64 characters at most, of those that may be in one."""
    name = schedule.name_of(application, environment)
    assert len(name) <= 64
    assert set(name) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.")


def test_two_environments_have_two_names() -> None:
    """Also where dashes could make them one, or only the last of many letters differs."""
    pairs = [("a-b", "c"), ("a", "b-c"), ("s" * 80, "x"), ("s" * 80, "y"), ("a b", "c"), ("a.b", "c")]
    assert len(pairs) == len({schedule.name_of(*pair) for pair in pairs})


@pytest.mark.parametrize(("microsecond", "second"), [(0, 10), (1, 11), (999_999, 11)])
def test_it_is_due_when_the_grace_is_over(microsecond: int, second: int) -> None:
    """At a whole second, and never earlier; in UTC, wherever somebody is."""
    due = schedule.due_after(AT.replace(microsecond=microsecond), 10)
    east = due.astimezone(tz=datetime.fromisoformat("2026-01-01T00:00:00+05:00").tzinfo)

    assert f"at(2026-11-23T10:05:{second})" == schedule.expression(east)
    assert due == schedule.due_of({"ScheduleExpression": schedule.expression(east)})


@pytest.mark.parametrize("color", ["blue", "green", None])
@pytest.mark.parametrize("deployment", [NOW, "one with ] and %"])
def test_whose_it_is_can_be_read(color: Color | None, deployment: str) -> None:
    """From the description, which is for people as well; another's is nobody's of ours."""
    owner = schedule.Owner(deployment, "0a1b", color)

    assert owner == schedule.owner_of({"Description": schedule.described(owner)})
    assert schedule.owner_of({"Description": "nightly [deploytasks]"}) is None


@pytest.mark.parametrize(("grace", "pause"), [(600, 120), (90, 18), (60, 15), (30, 10), (1.5, 0.5)])
def test_it_beats_often_enough(grace: float, pause: float) -> None:
    """Five times in a grace; every 15 seconds at most, where there is time for that; three times at least."""
    assert pause == pytest.approx(pause_of(grace))


def test_the_time_that_is_left_shows() -> None:
    """And the name of the schedule, whose it is, where traffic would go, and what keeps beats from arriving."""
    switch = showing.standing(NAME, standing(), AT - timedelta(seconds=42), "no network")

    assert switch.armed
    assert switch.detail == (
        f"{NAME}: watches over {NOW} (beats fail: no network); "
        "without a beat traffic goes home at 10:05:00 UTC, in 42 s: blue 100 % / green 0 %"
    )


def test_a_schedule_disabled_by_hand_is_not_armed() -> None:
    """It is there, and does nothing."""
    assert "disabled by hand" in showing.standing(NAME, standing(State="DISABLED"), AT).detail
    assert not showing.standing(NAME, standing(State="DISABLED"), AT).armed


def test_a_way_home_that_failed_is_news() -> None:
    """Once no attempt can be under way any more, and only while a dead deployment's split is in force."""
    late = AT + timedelta(seconds=schedule.LATE)

    assert ["deadman-failed"] == [one.kind for one in showing.news(NAME, look(stage(25)), late, 600)]
    assert () == showing.news(NAME, look(stage(25)), late - timedelta(seconds=1), 600)
    assert () == showing.news(NAME, look(stage(100)._replace(writer=f"settled:{NOW}")), late, 600)


@pytest.mark.parametrize(
    ("there", "seen", "state", "words"),
    [
        (None, look(home(), order=""), "ok", "not armed"),
        (None, look(home()), "warn", "`inv resume`"),
        (None, look(stage(25), due=AT - timedelta(hours=1)), "fail", "`inv rollback` takes traffic home"),
        (standing(), look(stage(25)), "ok", "watches over"),
        (standing(), look(stage(25, "20261124-000000-ffffff")), "warn", "aws scheduler delete-schedule"),
        (standing(State="DISABLED"), look(stage(25)), "warn", "arms it anew"),
        (standing(Description="nightly"), look(stage(25)), "fail", "set deadman.group"),
    ],
)
def test_doctor_says_how_it_is(there: dict[str, Any] | None, seen: Look, state: str, words: str) -> None:
    """With what to do about it."""
    ((found, said),) = asked(there, seen)
    assert (state, True) == (found, words in said)


def test_doctor_knows_what_aws_lacks(house: House) -> None:
    """A group that is not there, and a grace that is shorter than what AWS takes anyway."""
    assert ["fail", "warn", "ok"] == [state for state, _ in asked(None, look(home(), order=""), grace=30, group=False)]
    assert ["fail", "ok"] == [one.state for one in house.switch(group="ours").diagnose()]
    assert ["ok"] == [one.state for one in house.switch().diagnose()]
