"""A process of our own: started by a command, detached, stopped by its identity."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Self

from . import commands, starting
from .host import last_lines
from .rendering import Program
from .serving import ASK, Serving


@dataclass(frozen=True)
class ColorProcess(Serving):
    """What ``start:`` describes."""

    python: str
    """An interpreter on the host, for where there is no ``setsid``."""

    def state_command(self) -> str:
        return starting.state(self.layout, self.color)

    def as_before(self) -> Self:
        said = self.member.as_told(self._run(starting.remembered(self.layout, self.color)))
        try:
            command, environment, *secrets = json.loads(said)
            return replace(self, program=Program(str(command), dict(environment), "".join(secrets)))
        except (ValueError, TypeError):
            return self

    def stop(self, within: float) -> None:
        """TERM, and KILL after ``within`` seconds. A start that is still on its way gives up."""
        self.member.host.run(starting.end(self.layout, self.color, within), within + ASK)

    def follow_command(self, lines: int) -> str:
        return commands.follow(self.layout, self.color, lines)

    def _begin_command(self, start_id: str, port: str, *, anew: bool) -> str:
        start = starting.Start(start_id, port, self.stop_within, anew)
        return starting.begin(self.layout, self.color, self.program, self.python, start)

    def _give_up_command(self, start_id: str) -> str:
        return starting.give_up(self.layout, self.color, min(self.stop_within, 1.0), start_id)

    def _remember_command(self, release: str) -> str:
        text = json.dumps([self.program.command, dict(self.program.environment), self.program.secrets])
        return starting.remember(self.layout, release, self.color, text)

    def _last_words(self) -> list[str]:
        """The last lines that the newest process said."""
        log = self._run(commands.tail(self.layout, self.color))
        return last_lines(log.rpartition(starting.END_OF_HEADER)[2])
