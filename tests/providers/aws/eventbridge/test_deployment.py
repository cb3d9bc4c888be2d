"""Whole deployments behind a real load balancer's API, with a schedule that writes home whatever it finds."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import memory
import pytest
import stories
from lab.aws.elbv2 import forward

from deploytasks.errors import SplitMoved, TakenBack, WayBackFailed
from deploytasks.operations.recovery import recover
from deploytasks.operations.resuming import resume
from deploytasks.operations.returning import roll_back
from deploytasks.providers.aws import session
from deploytasks.smoke import Result
from deploytasks.steps import smoke

from .conftest import ROLE

if TYPE_CHECKING:
    from deploytasks.ports import Call, Calls, Split
    from deploytasks.world import World

    from .conftest import House

GRACE = 600.0


class Seen:
    """The load balancer; the requests of the world in memory go where it sends them."""

    def __init__(self, house: House, state: memory.State) -> None:
        self._traffic, self._state = house.traffic, state

    def read(self) -> Split:
        """And let users follow."""
        split = self._traffic.read()
        if list(split) != self._state.read()["split"]:
            self._state.change(split=list(split))
        return split

    at_rest = read

    def shift(self, to: Split, expect: Split | None = None) -> Call:
        """As it is."""
        return self._traffic.shift(to, expect)

    def prepare(self) -> Calls:
        """It runs."""
        return ()

    def address(self) -> str:
        """Where smoke checks pass."""
        return "memory://shop"


def world(house: House, kind: type[memory.TestWorld] = memory.TestWorld) -> World:
    """As a new process opens it."""
    found = memory.world(house.root, kind=kind, **stories.SHORT)
    sections: dict[str, Any] = found._ports.sections  # type: ignore[attr-defined]  # those of the test
    sections.update(traffic=Seen(house, memory.state_of(house.root)), deadman=house.switch(GRACE))
    return found


def deploy(house: House, kind: type[memory.TestWorld] = memory.TestWorld, version: str = "1.1.0") -> None:
    stories.deploy(world(house, kind), version)


def killed(house: House, kind: str, **facts: object) -> None:
    """A deployment whose process dies at an event."""

    def work() -> None:
        session._client.cache_clear()  # a fork has connections of its own
        deploy(house, stories.when(kind, stories.die, **facts))

    assert stories.in_a_fork(work)


def go_off(house: House) -> None:
    """The deployer has been silent for too long."""
    house.pass_time(GRACE + 60)
    house.fired()


@pytest.fixture
def live(house: House, monkeypatch: pytest.MonkeyPatch) -> House:
    """1.0.0 is live on blue. Smoke checks pass; processes die here, not machines."""
    monkeypatch.setattr(smoke, "run_checks", lambda base, checks: [Result("health", True, "200", 0.0)])
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)
    stories.deploy(stories.world(house.root), "1.0.0")
    house.set(stories.split(house.root))
    house.cloud.seen.clear()
    return house


def test_it_is_disarmed_before_it_is_settled(live: House) -> None:
    """It would not look at the signature: at the good end it is gone first."""
    deploy(live)
    asked = live.cloud.operations()
    signed = [at for at, seen in enumerate(live.cloud.seen) if "settled:" in str(seen.params.get("Tags", ""))]

    assert ("green", "settled") == (live.traffic.read().live, live.traffic.read().verb)
    assert asked.index("DeleteSchedule") < signed[-1]
    assert ({}, {}, []) == (live.scheduler.schedules, live.tags, live.scheduler.shots)


@pytest.mark.parametrize(
    ("kind", "facts", "words"),
    [
        ("shifted", {}, "written by deadman"),
        ("step", {"step": "settle", "state": "began"}, "the dead-man's switch has fired"),
    ],
)
def test_a_deployer_whose_switch_fired_stops(live: House, kind: str, facts: dict[str, object], words: str) -> None:
    """In the middle of the rollout, and after its end: traffic stays home, nothing is signed, the exit code is 5."""
    with pytest.raises(SplitMoved, match=words) as caught:
        deploy(live, stories.when(kind, lambda _: live.scheduler.shots or go_off(live), **facts))

    found = live.traffic.read()
    assert (5, "blue", "deadman") == (caught.value.exit_code, found.live, found.verb)
    assert {} == live.scheduler.schedules


def test_what_fired_is_recorded_and_the_next_deployment_begins_anew(live: House) -> None:
    """Once, whoever comes next."""
    with pytest.raises(SplitMoved):
        deploy(live, stories.when("shifted", lambda _: live.scheduler.shots or go_off(live)))
    live.pass_time(0)
    deploy(live)
    kinds = [event.kind for event in memory.world(live.root).ledger.events()]

    assert (1, "green") == (kinds.count("deadman-fired"), live.traffic.read().live)


def test_a_dead_deployment_is_resumed_after_it_was_taken_home(live: House) -> None:
    """It begins at the first stage again, with a new schedule, and ends well."""
    killed(live, "shifted")
    assert live.traffic.read().is_mixed
    go_off(live)
    assert ("blue", "deadman") == (live.traffic.read().live, live.traffic.read().verb)
    live.pass_time(0)
    resume(world(live))

    assert ("green", "settled", {}) == (live.traffic.read().live, live.traffic.read().verb, live.scheduler.schedules)


def test_a_dead_deployment_is_resumed_before_it_was_taken_home(live: House) -> None:
    """Its schedule is taken over, and has more time from then on."""
    killed(live, "shifted")
    resume(world(live))

    assert ("green", "settled", {}) == (live.traffic.read().live, live.traffic.read().verb, live.scheduler.schedules)


@pytest.mark.parametrize("resumed", [True, False])
def test_killed_between_disarming_and_signing(live: House, resumed: bool) -> None:
    """All is on the new color, and no switch is left that would undo it: resumed it is settled, else taken back."""

    class Dying(memory.TestWorld):
        def perform(self, calls: Calls, *rest: Any, **named: Any) -> None:
            super().perform(calls, *rest, **named)
            if calls and calls[0][0].text.endswith(": disarm"):
                stories.die(self)

    class Halved(Dying):
        def perform(self, calls: Calls, *rest: Any, **named: Any) -> None:
            for batch in calls:
                super().perform([batch], *rest, **named)

    def work() -> None:
        session._client.cache_clear()
        deploy(live, Halved)

    assert stories.in_a_fork(work)
    assert ("green", "deploy", {}) == (live.traffic.read().live, live.traffic.read().verb, live.scheduler.schedules)
    if resumed:
        resume(world(live))
    else:
        recover(world(live))

    found = live.traffic.read()
    assert (("green", "settled") if resumed else ("blue", "back")) == (found.live, found.verb)


def test_a_switch_that_does_not_go_off_its_way_takes_everything_home(live: House) -> None:
    """It cannot be disarmed at the good end: a release that a schedule would undo later is no good end."""
    began = stories.when(
        "step",
        lambda _: live.cloud.fail("scheduler", "DeleteSchedule", "InternalServerException", status=500, times=3),
        step="settle",
        state="began",
    )
    with pytest.raises(TakenBack, match="did not delete the schedule"):
        deploy(live, began)

    assert ("blue", "back", {}) == (live.traffic.read().live, live.traffic.read().verb, live.scheduler.schedules)


def test_somebody_elses_split_is_not_written_over(live: House) -> None:
    """Moved by hand at the console: the deployer stops with 5, and takes its schedule along."""
    by_hand = {"ListenerArn": live.listener, "DefaultActions": [forward((live.blue, 0), (live.green, 1))]}
    with pytest.raises(SplitMoved):
        deploy(live, stories.when("shifted", lambda _: live.elb.modify_listener(by_hand)))

    assert ((0, 1), {}) == (live.weights, live.scheduler.schedules)


def test_a_rollback_stops_the_deployer_and_leaves_no_switch(live: House) -> None:
    """Home is home, whoever went there."""
    with pytest.raises(SplitMoved):
        deploy(live, stories.when("shifted", lambda _: roll_back(world(live))))

    assert ("blue", "back", {}) == (live.traffic.read().live, live.traffic.read().verb, live.scheduler.schedules)


def test_a_rollback_to_the_new_color_stays(live: House) -> None:
    """Somebody decides for green after the deployer died: its schedule must not decide against him later."""
    killed(live, "shifted")
    roll_back(world(live), to="green")

    assert ("green", {}) == (live.traffic.read().live, live.scheduler.schedules)


def test_a_rollback_over_which_the_switch_fires_is_written_again(live: House) -> None:
    """Between the write and the disarming; nobody who signs had moved traffic before."""
    killed(live, "shifted")
    live.elb.modify_listener(
        {"ListenerArn": live.listener, "DefaultActions": [forward((live.blue, 30), (live.green, 70))]}
    )
    live.cloud.before("scheduler", "GetSchedule", lambda: go_off(live))
    roll_back(world(live), to="green")

    assert ("green", "back") == (live.traffic.read().live, live.traffic.read().verb)


def test_a_rollback_elsewhere_that_cannot_disarm_is_an_alarm(live: House) -> None:
    """Traffic is where it was wanted, and will not stay there: 8. Where the switch would put it itself, all is well."""
    killed(live, "shifted")
    live.cloud.fail("scheduler", "DeleteSchedule", "AccessDeniedException", status=403, times=2)
    with pytest.raises(WayBackFailed, match="switch is not off") as caught:
        roll_back(world(live), to="green")

    assert 8 == caught.value.exit_code
    assert roll_back(world(live), to="green").changed is False


def test_a_rollback_of_what_is_settled_asks_no_scheduler(live: House) -> None:
    """Its switch is gone: nothing more than the balancer is needed."""
    deploy(live)
    with live.cloud.counting() as asked:
        roll_back(world(live))

    assert "blue" == live.traffic.read().live
    assert not [one for one in asked if "Schedule" in one]


def test_what_cannot_be_armed_shifts_nothing(live: House) -> None:
    """Whoever deploys may not pass on the role: no request was sent to the new color, and nothing is left at AWS."""
    live.scheduler.unpassable.add(ROLE)
    with pytest.raises(TakenBack, match="may not pass on a role") as caught:
        deploy(live)

    assert (4, {}, {}) == (caught.value.exit_code, live.scheduler.schedules, live.tags)
    assert (100, 0) == live.weights


def test_a_switch_that_throttles_while_moving_traffic_takes_it_home(live: House) -> None:
    """Not armed anew before the next shift: that shift is not made."""
    second = stories.when(
        "shifted",
        lambda _: live.cloud.fail("scheduler", "UpdateSchedule", "ThrottlingException", status=429, times=3),
    )
    with pytest.raises(TakenBack, match="ThrottlingException"):
        deploy(live, second)

    assert ("blue", "back", {}) == (live.traffic.read().live, live.traffic.read().verb, live.scheduler.schedules)
