"""The process of one color on one host: start it until it is healthy, or leave nothing of it running."""

from __future__ import annotations

import contextlib
import json
import secrets
import socket
import time
from typing import NamedTuple

from ...errors import DeployError, GateRefused, Unreachable
from ...ports import Color, Health
from ...web import fetch
from . import commands
from .host import CommandFailed, Member, last_lines
from .layout import Layout
from .rendering import Program

_LOOK = 0.1
"""Seconds between two looks at a starting process."""
_ASK = 10.0
"""Seconds that a host may take to say how things are."""


class DidNotStart(DeployError):
    """A release was started and did not become healthy. Nothing of it runs."""


class State(NamedTuple):
    """What a host says about a color. Empty texts: nothing there."""

    release: str
    digest: str
    running: str
    """The release of the process that runs."""
    fingerprint: str
    pid: str


class ColorProcess(NamedTuple):
    """One color on one host."""

    member: Member
    layout: Layout
    color: Color
    program: Program
    python: str
    health_path: str
    health_within: float
    stop_within: float

    @property
    def address(self) -> str:
        """The base URL."""
        return f"http://{self.member.addresses[self.color]}"

    def state(self, timeout: float = _ASK) -> State:
        """What stands and what runs. Raises ``Unreachable``."""
        said = self.member.host.run(commands.state(self.layout, self.color), timeout)
        return State(*[*said.split("\n"), *[""] * 5][:5])

    def health(self, within: float | None = None) -> Health:
        """Ask the health page once. Never raises for an unhealthy color."""
        try:
            answer = fetch(self.address + self.health_path, timeout=within or self.health_within)
        except Unreachable as error:
            return Health(False, error.what)
        if answer.status == 200:
            return Health(True, f"{self.health_path} answered 200 in {answer.seconds * 1000:.0f} ms")
        said = " ".join(answer.body[:160].decode(errors="replace").split())
        return Health(False, f"{self.health_path} answered {answer.status}{': ' if said else ''}{said}")

    def as_before(self) -> ColorProcess:
        """The same, with the program by which the current release was healthy here last, if that is known."""
        name = self.state().release
        said = self.member.host.run(commands.remembered(self.layout, name, self.color), _ASK) if name else ""
        try:
            command, environment = json.loads(said)
            return self._replace(program=Program(str(command), dict(environment)))
        except (ValueError, TypeError):
            return self

    def start(self, within: float) -> None:
        """Start the current release, unless it runs already with this configuration and is healthy.

        Raises ``GateRefused`` when something else has the port, ``DidNotStart`` with the last lines of the log.
        """
        state = self.state()
        wanted = (state.release, self.program.fingerprint)
        if state.release and (state.running, state.fingerprint) == wanted and self.health().healthy:
            return
        start_id = secrets.token_hex(8)
        self.stop(self.stop_within, start_id)
        self._refuse_taken_port()
        try:
            self._launch(start_id)
            self._wait_until_healthy(time.monotonic() + within, within)
            self.member.host.run(commands.remember(self.layout, state.release, self.color, self.program), _ASK)
        except BaseException:  # an interrupt too must leave nothing running
            with contextlib.suppress(DeployError):
                self.stop(min(self.stop_within, 1.0))
            raise

    def stop(self, within: float, start_id: str = "") -> None:
        """TERM, and KILL after ``within`` seconds; fine when nothing runs. Then nothing but ``start_id`` may start."""
        self.member.host.run(commands.stop(self.layout.pid(self.color), within, start_id), within + _ASK)

    def _launch(self, start_id: str) -> None:
        command = commands.start(self.layout, self.color, self.program, self.python, start_id)
        try:
            self.member.host.run(command, _ASK)
        except CommandFailed as error:
            raise DidNotStart(
                f"{self.member.host.name}: {self.color} could not be started: {' '.join(error.lines)}",
                state="nothing was started",
            ) from error

    def _refuse_taken_port(self) -> None:
        address = self.member.addresses[self.color]
        host, _, port = address.rpartition(":")
        with contextlib.suppress(OSError), socket.create_connection((host.strip("[]"), int(port)), 1.0):
            raise GateRefused(
                f"{self.member.host.name}: port {port} is in use, by a process that is not ours",
                state=f"{self.color} was not started",
                do=f"find it with `lsof -i :{port}` and stop it, or give {self.color} another port in fleet.colors",
            )

    def _wait_until_healthy(self, deadline: float, within: float) -> None:
        while True:
            is_alive = bool(self.state().running)
            health = self.health(max(0.05, min(self.health_within, deadline - time.monotonic())))
            if not is_alive:
                raise self._did_not_start("ended before it was healthy")
            if health.healthy:
                return
            if time.monotonic() >= deadline:
                raise self._did_not_start(f"was not healthy within {within:g} s ({health.detail})")
            time.sleep(_LOOK)

    def _did_not_start(self, why: str) -> DidNotStart:
        said = "".join(f"\n    {line}" for line in self._last_words()) or "\n    (nothing)"
        return DidNotStart(
            f"{self.member.host.name}: {self.color} {why}; its last lines:{said}",
            state=f"{self.color} is stopped",
            do=f"read {self.layout.log(self.color)}",
        )

    def _last_words(self) -> list[str]:
        """The last lines that the newest process said."""
        with contextlib.suppress(DeployError):
            log = self.member.host.run(commands.tail(self.layout, self.color), _ASK)
            return last_lines(log.rpartition(commands.END_OF_HEADER)[2])
        return []
