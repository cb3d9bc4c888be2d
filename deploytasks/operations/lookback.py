"""What a source counted over the last so many seconds: asked for at once where it remembers, else awaited."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from ..ports import Color, NoData, Totals
from ..sources import Source, every_source
from ..verdict import LADDER, difference

if TYPE_CHECKING:
    from ..world import World

Counts = Mapping[Color, Totals]


def sources_of(world: World, measure: str) -> list[Source]:
    """Those that give ``errors`` or ``latency``."""
    return [each for each in every_source(world) if measure in each.gives]


class Window:
    """The last ``seconds`` of a source. ``ready_after``: seconds until all of it was looked at; 0: now."""

    def __init__(self, world: World, source: Source, seconds: float) -> None:
        self.source = source
        self._world = world
        self._seconds = seconds
        self._seen: deque[tuple[datetime, Counts]] = deque()
        self._recalls = getattr(source.port, "between", None)
        late = source.port.lag if hasattr(source.port, "age") else 0.0
        self.ready_after = 0.0 if self._recalls else seconds + late
        self._began = world.clock.now()
        if not self._recalls:
            self.read()

    def read(self) -> Counts | NoData:
        """Counts of both colors, as far as they are known: of all the window, or of what went by of it yet."""
        now = self._world.clock.now()
        if self._recalls is not None:
            until = now - timedelta(seconds=self.source.port.lag)
            found: Counts | NoData = self._recalls(until - timedelta(seconds=self._seconds), until, LADDER)
            return found
        totals = self.source.port.totals(self._began, LADDER)
        if isinstance(totals, NoData):
            return totals
        self._seen.append((now, totals))
        while len(self._seen) > 2 and (now - self._seen[1][0]).total_seconds() >= self._seconds:
            self._seen.popleft()
        before = self._seen[0][1]
        return {color: difference(before[color], each) for color, each in totals.items() if color in before}
