"""What AWS refuses: one sentence of what it means, the right exit code, and nothing half done."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from deploytasks.errors import DeployError, Unreachable
from deploytasks.ports import Split

if TYPE_CHECKING:
    from .conftest import House

CLAIMED = Split(100, 0, "blue", "deploy:d-17")
STAGE = Split(90, 10, "blue", "deploy:d-17")

WRITES = {
    "ListenerNotFound": "AWS has no such listener",
    "TargetGroupNotFound": "AWS has no such target group",
    "TargetGroupAssociationLimit": "used by another load balancer already",
    "TooManyTargets": "more targets than its quota allows",
    "TooManyUniqueTargetGroupsPerLoadBalancer": "more target groups than its quota allows",
    "InvalidLoadBalancerAction": "AWS does not take these actions together",
}


def refused(house: House) -> DeployError:
    """What comes of a stage that AWS refuses."""
    with pytest.raises(Unreachable) as caught:
        house.traffic().shift(STAGE, expect=CLAIMED).perform(10)
    return caught.value


@pytest.mark.parametrize("code", WRITES)
def test_a_refused_write_leaves_everything_as_it_was(house: House, code: str) -> None:
    """Weights and tags; the error says what it means, where traffic is, and what to do. Code 7."""
    house.set(CLAIMED)
    before = (dict(house.elb.tags[house.listener]), house.elb.weights(house.listener))
    house.cloud.fail("elbv2", "ModifyListener", code)
    error = refused(house)
    assert WRITES[code] in error.what
    assert (error.exit_code, "blue 100 %" in error.state, bool(error.do)) == (7, True, True)
    assert (house.elb.tags[house.listener], house.elb.weights(house.listener)) == before


def test_no_room_for_tags(house: House) -> None:
    """Tags go first, so nothing is written at all."""
    house.elb.tags[house.listener] = {f"tag-{number}": "" for number in range(50)}
    with pytest.raises(Unreachable, match="has 50 tags already"):
        house.traffic().shift(STAGE).perform(10)
    assert "ModifyListener" not in house.cloud.operations()


@pytest.mark.parametrize("kind", ["listener", "rule"])
def test_a_place_that_is_not_there(house: House, kind: str) -> None:
    """``ListenerNotFound``, ``RuleNotFound``: reads say so, and which setting to mend."""
    arn = (
        house.listener[:-4] + "0000"
        if kind == "listener"
        else house.listener.replace(":listener/", ":listener-rule/") + "/00"
    )
    with pytest.raises(Unreachable, match=f"AWS has no such {kind}") as caught:
        house.traffic(**{kind: arn}).read()
    assert (caught.value.exit_code, "traffic.listener or traffic.rule" in caught.value.do) == (7, True)


def test_a_group_that_is_not_there(house: House) -> None:
    """It is found where its targets are asked for, before the first shift."""
    del house.elb.groups[house.green]
    with pytest.raises(Unreachable, match="AWS has no such target group") as caught:
        house.traffic().shift(STAGE, expect=Split(100, 0)).perform(10)
    assert "traffic.groups" in caught.value.do
    assert house.elb.tags[house.listener] == {}


def test_a_group_of_another_load_balancer(house: House) -> None:
    """AWS itself finds it; nothing half done."""
    other = house.elb.group("other-green", [("10.0.0.9", 80)])
    house.elb.listener(other, balancer="other")
    traffic = house.traffic(groups={"blue": house.blue, "green": other})
    with pytest.raises(Unreachable, match="used by another load balancer already"):
        traffic.shift(STAGE).perform(10)
    assert house.traffic().read() == Split(100, 0)


def test_health_that_aws_cannot_tell(house: House) -> None:
    """An error of its own, three times: no first traffic, and nothing was written."""
    house.set(CLAIMED)
    house.cloud.fail("elbv2", "DescribeTargetHealth", "HealthUnavailable", status=500, times=3)
    error = refused(house)
    assert "AWS cannot say how the targets are" in error.what
    assert house.traffic().read() == CLAIMED


def test_a_target_that_is_leaving(house: House) -> None:
    """``InvalidTarget``: the group changes right now; nothing was written."""
    house.set(CLAIMED)
    house.cloud.fail("elbv2", "DescribeTargetHealth", "InvalidTarget")
    error = refused(house)
    assert ("a target is not registered any more" in error.what, error.exit_code) == (True, 7)
    assert house.traffic().read() == CLAIMED


def test_throttling_is_tried_again(house: House) -> None:
    """Twice refused, once made."""
    house.cloud.fail("elbv2", "ModifyListener", "Throttling", times=2)
    house.traffic().shift(STAGE).perform(10)
    assert house.traffic().read() == STAGE
