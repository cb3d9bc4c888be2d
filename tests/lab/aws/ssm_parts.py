"""What the lab's Systems Manager is made of: machines with their agents, and commands on them."""

from __future__ import annotations

import contextlib
import math
import os
import signal
import subprocess
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from .service import AwsError, Params

DONE = frozenset({"Success", "Failed", "TimedOut", "Cancelled"})


@dataclass
class Instance:
    """A machine and its agent."""

    instance_id: str
    folder: Path
    address: str = "127.0.0.1"
    tags: dict[str, str] = field(default_factory=dict)
    ping: str = "Online"
    state: str = "running"
    platform: str = "Linux"
    takes: str = ""
    """``never``: commands are not taken; ``undeliverable``: they cannot be brought; ``InvalidPlatform`` and the like:
    they end so."""
    ran: list[str] = field(default_factory=list)
    """The scripts that were run."""


@dataclass
class Invocation:
    """A command on one instance."""

    instance: Instance
    status: str = "Pending"
    details: str = "Pending"
    code: int = -1
    out: str = ""
    err: str = ""
    process: subprocess.Popen[bytes] | None = None

    def end(self, status: str, details: str = "") -> None:
        self.status, self.details = status, details or status


@dataclass
class Sent:
    """A command."""

    params: Params
    invocations: dict[str, Invocation]
    script: str
    execution: float
    at: datetime
    shy: int
    is_cancelled: bool = False
    details: str = ""
    """What became of the whole command, when it came to nothing."""


def fits(one: Instance, asked: Params) -> bool:
    key, values = asked["Key"], asked["Values"]
    if key.startswith("tag:"):
        return one.tags.get(key[4:]) in values
    known = {"InstanceIds": one.instance_id, "PingStatus": one.ping, "PlatformTypes": one.platform}
    if key not in known:
        raise AwsError("InvalidFilterKey", key)
    return known[key] in values


def information(one: Instance) -> Params:
    return {
        "InstanceId": one.instance_id, "PingStatus": one.ping, "LastPingDateTime": datetime(2026, 11, 23, tzinfo=UTC),
        "AgentVersion": "3.3.3270.0", "PlatformType": one.platform, "ResourceType": "EC2Instance",
        "IPAddress": one.address, "ComputerName": f"{one.instance_id}.lab",
    }  # fmt: skip


def counted(given: str, of: int, at_least: int = 0) -> int:
    share = int(given.removesuffix("%"))
    return max(at_least, math.floor(of * share / 100) if given.endswith("%") else share)


def kill(process: subprocess.Popen[bytes]) -> None:
    """As the agent does: the process group."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def text_of(said: bytes) -> str:
    return said.decode(errors="replace")
