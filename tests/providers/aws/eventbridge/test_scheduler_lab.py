"""The lab's Scheduler is as strict as AWS documents it, and really goes off."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from lab.aws import Cloud
from lab.aws.elbv2 import ElasticLoadBalancing, forward
from lab.aws.scheduler import Scheduler

MODIFY = "arn:aws:scheduler:::aws-sdk:elasticloadbalancingv2:modifyListener"
ROLE = "arn:aws:iam::123456789012:role/way-home"


class Scene:
    """A listener at 75 / 25, and a scheduler that can change it."""

    def __init__(self) -> None:
        self.elb = ElasticLoadBalancing()
        self.blue, self.green = self.elb.group("shop-blue"), self.elb.group("shop-green")
        self.listener = self.elb.listener(forward((self.blue, 75), (self.green, 25)))
        self.scheduler = Scheduler({"elasticloadbalancingv2": self.elb}, roles={ROLE: MAY})
        self.cloud = Cloud(self.elb, self.scheduler)

    @property
    def client(self) -> Any:
        """boto3's own, that tries once."""
        config = Config(retries={"total_max_attempts": 1})
        return boto3.client("scheduler", endpoint_url=self.cloud.url, region_name=self.cloud.region, config=config)

    def home(self, *, arn: str = "") -> str:
        """What is asked of the load balancer."""
        actions = [forward((self.blue, 100), (self.green, 0))]
        return json.dumps({"ListenerArn": arn or self.listener, "DefaultActions": actions})

    def asked(self, **changes: Any) -> dict[str, Any]:
        """A schedule that is due in a second."""
        target = {"Arn": MODIFY, "RoleArn": ROLE, "Input": self.home(), **changes.pop("Target", {})}
        usual = {
            "Name": "home",
            "ScheduleExpression": at(timedelta(seconds=1)),
            "FlexibleTimeWindow": {"Mode": "OFF"},
            "ActionAfterCompletion": "DELETE",
            "Target": target,
        }
        return {**usual, **changes}


MAY = frozenset({"elasticloadbalancing:ModifyListener"})


@pytest.fixture
def scene() -> Iterator[Scene]:
    found = Scene()
    with found.cloud:
        yield found


def at(ahead: timedelta) -> str:
    return f"at({datetime.now(UTC) + ahead:%Y-%m-%dT%H:%M:%S})"


def until(claim: Callable[[], object], seconds: float = 10.0) -> None:
    """Wait for it."""
    end = time.monotonic() + seconds
    while not claim():
        assert time.monotonic() < end, "it did not become true"
        time.sleep(0.02)


def test_it_goes_off_and_is_gone(scene: Scene) -> None:
    """With nobody acting, the listener has what the schedule said; a schedule that was to be deleted then is."""
    scene.client.create_schedule(**scene.asked())
    until(lambda: scene.scheduler.shots)

    assert {"shop-blue": 100, "shop-green": 0} == scene.elb.weights(scene.listener)
    assert [("home", 1, "")] == [(shot.name, shot.tries, shot.failure) for shot in scene.scheduler.shots]
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        scene.client.get_schedule(Name="home")


@pytest.mark.parametrize(
    "changes",
    [
        {"ScheduleExpression": "at(2030-01-01T10:00:00Z)"},
        {"ScheduleExpression": "at(2030-01-01T10:00:00+00:00)"},
        {"ScheduleExpression": "at(2030-02-30T10:00:00)"},
        {"ScheduleExpression": at(timedelta(hours=-1))},
        {"ScheduleExpression": at(timedelta(hours=1)), "ScheduleExpressionTimezone": "Mars/Base"},
        {"Name": "n" * 65},
        {"Name": "two words"},
        {"FlexibleTimeWindow": {"Mode": "FLEXIBLE"}},
        {"FlexibleTimeWindow": {"Mode": "OFF", "MaximumWindowInMinutes": 5}},
        {"Target": {"Arn": MODIFY.replace("modifyListener", "modifyEverything")}},
        {"Target": {"Input": "{"}},
        {"Target": {"RetryPolicy": {"MaximumEventAgeInSeconds": 86401}}},
        {"Target": {"RetryPolicy": {"MaximumRetryAttempts": 186}}},
        {"Target": {"RoleArn": ROLE + "-that-trusts-nobody"}},
        {"Target": {"DeadLetterConfig": {"Arn": "arn:aws:sns:eu-central-1:123456789012:topic"}}},
    ],
)
def test_what_aws_refuses_is_refused(scene: Scene, changes: dict[str, Any]) -> None:
    """With the code that AWS has for it, and without a schedule."""
    with pytest.raises(ClientError, match="ValidationException"):
        scene.client.create_schedule(**scene.asked(**changes))

    assert not scene.scheduler.schedules


def test_a_name_is_there_once(scene: Scene) -> None:
    """A second one is a conflict; the same request again, by its token, is the first one's answer."""
    later = scene.asked(ScheduleExpression=at(timedelta(hours=1)))
    first = scene.client.create_schedule(**later, ClientToken="one")

    assert first["ScheduleArn"] == scene.client.create_schedule(**later, ClientToken="one")["ScheduleArn"]
    with pytest.raises(ClientError, match="ConflictException"):
        scene.client.create_schedule(**later, ClientToken="two")


def test_an_update_resets_what_it_does_not_say(scene: Scene) -> None:
    """Description and deletion were there before."""
    scene.client.create_schedule(**scene.asked(Description="ours", ScheduleExpression=at(timedelta(hours=1))))
    changed = scene.asked(ScheduleExpression=at(timedelta(hours=2)))
    del changed["ActionAfterCompletion"]
    scene.client.update_schedule(**changed)
    found = scene.client.get_schedule(Name="home")

    assert ("NONE", None) == (found["ActionAfterCompletion"], found.get("Description"))
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        scene.client.update_schedule(**{**changed, "Name": "other"})


def test_groups_must_be_there(scene: Scene) -> None:
    """A schedule belongs to one that exists; its name counts there."""
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        scene.client.create_schedule(**scene.asked(GroupName="ours"))
    scene.client.create_schedule_group(Name="ours")
    for group in ("ours", "default"):
        scene.client.create_schedule(**scene.asked(GroupName=group, ScheduleExpression=at(timedelta(hours=1))))

    assert ["default", "ours"] == [one["GroupName"] for one in scene.client.list_schedules()["Schedules"]]
    assert ["ours"] == [one["GroupName"] for one in scene.client.list_schedules(GroupName="ours")["Schedules"]]


def test_what_fails_is_tried_again_and_then_a_dead_letter(scene: Scene) -> None:
    """As often as the policy says; the listener stays as it was."""
    queue = "arn:aws:sqs:eu-central-1:123456789012:failed"
    gone = scene.home(arn=scene.listener + "0")
    policy = {"MaximumEventAgeInSeconds": 60, "MaximumRetryAttempts": 2}
    target = {"Input": gone, "RetryPolicy": policy, "DeadLetterConfig": {"Arn": queue}}
    scene.client.create_schedule(**scene.asked(Target=target))
    until(lambda: scene.scheduler.shots)

    assert [(queue, "home")] == [(at_, one["Name"]) for at_, one in scene.scheduler.dead_letters]
    assert 3 == scene.scheduler.shots[0].tries
    assert "ListenerNotFound" in scene.scheduler.shots[0].failure
    assert {"shop-blue": 75, "shop-green": 25} == scene.elb.weights(scene.listener)


def test_a_role_can_do_what_its_policy_allows(scene: Scene) -> None:
    """And nothing more; passing it on has a permission of its own."""
    rule = scene.elb.rule(scene.listener, 5, scene.green)
    asked = json.dumps({"RuleArn": rule, "Actions": [forward((scene.blue, 1))]})
    other = {"Arn": MODIFY.replace("modifyListener", "modifyRule"), "Input": asked}
    none = {"RetryPolicy": {"MaximumRetryAttempts": 0}}
    scene.client.create_schedule(**scene.asked(Target={**other, **none}))
    until(lambda: scene.scheduler.shots)
    scene.scheduler.unpassable.add(ROLE)

    assert "may not elasticloadbalancing:ModifyRule" in scene.scheduler.shots[0].failure
    with pytest.raises(ClientError, match="iam:PassRole"):
        scene.client.create_schedule(**scene.asked())
