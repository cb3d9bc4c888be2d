"""What is armed is what was asked for; who may arm, and who may not."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from deploytasks.errors import DeployError, SplitMoved, Unreachable, UsageError
from deploytasks.ports import Split
from deploytasks.providers.aws.eventbridge.schedule import due_of

from .conftest import NAME, NEW, NOW, OLD, QUEUE, ROLE, home, stage, until

if TYPE_CHECKING:
    from .conftest import House


def test_the_schedule_puts_everything_home(house: House) -> None:
    """One-time, deleted afterwards, with few retries; its target is the request that changes the listener."""
    house.switch(dead_letters=QUEUE).arm(NOW, home()).perform(10)
    found = house.schedule

    due = due_of(found)
    assert due is not None
    assert 590 < (due - datetime.now(UTC)).total_seconds() < 602
    assert (NAME, "DELETE", "ENABLED", {"Mode": "OFF"}) == (
        found["Name"], found["ActionAfterCompletion"], found["State"], found["FlexibleTimeWindow"],
    )  # fmt: skip
    target = found["Target"]
    assert "arn:aws:scheduler:::aws-sdk:elasticloadbalancingv2:modifyListener" == target["Arn"]
    assert (ROLE, {"Arn": QUEUE}) == (target["RoleArn"], target["DeadLetterConfig"])
    assert {"MaximumEventAgeInSeconds": 60, "MaximumRetryAttempts": 3} == target["RetryPolicy"]
    asked = json.loads(target["Input"])
    groups = [{"TargetGroupArn": house.blue, "Weight": 100}, {"TargetGroupArn": house.green, "Weight": 0}]
    assert [house.listener, groups] == [
        asked["ListenerArn"], asked["DefaultActions"][0]["ForwardConfig"]["TargetGroups"]
    ]  # fmt: skip


def test_the_balancer_knows_whose_switch_it_is(house: House) -> None:
    """By tags that are there before the schedule is, and gone once it is."""
    switch = house.switch()
    seen: list[dict[str, str]] = []
    house.cloud.before("scheduler", "CreateSchedule", lambda: seen.append(house.tags))
    switch.arm(NOW, home()).perform(10)

    assert [{"deploytasks:home": f"blue {NOW}", "deploytasks:due": house.tags["deploytasks:due"]}] == seen
    switch.disarm().perform(10)
    assert ({}, {}) == (house.tags, house.scheduler.schedules)


def test_a_rule_is_changed_as_a_rule(house: House) -> None:
    """And its other actions stay as they are."""
    rule = house.elb.rule(house.listener, 5, house.blue)
    house.place = {"rule": rule}
    house.out(green=10)
    house.pass_time(700)
    house.fired()

    assert [""] == [shot.failure for shot in house.scheduler.shots]
    assert {"shop-blue": 100, "shop-green": 0} == house.elb.weights(rule)
    assert home() == house.traffic.read()


def test_every_other_action_stays(house: House) -> None:
    """What somebody has changed since the switch was armed first is taken along when it is armed again."""
    switch = house.out()
    login = {
        "Type": "authenticate-oidc",
        "Order": 1,
        "AuthenticateOidcConfig": {
            "Issuer": "https://id.example", "AuthorizationEndpoint": "https://id.example/a",
            "TokenEndpoint": "https://id.example/t", "UserInfoEndpoint": "https://id.example/u",
            "ClientId": "shop", "ClientSecret": "hidden",
        },
    }  # fmt: skip
    forward = {**house.elb.rules[house.listener].actions[-1], "Order": 2}
    with house.elb.lock:
        house.elb.modify_listener({"ListenerArn": house.listener, "DefaultActions": [login, forward]})
    switch.arm(NOW, home()).perform(10)
    house.pass_time(700)
    house.fired()

    assert [""] == [shot.failure for shot in house.scheduler.shots]
    kinds = [action["Type"] for action in house.elb.rules[house.listener].actions]
    assert (["authenticate-oidc", "forward"], (100, 0)) == (kinds, house.weights)


def test_a_first_release_has_nothing_to_go_home_to(house: House) -> None:
    """Where nothing was exposed before, the switch closes the site again."""
    closed = Split.all_on(None)
    house.set(closed._replace(writer=f"deploy:{NOW}"))
    house.switch().arm(NOW, closed).perform(10)
    house.set(Split.all_on("green", None, f"deploy:{NOW}"))
    house.pass_time(700)
    house.fired()

    assert closed._replace(writer=f"deadman:{NOW}") == house.traffic.read()


def test_armed_again_it_has_more_time(house: House) -> None:
    """Before each shift: the same schedule, later; nothing of it is lost."""
    switch = house.switch(dead_letters=QUEUE)
    switch.arm(NOW, home()).perform(10)
    before = {**house.schedule, "LastModificationDate": None, "ScheduleExpression": None}
    house.schedule["ScheduleExpression"] = f"at({datetime.now(UTC) + timedelta(seconds=30):%Y-%m-%dT%H:%M:%S})"
    switch.arm(NOW, home()).perform(10)

    due = due_of(house.schedule)
    assert due is not None
    assert due > datetime.now(UTC) + timedelta(minutes=9)
    assert before == {**house.schedule, "LastModificationDate": None, "ScheduleExpression": None}
    assert due.isoformat() == house.tags["deploytasks:due"]


@pytest.mark.parametrize("deployment", [OLD, NOW])
def test_a_dead_deployers_switch_is_taken_over(house: House, deployment: str) -> None:
    """One for an older deployment, or for this one before it was resumed."""
    house.switch().arm(deployment, home(deployment)).perform(10)
    house.switch().arm(NOW, home()).perform(10)

    assert f"blue {NOW}" == house.tags["deploytasks:home"]
    assert NOW in house.schedule["Description"]


def test_a_newer_deployments_switch_is_left_alone(house: House) -> None:
    """Somebody else is at work: 5, and his schedule is as it was; standing down takes away nothing of his."""
    house.switch().arm(NEW, home(NEW)).perform(10)
    before = dict(house.schedule)
    late = house.switch()
    with pytest.raises(SplitMoved, match=f"armed for {NEW}") as caught:
        late.arm(NOW, home()).perform(10)

    assert ((), 5, before) == (late.stand_down(), caught.value.exit_code, house.schedule)


def test_a_strangers_schedule_is_left_alone(house: House) -> None:
    """Of our name, and not as we make them: whoever has it is asked to choose."""
    switch = house.switch()
    switch.arm(NOW, home()).perform(10)
    house.schedule["Description"] = "nightly report"
    with pytest.raises(UsageError, match="not ours"):
        house.switch().arm(NOW, home()).perform(10)
    switch.disarm().perform(10)

    assert "nightly report" == house.schedule["Description"]


@pytest.mark.parametrize(
    ("operation", "times"),
    [("CreateSchedule", 1), ("CreateSchedule", 3), ("UpdateSchedule", 1), ("UpdateSchedule", 3), ("DeleteSchedule", 1)],
)
def test_a_lost_answer_changes_nothing(house: House, operation: str, times: int) -> None:
    """Whether boto3 asks again by itself, or we do after it gave up."""
    switch = house.switch()
    if operation != "CreateSchedule":
        switch.arm(NOW, home()).perform(10)
    house.cloud.drop_answer("scheduler", operation, times=times)
    call = switch.disarm() if operation == "DeleteSchedule" else switch.arm(NOW, home())
    try:
        call.perform(10)
    except DeployError:
        assert 3 == times
        call.perform(10)

    is_armed = operation != "DeleteSchedule"
    assert (is_armed, is_armed) == (bool(house.scheduler.schedules), bool(house.tags))


def test_an_answer_that_is_lost_for_good_is_read_back(house: House) -> None:
    """AWS says that there is a schedule of this name already; it is ours."""
    switch = house.switch()
    once = house.scheduler.create_schedule

    def twice(params: dict[str, object]) -> dict[str, object]:
        once({**params, "ClientToken": "the-first-one"})
        return once(params)

    house.scheduler.create_schedule = twice  # type: ignore[method-assign]  # the first request has been forgotten
    switch.arm(NOW, home()).perform(10)

    assert switch.state().armed


@pytest.mark.parametrize(
    ("code", "status", "why", "words", "kind"),
    [
        ("ResourceNotFoundException", 404, "", "the schedule group default is not there", UsageError),
        ("ConflictException", 409, "", "somebody else has just made the schedule", SplitMoved),
        ("ValidationException", 400, "role must trust", "refuses the schedule .*: role must trust", UsageError),
        ("ThrottlingException", 429, "", "ThrottlingException", Unreachable),
        ("ServiceQuotaExceededException", 402, "limit is 1", "no more schedules: limit is 1", Unreachable),
        ("AccessDeniedException", 403, "", "AccessDeniedException", Unreachable),
        ("AccessDeniedException", 403, "no iam:PassRole on it", "may not pass on a role", Unreachable),
        ("InternalServerException", 500, "", "InternalServerException", Unreachable),
    ],
)
def test_what_aws_refuses_is_one_sentence(
    house: House, code: str, status: int, why: str, words: str, kind: type[DeployError]
) -> None:
    """With the state things are in, and what to do; nothing is left at AWS."""
    house.cloud.fail("scheduler", "CreateSchedule", code, status=status, why=why, times=3)
    with pytest.raises(kind, match=words) as caught:
        house.switch().arm(NOW, home()).perform(10)

    assert caught.value.state
    assert caught.value.do
    assert ({}, {}, (100, 0)) == (house.scheduler.schedules, house.tags, house.weights)


def test_what_differs_from_what_was_asked_for_is_not_armed(house: House) -> None:
    """Read back, and deleted again."""
    house.cloud.before("scheduler", "GetSchedule", lambda: None)
    house.cloud.before("scheduler", "GetSchedule", lambda: house.schedule["Target"].update(RoleArn=ROLE + "-old"))
    with pytest.raises(Unreachable, match="not as it was asked for: Target"):
        house.switch().arm(NOW, home()).perform(10)

    assert ({}, {}) == (house.scheduler.schedules, house.tags)


def test_beats_move_it(house: House) -> None:
    """Several graces long, as long as somebody lives; and nothing else of it changes."""
    switch = house.out(grace=2)
    first = due_of(house.schedule)
    before = {**house.schedule, "LastModificationDate": None, "ScheduleExpression": None}
    assert first is not None

    def is_later() -> bool:
        switch.beat()
        return (due_of(house.schedule) or first) >= first + timedelta(seconds=2)

    until(is_later)
    assert before == {**house.schedule, "LastModificationDate": None, "ScheduleExpression": None}
    assert (stage(25), []) == (house.traffic.read(), house.scheduler.shots)
    assert switch.state().armed


def test_nobody_else_can_beat(house: House) -> None:
    """Whoever looks must not keep a dead deployer alive."""
    house.out()
    with house.cloud.counting() as asked:
        house.switch().beat()

    assert [] == asked


def test_a_beat_that_fails_shows(house: House) -> None:
    """It never raises, and the next one may arrive."""
    switch = house.out(grace=1.5)
    house.cloud.fail("scheduler", "UpdateSchedule", "AccessDeniedException", status=403, times=1)

    def says(word: str) -> bool:
        switch.beat()
        return word in switch.state().detail

    until(lambda: says("beats fail: AWS did not change the schedule: AccessDeniedException"))
    until(lambda: not says("beats fail"))
