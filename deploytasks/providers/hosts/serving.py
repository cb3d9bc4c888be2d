"""What serves a color on one host: start it until it is healthy, or leave nothing of it running.

A start takes two commands: one stops what served before and starts what serves now, the other makes sure that it still
runs once its health page has answered, and remembers how it was started. The page is asked from here.
"""

from __future__ import annotations

import contextlib
import re
import secrets
import socket
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Self

from ... import redaction
from ...errors import DeployError, GateRefused, Unreachable
from ...ports import Color, Health
from ...web import fetch
from . import starting
from .host import CommandFailed, Member, Page
from .layout import Layout
from .rendering import Program

_LOOK = 0.1
"""Seconds between two looks at the health page of what starts."""
_STATE = 1.0
"""Seconds between two questions whether what starts still runs, while its health page does not say so."""
ASK = 10.0
"""Seconds that a host may take to say how things are."""


class DidNotStart(DeployError):
    """A release was started and did not become healthy. Nothing of it runs."""


class State(NamedTuple):
    """What a host says about a color. Empty texts: nothing there."""

    release: str
    digest: str
    running: str
    """The release of the process that runs; ``starting.UNKNOWN`` when something runs of which nobody knows what."""
    fingerprint: str
    pid: str


@dataclass(frozen=True)
class Serving(ABC):
    """One color on one host."""

    member: Member
    layout: Layout
    color: Color
    health_path: str
    health_within: float
    stop_within: float
    program: Program
    """What starts it: the program itself, or what tells the supervisor."""

    # -- what differs --------------------------------------------------------

    @abstractmethod
    def state_command(self) -> str:
        """Prints the five lines of a ``State``."""

    @abstractmethod
    def as_before(self) -> Self:
        """The same, by the commands with which the current release was healthy here last, if they are known."""

    @abstractmethod
    def stop(self, within: float) -> None:
        """Stop it; fine when nothing runs. Seconds until it is killed, where that is ours to do."""

    @abstractmethod
    def follow_command(self, lines: int) -> str:
        """Prints the last lines that it said, and those that follow, until it is ended."""

    @abstractmethod
    def _begin_command(self, start_id: str, port: str, *, anew: bool) -> str: ...

    @abstractmethod
    def _give_up_command(self, start_id: str) -> str: ...

    @abstractmethod
    def _remember_command(self, release: str) -> str: ...

    @abstractmethod
    def _last_words(self) -> list[str]: ...

    # -- what does not -------------------------------------------------------

    @property
    def address(self) -> str:
        """The base URL."""
        return f"http://{self.member.at(self.color)}"

    def state(self, timeout: float = ASK) -> State:
        """What stands and what runs. Raises ``Unreachable``."""
        return states([self], timeout)[0]

    def health(self, within: float | None = None) -> Health:
        """Ask the health page once. Never raises for an unhealthy color."""
        if self.member.asking is not None:
            return self.member.asking.health(self._page(within))
        try:
            answer = fetch(self.address + self.health_path, timeout=within or self.health_within)
        except Unreachable as error:
            return Health(False, error.what)
        if answer.status == 200:
            return Health(True, f"{self.health_path} answered 200 in {answer.seconds * 1000:.0f} ms")
        said = redaction.excerpt(answer.body[:10_000].decode(errors="replace"), 160)
        return Health(False, f"{self.health_path} answered {answer.status}{': ' if said else ''}{said}")

    def _page(self, within: float | None = None) -> Page:
        """The health page as the host sees it."""
        return Page(f"http://{self.member.addresses[self.color]}{self.health_path}", within or self.health_within)

    def start(self, within: float, start_id: str = "") -> None:
        """Start the current release, unless it runs already with this configuration and is healthy.

        ``start_id``: hex digits that no other start of this color has; by default new ones. Raises ``GateRefused``
        when something else has the port, ``DidNotStart`` with the last lines that were said.
        """
        start_id = start_id or secrets.token_hex(8)
        try:
            said = self._begin(start_id, anew=False)
            if said == starting.RUNS:
                if self.health().healthy:
                    return
                said = self._begin(start_id, anew=True)
            self._wait_until_healthy(time.monotonic() + within, within)
            self._remember(said.partition(" ")[2])
        except GateRefused:
            raise
        except BaseException:  # an interrupt too must leave nothing running
            with contextlib.suppress(DeployError):
                self._run(self._give_up_command(start_id), min(self.stop_within, 1.0))
            raise

    def _begin(self, start_id: str, *, anew: bool) -> str:
        """What the host said: that it runs, or that it was started. A host that sees something at the port, or that
        cannot look, leaves it to us to try: who listens at another of its addresses is in nobody's way."""
        port = self.member.addresses[self.color].rpartition(":")[2]
        said = self._told_to_begin(self._begin_command(start_id, port, anew=anew))
        if said != starting.TAKEN:
            return said
        self._refuse_taken_port()
        return self._told_to_begin(self._begin_command(start_id, "", anew=anew))

    def _told_to_begin(self, command: str) -> str:
        try:
            return self._run(command, self.stop_within + ASK).strip()
        except CommandFailed as error:
            if error.code == starting.FAILED:
                raise self._did_not_start(f"was not restarted: {' '.join(error.lines)}") from error
            raise DidNotStart(
                f"{self.member.host.name}: {self.color} could not be started: {' '.join(error.lines)}",
                state="nothing was started",
            ) from error

    def _refuse_taken_port(self) -> None:
        port = self.member.addresses[self.color].rpartition(":")[2]
        if self._is_port_taken():
            raise GateRefused(
                f"{self.member.host.name}: port {port} is in use, by a process that is not ours",
                state=f"{self.color} was not started",
                do=f"find it with `lsof -i :{port}` and stop it, or give {self.color} another port",
            )

    def _is_port_taken(self) -> bool:
        address = self.member.addresses[self.color]
        if self.member.asking is not None:
            return self.member.asking.is_open(address)
        host, _, port = address.rpartition(":")
        with contextlib.suppress(OSError), socket.create_connection((host.strip("[]"), int(port)), 1.0):
            return True
        return False

    def _wait_until_healthy(self, deadline: float, within: float) -> None:
        if self.member.asking is not None:
            runs = f"(\n{self.state_command()}\n) | sed -n '3{{/./p;}}'"
            health, still_runs = self.member.asking.wait(self._page(), runs, max(0.05, deadline - time.monotonic()))
            if not health.healthy and not still_runs:
                raise self._did_not_start("ended before it was healthy")
            if not health.healthy:
                raise self._did_not_start(f"was not healthy within {within:g} s ({health.detail})")
            return
        ask_at = time.monotonic() + _STATE
        while True:
            health = self.health(max(0.05, min(self.health_within, deadline - time.monotonic())))
            if health.healthy:
                return
            now = time.monotonic()
            if now >= min(ask_at, deadline):
                if not self.state().running:
                    raise self._did_not_start("ended before it was healthy")
                ask_at = time.monotonic() + _STATE
            if now >= deadline:
                raise self._did_not_start(f"was not healthy within {within:g} s ({health.detail})")
            time.sleep(_LOOK)

    def _remember(self, release: str) -> None:
        """Keep how it was started. What answered may not have been ours: then ours has ended by now."""
        try:
            self._run(self._remember_command(release))
        except CommandFailed as error:
            if error.code == starting.GONE:
                raise self._did_not_start("ended, and something else answers in its place") from error
            raise

    def _did_not_start(self, why: str) -> DidNotStart:
        with contextlib.suppress(DeployError):
            said = "".join(f"\n    {line}" for line in self._last_words()) or "\n    (nothing)"
            why = f"{why}; its last lines:{said}"
        return DidNotStart(
            f"{self.member.host.name}: {self.color} {why}",
            state=f"{self.color} is stopped",
            do=_advice(why, self.layout.log(self.color)),
        )

    def _run(self, command: str, more: float = 0.0) -> str:
        return self.member.host.run(command, ASK + more)


def _advice(said: str, log: str) -> str:
    """What to do about a release that did not start, by its last words."""
    if missing := re.search(r"No module named '?([A-Za-z_]\w*)", said):
        return f"install {missing[1]} for the Python that `start` runs; all that was said is in {log}"
    return f"read {log}"


def states(colors: Sequence[Serving], timeout: float = ASK) -> list[State]:
    """The states of several colors of one host, by one command. Raises ``Unreachable``."""
    command = "\n".join(f"(\n{one.state_command()}\n)" for one in colors)
    lines = [*colors[0].member.host.run(command, timeout).split("\n"), *[""] * 5 * len(colors)]
    return [State(*lines[start : start + 5]) for start in range(0, 5 * len(colors), 5)]
