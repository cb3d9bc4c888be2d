"""Alarms of the lab's CloudWatch, and how they are described."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from .service import AwsError, Params

if TYPE_CHECKING:
    from .cloudwatch import CloudWatch


class Alarm(NamedTuple):
    """A metric alarm, or a composite one (``rule``). ``since``: when its state changed last, Unix time; ``updated``:
    when anything about its state did."""

    name: str
    state: str = "OK"
    since: float = 0.0
    updated: float | None = None
    rule: str = ""
    reason: str = "Threshold Crossed"
    description: str = ""
    actions_enabled: bool = True
    suppressed_by: str = ""
    """``Alarm``, ``WaitPeriod`` or ``ExtensionPeriod``, of a composite alarm."""
    evaluation: str = ""
    """``PARTIAL_DATA``, ``EVALUATION_ERROR`` or ``EVALUATION_FAILURE``."""


_ALONE = ("ChildrenOfAlarmName", "ParentsOfAlarmName")
_KINDS = ("MetricAlarm", "CompositeAlarm", "LogAlarm")


def described(lab: CloudWatch, params: Params) -> Params:
    """One page: composite alarms only where ``AlarmTypes`` asks for them."""
    names, prefix = params.get("AlarmNames"), params.get("AlarmNamePrefix")
    if names is not None and prefix is not None:
        raise AwsError("InvalidParameterCombination", "Cannot specify both AlarmNames and AlarmNamePrefix")
    if any(name in params for name in _ALONE):
        raise AssertionError("the lab knows of no family of an alarm")
    if len(names or ()) > 100 or not 1 <= params.get("MaxRecords", 50) <= 100:
        raise AwsError("ValidationError", "no more than 100 names, and 1 to 100 records")
    if unknown := set(params.get("AlarmTypes", [])) - set(_KINDS):
        raise AwsError("ValidationError", f"no such type of alarm: {sorted(unknown)}")
    found = _found(lab, params)
    start = _place(params.get("NextToken"), len(found))
    page = found[start : start + min(params.get("MaxRecords", 50), lab.page_of_alarms)]
    answer: Params = {
        "MetricAlarms": [_metric(lab, alarm) for alarm in page if not alarm.rule],
        "CompositeAlarms": [_composite(lab, alarm) for alarm in page if alarm.rule],
    }
    if start + len(page) < len(found):
        answer["NextToken"] = f"after-{start + len(page)}"
    return answer


def _found(lab: CloudWatch, params: Params) -> list[Alarm]:
    kinds = params.get("AlarmTypes") or ["MetricAlarm"]
    names = params.get("AlarmNames")
    return [
        alarm
        for _, alarm in sorted(lab.alarms.items())
        if ("CompositeAlarm" if alarm.rule else "MetricAlarm") in kinds
        and (names is None or alarm.name in names)
        and alarm.name.startswith(params.get("AlarmNamePrefix", ""))
        and params.get("StateValue", alarm.state) == alarm.state
    ]


def _place(token: str | None, count: int) -> int:
    if token is None:
        return 0
    number = token.removeprefix("after-")
    if not number.isdigit() or int(number) > count:
        raise AwsError("InvalidNextToken", "The next token specified is invalid.")
    return int(number)


def _common(lab: CloudWatch, alarm: Alarm) -> Params:
    updated = alarm.since if alarm.updated is None else alarm.updated
    return {
        "AlarmName": alarm.name,
        "AlarmArn": lab.arn_of(alarm.name),
        "AlarmDescription": alarm.description,
        "ActionsEnabled": alarm.actions_enabled,
        "StateValue": alarm.state,
        "StateReason": alarm.reason,
        "StateUpdatedTimestamp": datetime.fromtimestamp(updated, UTC),
        "StateTransitionedTimestamp": datetime.fromtimestamp(alarm.since, UTC),
    }


def _metric(lab: CloudWatch, alarm: Alarm) -> Params:
    return {**_common(lab, alarm), **({"EvaluationState": alarm.evaluation} if alarm.evaluation else {})}


def _composite(lab: CloudWatch, alarm: Alarm) -> Params:
    suppressed = {"ActionsSuppressedBy": alarm.suppressed_by} if alarm.suppressed_by else {}
    return {**_common(lab, alarm), "AlarmRule": alarm.rule, **suppressed}
