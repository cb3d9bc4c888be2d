"""The schedule that is a dead-man's switch: its name, its time, all that it says, and whose it is. Pure."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from urllib.parse import quote, unquote

from ....ports import Color

PRECISION = 60.0
"""Seconds after its time within which EventBridge carries out a schedule (User Guide, "Schedule types")."""
OLDEST = 60
"""Seconds after which a failed attempt is not repeated; the least that AWS takes. Its own default is a day: by then, a
way home is a mishap."""
RETRIES = 3
LATE = PRECISION + OLDEST + 60.0
"""Seconds after its time at which no attempt can be under way any more."""

Schedule = Mapping[str, Any]
"""As boto3 has it."""

_KEPT = (
    "Name", "GroupName", "ScheduleExpression", "ScheduleExpressionTimezone", "StartDate", "EndDate", "Description",
    "State", "KmsKeyArn", "Target", "FlexibleTimeWindow", "ActionAfterCompletion",
)  # fmt: skip
_AT = re.compile(r"at\((.+)\)")
_OWNER = re.compile(r"\[deploytasks (\S+) (\S+) (blue|green|none)\]$")


class Owner(NamedTuple):
    """For which deployment a schedule was made, which arming of it this is, and where it sends everybody."""

    deployment: str
    arming: str
    """Random."""
    home: Color | None


class Way(NamedTuple):
    """How the way home is gone: an operation of Elastic Load Balancing as the SDKs name it, and its request."""

    operation: str
    """``modifyListener``."""
    request: Mapping[str, Any]
    partition: str = "aws"

    @property
    def target(self) -> str:
        """The ARN of the universal target."""
        return f"arn:{self.partition}:scheduler:::aws-sdk:elasticloadbalancingv2:{self.operation}"


def name_of(application: str, environment: str) -> str:
    """``deploytasks-shop-production``; at most 64 characters that AWS takes, and another one for each environment."""
    plain = f"deploytasks-{application}-{environment}"
    name = re.sub(r"[^0-9A-Za-z_.-]", "-", plain)
    is_clear = name == plain and len(name) <= 64 and "-" not in application + environment
    return (
        name if is_clear else f"{name[:55]}-{hashlib.sha256(f'{application}/{environment}'.encode()).hexdigest()[:8]}"
    )


def due_after(now: datetime, grace: float) -> datetime:
    """The first whole second at which the grace is over."""
    exact = now.astimezone(UTC) + timedelta(seconds=grace)
    whole = exact.replace(microsecond=0)
    return whole if whole == exact else whole + timedelta(seconds=1)


def expression(due: datetime) -> str:
    """``at(2026-11-23T10:05:00)``: in UTC, and without saying so."""
    return f"at({due.astimezone(UTC):%Y-%m-%dT%H:%M:%S})"


def due_of(schedule: Schedule) -> datetime | None:
    """When it goes off; ``None`` for one that somebody has made into something else."""
    found = _AT.fullmatch(str(schedule.get("ScheduleExpression", "")))
    try:
        return datetime.fromisoformat(found[1]).replace(tzinfo=UTC) if found else None
    except ValueError:
        return None


def owner_of(schedule: Schedule) -> Owner | None:
    """Whose it is; ``None`` when we have not made it."""
    found = _OWNER.search(str(schedule.get("Description", "")))
    if found is None:
        return None
    home: Color | None = "blue" if found[3] == "blue" else "green" if found[3] == "green" else None
    return Owner(unquote(found[1]), found[2], home)


def described(owner: Owner) -> str:
    """For people who look at the schedule, and for us: ``owner_of`` reads it."""
    where = f"All traffic to {owner.home}" if owner.home else "The site is closed"
    mark = f"[deploytasks {quote(owner.deployment, safe='')} {owner.arming} {owner.home or 'none'}]"
    return f"{where}, unless the deployer shows that it lives. {mark}"


def request(
    name: str, group: str, due: datetime, owner: Owner, way: Way, role: str, dead_letters: str | None
) -> dict[str, Any]:
    """All that a schedule says, to create it or to write over one."""
    target: dict[str, Any] = {
        "Arn": way.target,
        "RoleArn": role,
        "Input": json.dumps(way.request, separators=(",", ":")),
        "RetryPolicy": {"MaximumEventAgeInSeconds": OLDEST, "MaximumRetryAttempts": RETRIES},
    }
    if dead_letters is not None:
        target["DeadLetterConfig"] = {"Arn": dead_letters}
    return {
        "Name": name,
        "GroupName": group,
        "Description": described(owner),
        "ScheduleExpression": expression(due),
        "ScheduleExpressionTimezone": "UTC",
        "FlexibleTimeWindow": {"Mode": "OFF"},
        "State": "ENABLED",
        "ActionAfterCompletion": "DELETE",
        "Target": target,
    }


def moved(schedule: Schedule, due: datetime) -> dict[str, Any]:
    """The request that changes its time and nothing else: AWS resets whatever is not said."""
    kept = {key: schedule[key] for key in _KEPT if key in schedule}
    return {**kept, "ScheduleExpression": expression(due)}


def differences(wanted: Schedule, found: Schedule) -> Sequence[str]:
    """The names of what is not as it was asked for."""
    return [key for key, value in wanted.items() if _comparable(key, found.get(key)) != _comparable(key, value)]


def _comparable(key: str, value: Any) -> Any:
    """A target's input as data: the order of keys and blanks mean nothing."""
    if key != "Target" or not isinstance(value, Mapping):
        return value
    try:
        return {**value, "Input": json.loads(value.get("Input", "null"))}
    except ValueError:
        return value
