"""Wait until a service is as it was asked to be; when it does not get there, say why, in ECS' own words."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ....errors import DeployError, Unreachable
from . import logs
from .asking import Ecs

_FAILED = 3
"""Tasks that fail in one deployment before it is given up."""
_EVENTS = 3
_LINES = 5


def stable(ecs: Ecs, name: str, within: float, well: Callable[[], str]) -> None:
    """Wait until a service has one deployment, complete, with all of its tasks, and ``well`` has nothing against it.

    Raises ``Unreachable`` with the reasons of the tasks that stopped, as soon as that many have.
    """
    until = time.monotonic() + within
    began: dict[str, int] = {}
    while True:
        service = ecs.service(name)
        primary = primary_of(service)
        failed = int(primary.get("failedTasks", 0))
        began.setdefault(str(primary["id"]), failed)
        doubt = unsettled(service) or well()
        if not doubt:
            return
        news = failed - began[str(primary["id"])] if primary.get("rolloutState") == "COMPLETED" else failed
        if primary.get("rolloutState") == "FAILED" or news >= _FAILED:
            raise Unreachable(f"{name} does not start: {why(ecs, service)}", do=_DO)
        if time.monotonic() >= until:
            what = f"{name} was not stable within {within:g} s ({doubt}): {why(ecs, service)}"
            raise Unreachable(what, do=_DO)
        time.sleep(ecs.settings.poll)


_DO = "mend the image or the task definition; the tasks that stopped are in the ECS console for an hour"


def emptied(ecs: Ecs, name: str, within: float) -> None:
    """Wait until a service has no task left."""
    until = time.monotonic() + within
    while True:
        service = ecs.service(name)
        left = int(service["runningCount"]) + int(service["pendingCount"])
        if not left:
            return
        if time.monotonic() >= until:
            raise Unreachable(f"{left} tasks of {name} still run after {within:g} s", do="`inv status`, then try again")
        time.sleep(ecs.settings.poll)


def unsettled(service: Mapping[str, Any]) -> str:
    """What is still missing. Pure; empty when nothing is."""
    wanted, running, pending = (int(service[key]) for key in ("desiredCount", "runningCount", "pendingCount"))
    if running != wanted or pending:
        return f"{running} of {wanted} tasks run{f', {pending} pending' if pending else ''}"
    if len(service["deployments"]) != 1:
        return f"{len(service['deployments'])} deployments at once"
    state = primary_of(service).get("rolloutState", "COMPLETED")
    return "" if state == "COMPLETED" else f"its deployment is {state}"


def primary_of(service: Mapping[str, Any]) -> Mapping[str, Any]:
    """The deployment that ECS goes for."""
    deployments: Sequence[Mapping[str, Any]] = service["deployments"]
    return next((one for one in deployments if one["status"] == "PRIMARY"), deployments[0] if deployments else {})


def why(ecs: Ecs, service: Mapping[str, Any]) -> str:
    """The reasons of its tasks that stopped, the last words of one of them, and the service's newest events."""
    try:
        ours = str(primary_of(service).get("taskDefinition", ""))
        stopped = [
            one
            for one in ecs.tasks("list stopped tasks", serviceName=service["serviceName"], desiredStatus="STOPPED")
            if one["taskDefinitionArn"] == ours and is_failure(one)
        ]
    except DeployError as error:
        return error.what
    told = reasons(stopped) or [str(one["message"]) for one in service.get("events", ())[:_EVENTS]]
    said = last_words(ecs, stopped[0]) if stopped else []
    return "; ".join([*told, *([f"it said: {' / '.join(said)}"] if said else [])]) or "ECS gives no reason yet"


def is_failure(task: Mapping[str, Any]) -> bool:
    """Whether a task stopped by itself, and not because its service was made smaller."""
    return not str(task.get("stoppedReason", "")).startswith(("Scaling activity", "Task stopped by user"))


def reasons(tasks: Sequence[Mapping[str, Any]]) -> list[str]:
    """Why tasks stopped, each reason once, with how many there were. Pure."""
    return [f"{count} times: {text}" if count > 1 else text for text, count in Counter(map(reason, tasks)).items()]


def reason(task: Mapping[str, Any]) -> str:
    """Why one task stopped: ``Essential container in task exited (web: code 1)``. Pure."""
    details = []
    for one in task.get("containers", ()):
        told = [f"code {one['exitCode']}"] if "exitCode" in one else []
        told += [str(one["reason"])] if one.get("reason") and one["reason"] != task.get("stoppedReason") else []
        details += [f"{one['name']}: {', '.join(told)}"] if told else []
    why = str(task.get("stoppedReason") or "no reason")
    return f"{why} ({'; '.join(details)})" if details else why


def last_words(ecs: Ecs, task: Mapping[str, Any]) -> list[str]:
    """The end of what a task said."""
    definition, _ = ecs.definition(str(task["taskDefinitionArn"]))
    for one in definition["containerDefinitions"]:
        said = logs.tail(ecs.site, logs.place_of(definition, one["name"]), id_of(task), _LINES)
        if said:
            return said
    return []


def id_of(task: Mapping[str, Any]) -> str:
    """The last part of its ARN, as streams of the log have it."""
    return str(task["taskArn"]).rpartition("/")[2]
