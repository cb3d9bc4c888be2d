"""What a host is to us: a place where commands run, and to which files can be brought."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, Protocol

from ...errors import DeployError
from ...ports import Color

LINES = 5
"""How many of the last lines of output an error shows."""


class Host(Protocol):
    """A place where commands run."""

    name: str

    def run(self, command: str, timeout: float, given: str | None = None) -> str:
        """Run a ``/bin/sh`` command and return its stdout. Its stdin is the local file ``given``, or nothing.

        Raises ``CommandFailed`` when it exits with another code than 0, and ``Unreachable`` when it is not done
        within ``timeout`` seconds or the connection is lost. A command that is given up has been killed, with
        all it started, as far as the host can be reached; where it cannot, the host ends it by itself soon after.
        """


class Member(NamedTuple):
    """A host of a fleet, and where each color listens on it: ``address:port``."""

    host: Host
    addresses: Mapping[Color, str]


class CommandFailed(DeployError):
    """A command on a host exited with another code than 0. ``lines`` has the last of what it said."""

    def __init__(self, host: str, code: int, output: str, *, what: str = "a command", state: str = "") -> None:
        self.host, self.code, self.output = host, code, output
        self.lines = last_lines(output)
        said = "".join(f"\n    {line}" for line in self.lines)
        super().__init__(f"{host}: {what} failed with code {code}{':' if said else ''}{said}", state=state)


def last_lines(output: str, count: int = LINES) -> list[str]:
    """The last lines of an output that have something on them."""
    return [line.rstrip() for line in output.splitlines() if line.strip()][-count:]
