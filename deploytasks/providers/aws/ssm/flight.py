"""A command on its way: sent to 50 instances at a time, looked after until all have ended, and cancelled if need be."""

from __future__ import annotations

import contextlib
import math
import secrets
import threading
import time
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import botocore.exceptions

from ....errors import DeployError, GateRefused, Unreachable, UsageError
from ....settings.ssm_fleet import SsmFleetSettings
from ...site import Site
from ..session import Known, client, code_of, translated
from . import told, wrapping
from .broker import Job, Task
from .bucket import Bucket
from .roll import Roll
from .wrapping import Given, Wrapping

_MOST = 50
"""Instances of one command, and of one page of its answers."""
_FIRST_LOOK = 0.25
_SLOWER = 1.5
_EMPTY = 3.0
"""Seconds after which a command without an answer of anybody is looked at itself."""
_AFTER = 10
"""Seconds that SSM's agent leaves to our own watcher."""
_SLACK = 15.0
"""Seconds beside those until a command must be taken and those that it may take."""
_SOON = 8.0
"""Seconds instead of all of these for whoever watches: health is asked again and again."""
_PAUSE = 1.0
"""Seconds until SSM is asked again when it was busy for all that boto3 has tried."""
_BUSY = frozenset({"ThrottlingException", "Throttling", "TooManyRequestsException", "RequestLimitExceeded"})
ALL = "100%"


class Flight(NamedTuple):
    """A command under way: its id, and the jobs that it is for, by instance."""

    command: str
    jobs: dict[str, Job]
    sent: float
    until: float


class Sender:
    """Carries tasks out for ``Broker``."""

    def __init__(self, settings: SsmFleetSettings, site: Site, roll: Roll, bucket: Bucket, root: str) -> None:
        self._settings = settings
        self._site = site
        self._roll = roll
        self._bucket = bucket
        self._root = root

    @cached_property
    def _ssm(self) -> Any:
        return client("ssm", self._site)

    def carry_out(self, task: Task, jobs: Sequence[Job], given_up: threading.Event) -> None:
        """Give each job its value or its error. Whatever is left over when this is left is cancelled."""
        run = _Run(self, task, jobs, given_up)
        try:
            run.send()
            run.look_after()
        except BaseException:
            run.cancel()
            raise


class _Run:
    """One task for some hosts."""

    def __init__(self, sender: Sender, task: Task, jobs: Sequence[Job], given_up: threading.Event) -> None:
        self._ssm = sender._ssm  # noqa: SLF001  # a part of it
        self._settings = sender._settings  # noqa: SLF001
        self._site = sender._site  # noqa: SLF001
        self._roll = sender._roll  # noqa: SLF001
        self._task = task
        self._jobs = jobs
        self._given_up = given_up
        self._token = secrets.token_hex(8)
        self._timeout = max(job.timeout for job in jobs)
        given = Path(task.given) if task.given else None
        self._given = Given(sender._bucket.url(given), f"{sender._root}/incoming") if given else None  # noqa: SLF001
        self._flights: list[Flight] = []

    # -- sending -------------------------------------------------------------

    def send(self) -> None:
        """To all of them."""
        for start in range(0, len(self._jobs), _MOST):
            if self._given_up.is_set():
                return
            self._send({job.name: job for job in self._jobs[start : start + _MOST]})

    def _send(self, jobs: dict[str, Job]) -> None:
        try:
            with translated("run a command", self._known()):
                self._flights.append(self._sent(jobs))
        except _NotThere:
            self._without_strangers(jobs)
        except DeployError as error:
            _fail(jobs.values(), error)

    def _without_strangers(self, jobs: dict[str, Job]) -> None:
        """SSM refuses all when it does not know one of them: find him."""
        agents = self._roll.agents(jobs)
        for name, agent in agents.items():
            if agent.why_lost:
                _fail([jobs.pop(name)], Unreachable(f"{name}: {agent.why_lost}", state="nothing was started there"))
        if len(agents) == 1 and jobs:
            (job,) = jobs.values()
            why = "SSM cannot send it a command: it is not running, or nobody may send it one"
            _fail([job], Unreachable(f"{job.name}: {why}", state="nothing was started there"))
        elif len(jobs) == len(agents):
            names = list(jobs)
            for some in (names[: len(names) // 2], names[len(names) // 2 :]):
                self._send({name: jobs[name] for name in some})
        elif jobs:
            self._send(jobs)

    def _sent(self, jobs: dict[str, Job]) -> Flight:
        waves = math.ceil(len(jobs) / self._at_once(len(jobs)))
        taken = self._settings.taken_within + (waves - 1) * self._timeout
        request = self._request(jobs, taken)
        until = time.monotonic() + self._settings.taken_within
        while True:
            try:
                answer = self._ssm.send_command(**request)
            except botocore.exceptions.ClientError as error:
                if code_of(error) not in _BUSY or time.monotonic() > until or self._given_up.wait(_PAUSE):
                    raise
                continue
            now = time.monotonic()
            patience = _SOON if self._task.is_hasty else taken + _SLACK
            return Flight(answer["Command"]["CommandId"], dict(jobs), now, now + patience + self._timeout)

    def _request(self, jobs: Mapping[str, Job], taken: float) -> Mapping[str, Any]:
        seconds = max(1, math.ceil(self._timeout))
        how = Wrapping(self._token, seconds, self._settings.user or "", self._given)
        first = self._roll.first()
        text = wrapping.wrapped(self._task.command, how, {name: first[name][0].address for name in jobs})
        return {
            "InstanceIds": list(jobs),
            "DocumentName": "AWS-RunShellScript",
            "Comment": f"deploytasks {self._site.application}/{self._site.environment} {self._token}"[:100],
            "Parameters": {"commands": [text], "executionTimeout": [str(min(seconds + _AFTER, 172_800))]},
            "TimeoutSeconds": max(30, math.ceil(taken)),
            "MaxConcurrency": ALL if self._task.kind == "look" else self._settings.max_concurrency,
            "MaxErrors": self._settings.errors_borne if self._task.kind == "careful" else ALL,
        }

    def _at_once(self, count: int) -> int:
        given = self._settings.max_concurrency
        if self._task.kind == "look":
            return count
        return max(1, min(count, count * int(given[:-1]) // 100 if given.endswith("%") else int(given)))

    def _known(self) -> Mapping[str, Known]:
        too_large = "shorten `fleet.start`, `fleet.environment` or the command, or put them into a file of the release"
        return {
            "InvalidInstanceId": Known(_NotThere, "SSM does not know an instance"),
            "UnsupportedPlatformType": Known(
                UsageError, "an instance does not run Linux: AWS-RunShellScript does not run there", "leave it out"
            ),
            "MaxDocumentSizeExceeded": Known(GateRefused, "a command is larger than SSM takes, 64 KB", too_large),
            "DuplicateInstanceId": Known(UsageError, "an instance is named twice", "mend `fleet.instances`"),
            "InvalidDocument": Known(
                UsageError, "there is no AWS-RunShellScript here, or nobody may use it", "allow ssm:SendCommand on it"
            ),
            "InvalidParameters": Known(GateRefused, "SSM does not take a command as AWS-RunShellScript's parameter"),
        }

    # -- looking after -------------------------------------------------------

    def look_after(self) -> None:
        """Until all have ended, their time is up, or it is given up."""
        pause = min(_FIRST_LOOK, self._settings.poll)
        while self._flights:
            if self._given_up.wait(pause):
                self.cancel()
                return
            for flight in list(self._flights):
                self._look(flight)
                if not flight.jobs:
                    self._flights.remove(flight)
                elif time.monotonic() > flight.until:
                    self._flights.remove(flight)
                    self._too_late(flight)
            pause = min(pause * _SLOWER, self._settings.poll)

    def _look(self, flight: Flight) -> None:
        try:
            with translated("say how a command is"):
                found = self._listed(flight.command)
        except DeployError:
            return  # it is asked again; once it is too late, that is said
        for one in found:
            if told.is_done(one) and one["InstanceId"] in flight.jobs:
                self._settle(flight, flight.jobs[one["InstanceId"]], one)
        if not found and time.monotonic() - flight.sent > _EMPTY:
            self._look_at_all_of_it(flight)

    def _listed(self, command: str) -> Sequence[Mapping[str, Any]]:
        pages = self._ssm.get_paginator("list_command_invocations").paginate(
            CommandId=command, Details=True, PaginationConfig={"PageSize": _MOST}
        )
        return [one for page in pages for one in page["CommandInvocations"]]

    def _settle(self, flight: Flight, job: Job, invocation: Mapping[str, Any]) -> None:
        plugins = invocation.get("CommandPlugins") or [{}]
        of = told.told(invocation, plugins[0].get("Output", ""), self._token)
        if not of.is_whole:
            more = self._all_of_it(flight.command, job.name)
            if more is None:
                return  # not known there yet
            of = told.told(invocation, more, self._token)
        try:
            job.value = told.said(job.name, of, keeps_the_end=self._task.keeps_the_end)
        except DeployError as error:
            job.error = error
        del flight.jobs[job.name]

    def _all_of_it(self, command: str, instance: str) -> str | None:
        """What a command said there, where the list has too little room. ``None``: ask again."""
        try:
            with translated("tell what a command said", {"InvocationDoesNotExist": Known(_NotThere, "not yet")}):
                found = self._ssm.get_command_invocation(CommandId=command, InstanceId=instance)
        except DeployError:
            return None
        return str(found.get("StandardOutputContent", "")) + str(found.get("StandardErrorContent", ""))

    def _look_at_all_of_it(self, flight: Flight) -> None:
        """What became of a command that nobody was given."""
        with contextlib.suppress(DeployError), translated("describe a command"):
            found = self._ssm.list_commands(CommandId=flight.command)["Commands"]
            details = str(found[0].get("StatusDetails", "")) if found else ""
            do = told.of_a_whole_command(details)
            if do is not None:
                error = Unreachable(f"SSM gave a command to nobody: {details}", state="nothing was started", do=do)
                _fail(flight.jobs.values(), error)
                flight.jobs.clear()

    def _too_late(self, flight: Flight) -> None:
        state = self._cancelled(flight)
        for name, job in flight.jobs.items():
            job.error = Unreachable(f"{name}: a command was not done after {self._timeout:.1f} s", state=state)

    # -- cancelling ----------------------------------------------------------

    def cancel(self) -> None:
        """End what is under way. What the request cannot reach ends by itself when its time is up."""
        for flight in self._flights:
            self._cancelled(flight)
        self._flights.clear()

    def _cancelled(self, flight: Flight) -> str:
        try:
            with translated("cancel a command"):
                self._ssm.cancel_command(CommandId=flight.command, InstanceIds=list(flight.jobs))
        except DeployError:
            return f"it could not be cancelled; the host ends it {self._timeout:.0f} s after it began"
        return "it was cancelled"


class _NotThere(DeployError):
    """SSM does not know somebody."""


def _fail(jobs: Any, error: DeployError) -> None:
    for job in jobs:
        job.error = error
