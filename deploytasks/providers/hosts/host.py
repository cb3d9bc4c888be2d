"""What a host is to us: a place where commands run, and to which files can be brought."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, Protocol

from ...errors import DeployError
from ...ports import Color, Health

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


class Page(NamedTuple):
    """A health page as it is seen on a host: where it is, and how many seconds it may take."""

    url: str
    within: float


class Asking(Protocol):
    """Asks on a host what cannot be asked from here."""

    def health(self, page: Page) -> Health:
        """Ask a page once. Never raises for one that is silent."""

    def wait(self, page: Page, runs: str, within: float) -> tuple[Health, bool]:
        """Ask a page until it answers 200, for that many seconds at most, or until what starts has ended: how it was
        last, and whether it still ran. ``runs``: a command that prints a line when it runs. Raises ``Unreachable``."""

    def is_open(self, address: str) -> bool:
        """Whether something listens at ``host:port``. Raises ``Unreachable``."""


class Member(NamedTuple):
    """A host of a fleet, and where each color listens on it: ``address:port``, as commands there are told."""

    host: Host
    addresses: Mapping[Color, str]
    shown: Mapping[Color, str] = {}  # the default of a tuple's field: nobody changes it
    """The same for people, and for whoever asks from here, where it differs."""
    asking: Asking | None = None
    """Who asks on the host. ``None``: it is asked from here."""

    def at(self, color: Color) -> str:
        """``address:port`` of a color."""
        return (self.shown or self.addresses)[color]

    def as_told(self, text: str) -> str:
        """What the host has kept of a command, as the command was given: with the addresses that it was told."""
        pairs = {self.at(color).rpartition(":")[0]: told.rpartition(":")[0] for color, told in self.addresses.items()}
        for shown, told in pairs.items():
            text = text.replace(shown, told)
        return text


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
