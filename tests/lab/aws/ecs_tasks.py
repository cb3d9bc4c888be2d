"""A task of the lab's ECS: it waits for its image, runs (as a process, if its image says one), fails, and stops."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
import uuid
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from .images import Image


def now() -> datetime:
    """As ECS tells times."""
    return datetime.now(UTC)


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@dataclass
class Task:
    """One task. ``family`` is its definition's whole answer; ``command`` replaces the container's own."""

    arn: str
    cluster: str
    definition: dict[str, Any]
    group: str
    started_by: str = ""
    command: list[str] | None = None
    container: str = ""
    launch_type: str = "FARGATE"
    status: str = "PENDING"
    desired: str = "RUNNING"
    since: float = field(default_factory=time.monotonic)
    created: datetime = field(default_factory=now)
    stop_code: str = ""
    stopped_reason: str = ""
    container_reason: str = ""
    exit_code: int | None = None
    process: subprocess.Popen[bytes] | None = None
    port: int = 0
    targets: tuple[str, ...] = ()
    image: Image | None = None

    @property
    def id(self) -> str:
        return self.arn.rpartition("/")[2]

    @property
    def main(self) -> dict[str, Any]:
        """The container that matters: the one that is overridden, or the first."""
        all_of_it: list[dict[str, Any]] = self.definition["containerDefinitions"]
        return next((one for one in all_of_it if one["name"] == self.container), all_of_it[0])

    def launch(self, image: Image) -> None:
        """Run what the image or the override says, as a process of its own group."""
        self.image, self.status, self.port = image, "RUNNING", free_port()
        command = self.command or image.command or self.main.get("command")
        if not image.folder or not command:
            return
        named = {one["name"]: one["value"] for one in self.main.get("environment", [])}
        environment: Mapping[str, str] = {**os.environ, **image.environment, **named, "PORT": str(self.port)}
        self.process = subprocess.Popen(
            list(command),
            cwd=image.folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        if not self.command:  # nobody reads what a server says
            assert self.process.stdout is not None
            self.process.stdout.close()

    def end(self, reason: str, code: str, exit_code: int | None = None, why: str = "") -> None:
        """It is over."""
        self.kill()
        self.status = self.desired = "STOPPED"
        self.stopped_reason, self.stop_code = reason, code
        self.exit_code = exit_code if self.exit_code is None else self.exit_code
        self.container_reason = why

    def kill(self) -> None:
        if self.process is None:
            return
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()
        self.process = None

    def said(self) -> list[str]:
        """What a process that has ended said."""
        if self.process is None or self.process.stdout is None or self.process.stdout.closed:
            return []
        return self.process.stdout.read().decode(errors="replace").splitlines()

    def told(self) -> dict[str, Any]:
        """As ``DescribeTasks`` tells it."""
        container = {
            "name": self.main["name"],
            "image": self.main["image"],
            "lastStatus": self.status,
            **({"exitCode": self.exit_code} if self.exit_code is not None else {}),
            **({"reason": self.container_reason} if self.container_reason else {}),
        }
        told: dict[str, Any] = {
            "taskArn": self.arn,
            "clusterArn": self.cluster,
            "taskDefinitionArn": self.definition["taskDefinitionArn"],
            "group": self.group,
            "lastStatus": self.status,
            "desiredStatus": self.desired,
            "createdAt": self.created,
            "startedBy": self.started_by,
            "launchType": self.launch_type,
            "containers": [container],
        }
        if self.status == "STOPPED":
            told |= {"stopCode": self.stop_code, "stoppedReason": self.stopped_reason, "stoppedAt": now()}
        return told


def new_id() -> str:
    return uuid.uuid4().hex
