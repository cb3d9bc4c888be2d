"""EventBridge Scheduler with one-time schedules that really go off: from a thread of its own, with nobody acting."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Mapping
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from botocore import xform_name
from botocore.validate import ParamValidator

from . import wire
from .service import AwsError, Params, Service

_AT = re.compile(r"at\((\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})\)")
_RATE = re.compile(r"rate\([1-9]\d* (minute|hour|day)s?\)|cron\([^()]+\)")
_UNIVERSAL = re.compile(r"arn:aws:scheduler:::aws-sdk:([a-z0-9]+):([A-Za-z0-9]+)")
_DEFAULTS = {
    "ScheduleExpressionTimezone": "UTC",
    "State": "ENABLED",
    "ActionAfterCompletion": "NONE",
}
_TICK = 0.02


class Shot(NamedTuple):
    """A schedule that went off: which, when it was due, how often it was tried, and what went wrong, if anything."""

    name: str
    due: datetime
    tries: int
    failure: str


class Scheduler(Service):
    """``Scheduler({"elasticloadbalancingv2": elb})``: what is due is carried out there, as botocore's model has it.

    ``precision``: how many seconds after its time each goes off; at AWS up to 60. ``roles``: what each role may do
    (``elasticloadbalancing:ModifyListener``); ``None``: any role anything. ``clock``: what time it is here.
    """

    name = "scheduler"

    def __init__(
        self,
        targets: Mapping[str, Service],
        *,
        precision: float = 0.0,
        retry_after: float = 0.05,
        most: int = 100,
        roles: Mapping[str, frozenset[str]] | None = None,
    ) -> None:
        super().__init__()
        self.clock: Callable[[], datetime] = lambda: datetime.now(UTC)
        self.precision = precision
        self.roles = roles
        self.unpassable: set[str] = set()
        """Roles for which whoever asks lacks ``iam:PassRole``."""
        self.done: list[str] = []
        """What was asked for in a role's name: ``elbv2:ModifyListener``."""
        self.shots: list[Shot] = []
        self.dead_letters: list[tuple[str, dict[str, Any]]] = []
        """The queue, and what could not be carried out."""
        self.schedules: dict[tuple[str, str], dict[str, Any]] = {}
        self.groups = {"default": self._group("default")}
        self._targets = dict(targets)
        self._retry_after, self._most = retry_after, most
        self._completed: set[tuple[str, datetime]] = set()
        self._tokens: dict[tuple[str, str], tuple[Params, Any]] = {}
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="scheduler", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Nothing goes off from now on."""
        self._ended.set()
        self._thread.join()

    # -- groups --------------------------------------------------------------

    def create_schedule_group(self, params: Params) -> dict[str, Any]:
        _named(params["Name"], "Name")
        if params["Name"] in self.groups:
            raise AwsError("ConflictException", f"Schedule group {params['Name']} already exists.", 409)
        self.groups[params["Name"]] = self._group(params["Name"])
        return {"ScheduleGroupArn": self.groups[params["Name"]]["Arn"]}

    def get_schedule_group(self, params: Params) -> dict[str, Any]:
        return dict(self._known_group(params["Name"]))

    def list_schedule_groups(self, params: Params) -> dict[str, Any]:
        return {"ScheduleGroups": list(self.groups.values())}

    # -- schedules -----------------------------------------------------------

    def create_schedule(self, params: Params) -> dict[str, Any]:
        return self._once("create", params, self._create)

    def update_schedule(self, params: Params) -> dict[str, Any]:
        """What is not said is reset, not kept."""
        return self._once("update", params, self._update)

    def get_schedule(self, params: Params) -> dict[str, Any]:
        return deepcopy(self._known(params))

    def delete_schedule(self, params: Params) -> dict[str, Any]:
        return self._once("delete", params, self._delete)

    def list_schedules(self, params: Params) -> dict[str, Any]:
        if "GroupName" in params:
            self._known_group(params["GroupName"])
        chosen = [
            one
            for key, one in sorted(self.schedules.items())
            if params.get("GroupName", key[0]) == key[0]
            and key[1].startswith(params.get("NamePrefix", ""))
            and params.get("State", one["State"]) == one["State"]
        ]
        first = int(params.get("NextToken", "0"))
        last = first + int(params.get("MaxResults", 100))
        shown = ("Arn", "Name", "GroupName", "State", "CreationDate", "LastModificationDate")
        page = [{**{key: one[key] for key in shown}, "Target": {"Arn": one["Target"]["Arn"]}} for one in chosen]
        more = {"NextToken": str(last)} if last < len(page) else {}
        return {"Schedules": page[first:last], **more}

    def _create(self, params: Params) -> dict[str, Any]:
        made = self._checked(params)
        key = made["GroupName"], made["Name"]
        if key in self.schedules:
            raise AwsError("ConflictException", f"Schedule {made['Name']} already exists.", 409)
        if len(self.schedules) >= self._most:
            raise AwsError("ServiceQuotaExceededException", "The number of schedules is at its limit.", 402)
        self.schedules[key] = {**made, "CreationDate": self.clock(), "LastModificationDate": self.clock()}
        return {"ScheduleArn": made["Arn"]}

    def _update(self, params: Params) -> dict[str, Any]:
        made = self._checked(params)
        before = self._known(params)
        key = made["GroupName"], made["Name"]
        self.schedules[key] = {
            **made, "CreationDate": before["CreationDate"], "LastModificationDate": self.clock()
        }  # fmt: skip
        return {"ScheduleArn": made["Arn"]}

    def _delete(self, params: Params) -> dict[str, Any]:
        self._known(params)
        del self.schedules[params.get("GroupName", "default"), params["Name"]]
        return {}

    def _once(self, what: str, params: Params, work: Callable[[Params], Any]) -> Any:
        """The same token again is answered as the first time, and not done again."""
        asked = {key: value for key, value in params.items() if key != "ClientToken"}
        token = what, str(params.get("ClientToken", ""))
        if token[1] and token in self._tokens:
            before, answer = self._tokens[token]
            if before != asked:
                raise AwsError("ConflictException", "This ClientToken was used with other parameters.", 409)
            return answer
        answer = work(asked)
        if token[1]:
            self._tokens[token] = asked, answer
        return answer

    def _known(self, params: Params) -> dict[str, Any]:
        group, name = self._known_group(params.get("GroupName", "default"))["Name"], params["Name"]
        if (group, name) not in self.schedules:
            raise AwsError("ResourceNotFoundException", f"Schedule {name} does not exist.", 404)
        return self.schedules[group, name]

    def _known_group(self, name: str) -> dict[str, Any]:
        if name not in self.groups:
            raise AwsError("ResourceNotFoundException", f"Schedule group {name} does not exist.", 404)
        return self.groups[name]

    def _group(self, name: str) -> dict[str, Any]:
        now = self.clock()
        arn = self.arn(f"schedule-group/{name}")
        return {"Arn": arn, "Name": name, "State": "ACTIVE", "CreationDate": now, "LastModificationDate": now}

    # -- what AWS refuses ----------------------------------------------------

    def _checked(self, params: Params) -> dict[str, Any]:
        """All that a schedule is, with what was not said as its default. Raises as AWS does."""
        made = {**_DEFAULTS, "GroupName": "default", **deepcopy(params)}
        _named(made["Name"], "Name")
        _named(made["GroupName"], "GroupName")
        self._known_group(made["GroupName"])
        due = due_of(made)
        if due is not None and due < self.clock():
            raise _invalid(f"Invalid Schedule Expression {made['ScheduleExpression']}: it is in the past.")
        _check_window(made["FlexibleTimeWindow"])
        if len(made.get("Description", "")) > 512:
            raise _invalid("Description is longer than 512 characters.")
        made["Target"] = self._checked_target(made["Target"])
        return {**made, "Arn": self.arn(f"schedule/{made['GroupName']}/{made['Name']}")}

    def _checked_target(self, target: dict[str, Any]) -> dict[str, Any]:
        found = _UNIVERSAL.fullmatch(target["Arn"])
        if found is None or xform_name(found[2]) not in _operations(found[1]):
            raise _invalid(f"{target['Arn']} is not a supported target.")
        try:
            json.loads(target.get("Input", "{}"))
        except ValueError as error:
            raise _invalid("Input is not valid JSON.") from error
        retry = {"MaximumEventAgeInSeconds": 86400, "MaximumRetryAttempts": 185, **target.get("RetryPolicy", {})}
        if not 60 <= retry["MaximumEventAgeInSeconds"] <= 86400 or not 0 <= retry["MaximumRetryAttempts"] <= 185:
            raise _invalid("RetryPolicy is out of its range.")
        queue = target.get("DeadLetterConfig", {}).get("Arn")
        if queue is not None and not re.fullmatch(r"arn:aws[a-z-]*:sqs:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]+", queue):
            raise _invalid(f"{queue} is not a queue.")
        role = target["RoleArn"]
        if not re.fullmatch(r"arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]+", role):
            raise _invalid(f"{role} is not a role.")
        if role in self.unpassable:
            told = f"User is not authorized to perform: iam:PassRole on resource: {role}"
            raise AwsError("AccessDeniedException", told, 403)
        if self.roles is not None and role not in self.roles:
            raise _invalid("The execution role you provide must allow AWS EventBridge Scheduler to assume the role.")
        return {**target, "RetryPolicy": retry}

    # -- going off -----------------------------------------------------------

    def _keep(self) -> None:
        while not self._ended.wait(_TICK):
            for schedule in self._due():
                self._shoot(schedule)

    def _due(self) -> list[dict[str, Any]]:
        with self.lock:
            now = self.clock() - timedelta(seconds=self.precision)
            known = [(one, due_of(one)) for one in self.schedules.values() if one["State"] == "ENABLED"]
            due = [one for one, when in known if when is not None and when <= now]
            return [deepcopy(one) for one in due if (one["Arn"], due_of(one)) not in self._completed]

    def _shoot(self, schedule: dict[str, Any]) -> None:
        due = due_of(schedule)
        assert due is not None
        failure, tries = self._tried(schedule, due)
        with self.lock:
            queue = schedule["Target"].get("DeadLetterConfig", {}).get("Arn")
            if failure and queue:
                self.dead_letters.append((queue, schedule))
            self.shots.append(Shot(schedule["Name"], due, tries, failure))
            key = schedule["GroupName"], schedule["Name"]
            if due_of(self.schedules.get(key, {})) == due:  # nobody has changed it meanwhile
                if schedule["ActionAfterCompletion"] == "DELETE":
                    del self.schedules[key]
                else:
                    self._completed.add((schedule["Arn"], due))

    def _tried(self, schedule: dict[str, Any], due: datetime) -> tuple[str, int]:
        """What went wrong at last, and how often it was tried."""
        policy = schedule["Target"]["RetryPolicy"]
        for tries in range(1, policy["MaximumRetryAttempts"] + 2):
            try:
                self._carry_out(schedule["Target"])
            except AwsError as error:
                age = (self.clock() - due).total_seconds()
                if tries > policy["MaximumRetryAttempts"] or age > policy["MaximumEventAgeInSeconds"]:
                    return str(error), tries
                if self._ended.wait(self._retry_after):
                    return str(error), tries
            else:
                return "", tries
        raise AssertionError("it has been tried once at least")

    def _carry_out(self, target: dict[str, Any]) -> None:
        """Ask the service, as whoever calls it over HTTP would: held against botocore's model."""
        found = _UNIVERSAL.fullmatch(target["Arn"])
        assert found is not None
        service = self._targets.get(found[1])
        if service is None:
            raise AwsError("AccessDeniedException", f"the lab has no {found[1]}", 403)
        model = wire.model_of(service.name)
        operation = model.operation_model(found[2][0].upper() + found[2][1:])
        self._require(target["RoleArn"], f"{_IAM.get(service.name, service.name)}:{operation.name}")
        params = json.loads(target.get("Input", "{}"))
        report = ParamValidator().validate(params, operation.input_shape)
        unknown = sorted(set(params) - set(operation.input_shape.members))
        if report.has_errors() or unknown:
            raise AwsError("ValidationException", report.generate_report() or f"unknown: {unknown}")
        self.done.append(f"{service.name}:{operation.name}")
        with service.lock:
            getattr(service, xform_name(operation.name))(params)

    def _require(self, role: str, action: str) -> None:
        if self.roles is not None and action not in self.roles.get(role, frozenset()):
            raise AwsError("AccessDeniedException", f"{role} may not {action}", 403)


_IAM = {"elbv2": "elasticloadbalancing"}
"""A service in the words of a policy."""
_SERVICES = {"elasticloadbalancingv2": "elbv2"}


def due_of(schedule: Mapping[str, Any]) -> datetime | None:
    """When a one-time schedule goes off; ``None``: it is none. Raises ``AwsError`` for what AWS does not understand."""
    expression = schedule.get("ScheduleExpression")
    if expression is None:
        return None
    if _RATE.fullmatch(expression):
        return None
    found = _AT.fullmatch(expression)
    try:
        zone = ZoneInfo(schedule.get("ScheduleExpressionTimezone", "UTC"))
        return datetime.fromisoformat(found[1] if found else "").replace(tzinfo=zone).astimezone(UTC)
    except (ValueError, ZoneInfoNotFoundError) as error:
        raise _invalid(f"Invalid Schedule Expression {expression}.") from error


def _operations(service: str) -> frozenset[str]:
    if service not in _SERVICES:
        return frozenset()
    return frozenset(xform_name(name) for name in wire.model_of(_SERVICES[service]).operation_names)


def _check_window(window: Mapping[str, Any]) -> None:
    minutes = window.get("MaximumWindowInMinutes")
    if (window["Mode"] == "OFF") != (minutes is None) or not 1 <= (minutes or 1) <= 1440:
        raise _invalid("FlexibleTimeWindow: MaximumWindowInMinutes goes with FLEXIBLE, and only there.")


def _named(name: str, what: str) -> None:
    if not re.fullmatch(r"[0-9a-zA-Z\-_.]{1,64}", name):
        raise _invalid(f"{what} {name!r} must be 1 to 64 of 0-9a-zA-Z-_.")


def _invalid(why: str) -> AwsError:
    return AwsError("ValidationException", why)
