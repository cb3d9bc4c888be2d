"""How many targets are healthy, and who waits for them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from lab.aws.elbv2 import forward

from deploytasks.errors import Unreachable
from deploytasks.ports import Split

from .conftest import BLUE_TARGETS, GREEN_TARGETS

if TYPE_CHECKING:
    from .conftest import House

CLAIMED = Split(100, 0, "blue", "deploy:d-17")
STAGE = Split(90, 10, "blue", "deploy:d-17")


@pytest.mark.parametrize(
    ("state", "reason", "said"),
    [
        ("unhealthy", "Target.FailedHealthChecks", "unhealthy (Target.FailedHealthChecks: Health checks failed)"),
        ("initial", "Elb.InitialHealthChecking", "initial (Elb.InitialHealthChecking"),
        ("unavailable", "Elb.InternalError", "unavailable (Elb.InternalError"),
        ("unhealthy.draining", "Target.FailedHealthChecks", "unhealthy.draining"),
    ],
)
def test_whoever_is_not_healthy_gets_no_first_traffic(house: House, state: str, reason: str, said: str) -> None:
    """Whatever else AWS calls it; nothing is written, and the error names state and reason."""
    house.set(CLAIMED)
    house.elb.says(house.green, state, reason)
    with pytest.raises(Unreachable, match="green cannot take traffic: 0 of 2 targets of shop-green healthy") as caught:
        house.traffic().shift(STAGE, expect=CLAIMED).perform(10)
    assert said in caught.value.what
    assert house.traffic().read() == CLAIMED


def test_healthy_ones_are_counted(house: House) -> None:
    """By number and by share: one of two is half."""
    house.elb.says(house.green, "unhealthy", "Target.Timeout", GREEN_TARGETS[0])
    found = house.traffic().targets("green")
    assert (found.healthy, found.share) == (True, 0.5)
    assert not house.traffic(healthy=2).targets("green").healthy
    assert not house.traffic(healthy_share="60%").targets("green").healthy
    house.elb.groups[house.green].targets.clear()
    assert not house.traffic().targets("green").healthy


def test_targets_that_leave_do_not_count(house: House) -> None:
    """A draining one is neither healthy nor missing."""
    house.elb.deregister_targets({"TargetGroupArn": house.green, "Targets": [{"Id": "10.0.0.1", "Port": 8002}]})
    found = house.traffic(healthy_share=1).targets("green")
    assert (found.healthy, found.detail.partition(" (")[0]) == (
        True,
        "1 of 1 targets of shop-green healthy, 1 draining",
    )


def test_what_takes_a_while_is_waited_for(house: House) -> None:
    """Checks run once the group is attached; then traffic goes there."""
    house.elb.groups[house.green].healthy_after = 0.3
    house.listener = house.elb.listener(forward((house.blue, 1), (house.green, 0)))
    began = time.monotonic()
    house.elb.groups[house.green].targets = dict.fromkeys(GREEN_TARGETS, began)
    house.traffic(up_within=20).shift(STAGE, expect=Split(100, 0)).perform(20)
    assert time.monotonic() - began >= 0.3
    assert house.traffic().read() == STAGE


def test_a_group_that_is_not_attached_is_not_judged(house: House) -> None:
    """AWS says `unused` of all its targets: that is no illness."""
    house.listener = house.elb.listener(house.blue, balancer="shop")
    house.elb.rules = {house.listener: house.elb.rules[house.listener]}
    house.elb.modify_listener(
        {"ListenerArn": house.listener, "DefaultActions": house.elb.rules[house.listener].actions}
    )
    found = house.traffic().targets("green")
    assert found.healthy
    assert "nobody checks its 2 targets" in found.detail


def test_a_way_home_waits_for_nobody(house: House) -> None:
    """Sick targets may be better than none: traffic goes there at once."""
    house.set(Split(0, 100, "blue", "deploy:d-17"))
    house.elb.says(house.blue, "unhealthy", "Target.FailedHealthChecks")
    back = Split(100, 0, None, "back:rollback-1")
    with house.cloud.counting() as asked:
        house.traffic(up_within=60).shift(back).perform(10)
    assert "DescribeTargetHealth" not in asked
    assert house.traffic().read() == back


def test_visitors_are_bound_for_as_long_as_stickiness_lasts(house: House) -> None:
    """Counted from when the color got nothing any more; signing anew does not begin it again."""
    house.listener = house.elb.listener(forward((house.blue, 90), (house.green, 10), sticky=600))
    traffic = house.traffic()
    assert traffic.lingering("blue") == pytest.approx(600, abs=60)
    traffic.shift(Split(0, 100, "blue", "deploy:d-17")).perform(10)
    tags = house.elb.tags[house.listener]
    tags["deploytasks:split"] = tags["deploytasks:split"].rpartition(" ")[0] + " since=2026-01-01T00:00:00Z"
    assert traffic.lingering("blue") == 0
    assert traffic.lingering("green") == pytest.approx(600, abs=60)
    traffic.shift(Split(0, 100, "blue", "settled:d-17")).perform(10)
    assert traffic.lingering("blue") == 0


def test_without_stickiness_nobody_lingers(house: House) -> None:
    """Weights are all there is."""
    assert house.traffic().lingering("green") == 0


def test_open_requests_get_the_deregistration_delay(house: House) -> None:
    """Nobody counts them at AWS; after that time none is open any more."""
    house.set(Split(0, 100, "blue", "deploy:d-17"))
    assert house.traffic().drained("blue") == 1
    house.elb.groups[house.blue].attributes["deregistration_delay.timeout_seconds"] = "0"
    assert house.traffic().drained("blue") == 0


@pytest.mark.parametrize("split", [None, CLAIMED])
def test_a_color_that_never_had_traffic_is_drained(house: House, split: Split | None) -> None:
    """Before the first deployment, and once that has signed the weights as they were: nothing is open there."""
    if split:
        house.set(split)
    assert house.traffic().drained("green") == 0
    assert house.traffic().drained("blue") == 1


def test_a_color_without_targets_is_drained(house: House) -> None:
    """Those that were taken out have had their time; one that is still draining has not."""
    house.set(Split(0, 100, "blue", "deploy:d-17"))
    for host, port in BLUE_TARGETS:
        house.elb.deregister_targets({"TargetGroupArn": house.blue, "Targets": [{"Id": host, "Port": port}]})
    assert house.traffic().drained("blue") == 1
    house.elb.groups[house.blue].targets.clear()
    house.elb.groups[house.blue].leaving.clear()
    assert house.traffic().drained("blue") == 0


def test_who_signs_what_somebody_else_moved_counts_from_then(house: House) -> None:
    """A switch that fired left a signature of before: since when the weights were others."""
    house.set(Split(0, 100, "blue", "deploy:d-17"))
    tags = house.elb.tags[house.listener]
    tags["deploytasks:split"] = tags["deploytasks:split"].rpartition(" ")[0] + " since=2026-01-01T00:00:00Z"
    house.elb.rules[house.listener].actions = [forward((house.blue, 100), (house.green, 0))]
    house.set(Split(100, 0, "blue", "deploy:d-18"))
    assert house.traffic().drained("green") == 1


def test_doctor_says_who_stays_where_and_who_is_ill(house: House) -> None:
    """Stickiness of both sorts is a warning; sick targets of the live color are more than that."""
    house.listener = house.elb.listener(forward((house.blue, 1), sticky=600))
    house.elb.groups[house.green].attributes["stickiness.enabled"] = "true"
    house.elb.says(house.blue, "unhealthy", "Target.Timeout")
    found = [(each.subject, each.state) for each in house.traffic().diagnose()]
    assert [state for subject, state in found if subject.startswith("traffic: listener")] == ["ok", "warn"]
    assert ("traffic: stickiness", "warn") in found
    assert ("traffic: shop-blue", "fail") in found
    assert ("traffic: shop-green", "warn") in found
