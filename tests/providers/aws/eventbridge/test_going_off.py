"""A switch that goes off, one that may have, and one that must not: with nobody acting, and with somebody too late."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from deploytasks.errors import SplitMoved, Unreachable
from deploytasks.ports import Split

from .conftest import BLUE, MAY, NAME, NEW, NOW, ROLE, home, stage, until

if TYPE_CHECKING:
    from .conftest import House

DEPLOYER = """
import json, sys, time
from pathlib import Path
sys.path[:0] = {paths!r}
from deploytasks.ports import Split
from deploytasks.providers.aws.alb.traffic import Traffic
from deploytasks.providers.aws.eventbridge import EventBridge
from deploytasks.providers.site import Site
from deploytasks.settings.alb import TrafficSettings
from deploytasks.settings.aws import AwsAccess
from deploytasks.settings.eventbridge import EventBridgeSettings
traffic = TrafficSettings.model_validate({traffic!r})
sections = {{"aws": AwsAccess(region={region!r}, endpoint={url!r}), "traffic": traffic}}
site = Site("shop", "production", Path("."), Path(".deploy"), None, "ann@laptop", sections)
switch = EventBridge(EventBridgeSettings(kind="eventbridge", grace=1.5, role_arn={role!r}), site)
balancer = Traffic(traffic, site)
balancer.shift(Split.all_on("blue", "blue", "deploy:{now}")).perform(10)
switch.arm("{now}", Split.all_on("blue", None, "deadman:{now}")).perform(10)
balancer.shift(Split(75, 25, "blue", "deploy:{now}")).perform(10)
while True:
    switch.beat()
    time.sleep(0.05)
"""


def test_a_deployer_is_killed_and_traffic_goes_home(house: House) -> None:
    """A real process at 25 %: as long as it lives it stays there; after SIGKILL nobody acts, and everything is home."""
    traffic = house.site.sections["traffic"].model_dump(mode="json")
    text = DEPLOYER.format(
        paths=[str(Path(__file__).parents[4])], traffic=traffic, region=house.cloud.region, url=house.cloud.url,
        role=ROLE, now=NOW,
    )  # fmt: skip
    with subprocess.Popen([sys.executable, "-c", text], cwd=house.root, env=dict(os.environ)) as deployer:
        until(lambda: house.weights == (75, 25) and house.cloud.operations("scheduler").count("UpdateSchedule") >= 2)
        deployer.send_signal(signal.SIGKILL)
    house.fired()

    assert (home(), [""]) == (house.traffic.read(), [shot.failure for shot in house.scheduler.shots])
    state = house.switch().state()
    assert not state.armed
    assert state.fired_at is not None
    late = house.scheduler.shots[0].due - state.fired_at  # one beat, if it died between moving it and noting that
    assert timedelta() <= late <= timedelta(seconds=2)


def test_what_it_did_is_news_once(house: House) -> None:
    """Whoever looks, and however often: the same name, until somebody signs what he found."""
    house.out()
    house.pass_time(700)
    house.fired()
    (news,), (again,) = house.switch().news(), house.switch().news()

    assert news == again
    assert ("deadman-fired", house.scheduler.shots[0].due) == (news.kind, news.at)
    assert {"deployment": NOW, "before": list(stage(25)), "split": list(home()), "schedule": NAME} == {
        key: news.facts[key] for key in ("deployment", "before", "split", "schedule")
    }
    house.set(Split.all_on("blue", "blue", f"deploy:{NEW}"))
    assert ([], None) == (list(house.switch().news()), house.switch().state().fired_at)


def test_nothing_is_news_while_nothing_happened(house: House) -> None:
    """Armed, or never armed."""
    assert () == house.switch().news()
    house.out()
    assert () == house.switch().news()


def test_a_deployer_that_comes_back_finds_that_it_has_fired(house: House) -> None:
    """Before its next shift it stops with 5, and makes no new one; no beat of it revives the schedule."""
    switch = house.out()
    house.pass_time(700)
    house.fired()
    with pytest.raises(SplitMoved, match="has fired") as caught:
        switch.arm(NOW, home()).perform(10)
    switch.beat()

    assert (5, {}) == (caught.value.exit_code, house.scheduler.schedules)


def test_a_beat_that_comes_too_late_calls_nothing_off(house: House) -> None:
    """EventBridge takes up to a minute to go off: a way home that has begun is gone to its end."""
    house.scheduler.precision = 2
    switch = house.out(grace=1)
    due = house.schedule["ScheduleExpression"]
    assert switch._mine is not None
    switch._mine.beating.stop(5)
    until(lambda: "is going off" in switch.state().detail)

    assert "is going off" in switch._move()
    assert due == house.schedule["ScheduleExpression"]
    with pytest.raises(Unreachable, match="going off at this moment"):
        house.switch().arm(NEW, home(NEW)).perform(10)
    house.fired()
    assert home() == house.traffic.read()


def test_a_deleted_schedule_is_not_made_again(house: House) -> None:
    """Somebody took it away while its deployer was at work: that has to go home, not on."""
    switch = house.out()
    house.switch().disarm().perform(10)
    with pytest.raises(Unreachable, match="is gone"):
        switch.arm(NOW, home()).perform(10)

    assert {} == house.scheduler.schedules


def test_disarmed_in_time_it_is_over(house: House) -> None:
    """Deleted well before its time it cannot have gone off; twice is once."""
    switch = house.out(green=100)
    switch.disarm().perform(10)
    switch.disarm().perform(10)

    assert ({}, {}, "not armed") == (house.scheduler.schedules, house.tags, switch.state().detail)
    assert stage(100) == house.traffic.read()


def test_disarmed_too_late_it_may_be_at_work(house: House) -> None:
    """Deleted after its time, with traffic not home: it may go home any moment, and nobody may sign anything else."""
    house.scheduler.precision = 60
    switch = house.out(grace=1, green=100)
    assert switch._mine is not None
    switch._mine.beating.stop(5)
    until(lambda: "is going off" in switch.state().detail)
    for _ in range(2):
        with pytest.raises(Unreachable, match="may be at work"):
            switch.disarm().perform(10)
    house.set(Split.all_on("blue", None, f"back:{NOW}"))
    switch.disarm().perform(10)

    assert ({}, {}) == (house.scheduler.schedules, house.tags)


def test_disarmed_after_it_has_fired_it_still_shows(house: House) -> None:
    """What says that it fired is not cleared away before somebody has signed."""
    switch = house.out()
    house.pass_time(700)
    house.fired()
    switch.disarm().perform(10)

    assert home() == house.traffic.read()
    assert switch.state().fired_at is not None


def test_a_deployer_disarms_only_what_is_its_own(house: House) -> None:
    """Somebody newer has taken the schedule over: it is neither moved nor deleted."""
    switch = house.out()
    house.switch().arm(NEW, home(NEW)).perform(10)
    assert "somebody else's" in switch._move()
    switch.disarm().perform(10)

    assert NEW in house.schedule["Description"]


def test_a_schedule_that_does_not_go_away_is_said(house: House) -> None:
    """Deleted, and still there."""
    switch = house.out()
    house.scheduler.delete_schedule = lambda params: {}  # type: ignore[method-assign]  # it only says so
    with pytest.raises(Unreachable, match="still there"):
        switch.disarm().perform(10)


def test_a_role_that_may_not_is_found_out(house: House) -> None:
    """The schedule went off and was refused: traffic is where it was, and everybody who looks is told."""
    house.scheduler.roles = {ROLE: MAY - {"elasticloadbalancing:ModifyListener"}}
    house.out()
    house.pass_time(700)
    house.fired()
    state = house.switch().state()

    assert "may not elasticloadbalancing:ModifyListener" in house.scheduler.shots[0].failure
    assert (False, None) == (state.armed, state.fired_at)
    assert "traffic is not home, at blue 75 % / green 25 %" in state.detail


def test_a_role_that_settled_at_home_leaves_no_alarm(house: House) -> None:
    """A rollback came first: that the schedule went off then changed nothing, and is no news."""
    house.out()
    house.set(Split.all_on("blue", None, "back:rollback-1"))
    house.pass_time(700)
    house.fired()

    assert (None, ()) == (house.switch().state().fired_at, house.switch().news())
    assert BLUE.blue == house.weights[0]
