"""A service of the host's own supervisor: systemd, or whatever the configured commands speak to."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Self

from . import commands, starting, supervising
from .host import last_lines
from .rendering import Program
from .serving import ASK, Serving
from .shell import BEGIN
from .starting import Start
from .supervising import Orders

_LINES = 20
"""How many of its last lines an error shows."""


@dataclass(frozen=True)
class ServiceProcess(Serving):
    """What ``service:``, ``restart:``, ``stop:`` and ``running:`` describe."""

    orders: Orders

    def state_command(self) -> str:
        return supervising.state(self.layout, self.color, self.orders)

    def as_before(self) -> Self:
        """How to see that it runs, and what it said, is a matter of today."""
        said = self.member.as_told(self._run(starting.remembered(self.layout, self.color)))
        try:
            kept = json.loads(said)
            restart = Program(str(kept["restart"]), dict(kept["environment"]), str(kept.get("secrets", "")))
            return replace(self, program=restart)
        except (ValueError, TypeError, KeyError):
            return self

    def stop(self, within: float) -> None:
        """Stop the service; fine when it does not run. Raises ``CommandFailed`` when it still runs after ``within``
        seconds: killing is the supervisor's business."""
        command = supervising.stop(self.layout, self.color, self.orders, within)
        self.member.host.run(command, 2 * within + ASK)

    def follow_command(self, lines: int) -> str:
        if not self.orders.follow:
            return commands.follow(self.layout, self.color, lines)
        return f"{BEGIN}exec {self.orders.follow} -n {int(lines)}"

    def _begin_command(self, start_id: str, port: str, *, anew: bool) -> str:
        start = Start(start_id, port, self.stop_within, anew)
        return supervising.begin(self.layout, self.color, self.program, self.orders, start)

    def _give_up_command(self, start_id: str) -> str:
        return supervising.give_up(self.layout, self.color, self.orders, self.stop_within, start_id)

    def _remember_command(self, release: str) -> str:
        own = self.program
        kept = {"restart": own.command, "environment": dict(own.environment), "secrets": own.secrets}
        text = json.dumps(kept)
        return supervising.remember(self.layout, release, self.color, self.orders, text)

    def _last_words(self) -> list[str]:
        said = self._run(supervising.last_words(self.layout, self.color, self.orders, _LINES))
        return last_lines(said, _LINES)
