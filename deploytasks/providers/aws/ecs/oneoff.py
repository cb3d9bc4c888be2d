"""A command in a task of its own: the network, the launch type and the definition are those of a service."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from ....errors import DeployError, GateRefused, Unreachable
from . import logs
from .asking import Ecs
from .settling import id_of, reason

_SIDEWAYS = ("networkConfiguration", "platformVersion")
"""What a task takes over from its service as it is."""


def started_by(what: str) -> str:
    """By what tasks for the same purpose are found: at most 128 characters."""
    return f"deploytasks/{what}"[:128]


def run(
    ecs: Ecs,
    service: Mapping[str, Any],
    revision: str,
    container: str,
    command: str,
    what: str,
    hear: Callable[[str], None] | None = None,
) -> int:
    """Run it, and wait for its end; ``hear`` each line where it logs to CloudWatch. Its exit code.

    Raises ``GateRefused`` while the same still runs, or when there is no room; ``Unreachable`` when it does not start,
    or does not end in time: then it is stopped.
    """
    _require_alone(ecs, what)
    definition, _ = ecs.definition(revision)
    task = _start(ecs, service, revision, container, command, what)
    try:
        ended = _wait(ecs, task, definition, container, hear)
    except BaseException:
        with suppress(DeployError):  # why it is given up matters more
            ecs.ask("stop a task", "stop_task", task=task["taskArn"], reason="Task stopped by user: given up")
        raise
    return _code(ended, container)


def _require_alone(ecs: Ecs, what: str) -> None:
    running = ecs.tasks(f"look for {what}", startedBy=started_by(what), desiredStatus="RUNNING")
    if running:
        raise GateRefused(
            f"{what} still runs, as task {id_of(running[0])}",
            state="it was not started again",
            do="wait for its end, or stop that task",
        )


def _start(
    ecs: Ecs, service: Mapping[str, Any], revision: str, container: str, command: str, what: str
) -> Mapping[str, Any]:
    how: dict[str, Any] = {key: service[key] for key in _SIDEWAYS if service.get(key)}
    if service.get("capacityProviderStrategy"):
        how["capacityProviderStrategy"] = service["capacityProviderStrategy"]
    else:
        how["launchType"] = service.get("launchType", "EC2")
    answer = ecs.ask(
        f"start a task for {what}",
        "run_task",
        taskDefinition=revision,
        startedBy=started_by(what),
        clientToken=uuid.uuid4().hex,  # an answer that is lost starts no second one
        overrides={"containerOverrides": [{"name": container, "command": ["sh", "-c", command]}]},
        **how,
    )
    if not answer["tasks"]:
        why = "; ".join(str(one.get("reason", "")) for one in answer.get("failures", ())) or "no reason is given"
        raise GateRefused(f"ECS has no room for a task: {why}", do="give the cluster more capacity, then try again")
    task: Mapping[str, Any] = answer["tasks"][0]
    return task


def _wait(
    ecs: Ecs,
    task: Mapping[str, Any],
    definition: Mapping[str, Any],
    container: str,
    hear: Callable[[str], None] | None,
) -> Mapping[str, Any]:
    """Until it has ended. A migration is not given up because AWS was silent for a moment, nor because nobody may
    read its log."""
    until = time.monotonic() + ecs.settings.run_within
    place = logs.place_of(definition, container)
    reader = logs.Reader(ecs.site, place, id_of(task)) if place and hear else None
    arn, silence = str(task["taskArn"]), ""
    while True:
        found: Sequence[Mapping[str, Any]] = ()
        try:
            found, silence = ecs.described([arn]), ""
        except Unreachable as error:
            silence = f": {error.what}"
        unread = _handed_on(reader, hear) if reader and hear else ""
        if found and found[0]["lastStatus"] == "STOPPED":
            if unread and hear:
                hear(f"(not all that it said could be read: {unread})")
            return found[0]
        if time.monotonic() >= until:
            raise Unreachable(
                f"it did not end within {ecs.settings.run_within:g} s{silence}", do="`fleet.run_within` says how long"
            )
        time.sleep(ecs.settings.poll)


def _handed_on(reader: logs.Reader, hear: Callable[[str], None]) -> str:
    """Hand on what is new; why it could not be read, or nothing."""
    try:
        for line in reader.new():
            hear(line)
    except DeployError as error:
        return error.what
    return ""


def _code(task: Mapping[str, Any], container: str) -> int:
    code = next((one.get("exitCode") for one in task["containers"] if one["name"] == container), None)
    if code is None:
        raise Unreachable(f"the task did not start: {reason(task)}", do="mend the image or the task definition")
    return int(code)
