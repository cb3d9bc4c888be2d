"""Send requests that fill caches before users come."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from .. import web
from ..engine.step import Step
from ..ports import Call, Color
from ..smoke import addresses

if TYPE_CHECKING:
    from ..ports import Calls
    from ..world import World


@dataclass(frozen=True)
class WarmUp(Step):
    """Ask the paths of one color a few times, past the balancer. Answers are not judged here: smoke does that."""

    name = "warm up"
    deadline = 60.0

    color: Color
    paths: tuple[str, ...]
    requests: int
    """How many to each host, over all paths."""

    def calls(self, world: World) -> Calls:
        """One call per path and host."""
        bases = addresses(world.fleet, self.color)
        times = -(-self.requests // len(self.paths))
        return [
            [
                Call(f"GET {base}{path} ({times} times)", partial(_ask, base + path, times), h)
                for h, base in bases.items()
            ]
            for path in self.paths
        ]


def _ask(url: str, times: int, timeout: float) -> None:
    for _ in range(times):
        web.fetch(url, timeout=timeout)
