"""All that was counted since a moment, with one question for what is new. Knows no clock and no network."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from .events import Counts, Tally

Ask = Callable[[float, float], Counts]
"""Counts from one whole second to before another."""
LONGEST = 3600.0
"""Seconds of one question at most: what is longer may be answered from a part of the data."""
PIECE = 300.0
"""Seconds of what came late long enough ago to be counted for good, at once."""


class Window:
    """Counts since ``start`` (epoch seconds). The last ``late`` seconds are asked for again at each look; what is older
    is counted once and kept. So a look is one question, now and then two, and nothing is counted twice."""

    def __init__(self, start: float, late: float) -> None:
        self.start = float(int(start))
        self._late = late
        self._kept: dict[str, Tally] = {}
        self._kept_to = self.start
        self._end = self.start
        self._tail: Counts = {}
        self.grew = self.start
        """Up to when was counted when there last was more than before."""

    def read(self, ask: Ask, end: float) -> Mapping[str, Tally]:
        """Counts up to ``end``. Raises what ``ask`` raises; what was kept until then stays."""
        end = float(int(end))
        if end <= self._end:
            return self._all()
        before = self._total()
        while (edge := min(end - self._late, self._kept_to + LONGEST)) - self._kept_to >= PIECE:
            edge = float(int(edge))
            self._kept = joined(self._kept, ask(self._kept_to, edge))
            self._kept_to, self._tail = edge, {}
        self._tail = ask(self._kept_to, end)
        self._end = end
        if self._total() > before:
            self.grew = end
        return self._all()

    def _all(self) -> Mapping[str, Tally]:
        return joined(self._kept, self._tail)

    def _total(self) -> int:
        return sum(tally.requests for tally in self._all().values())


def joined(one: Counts, other: Counts) -> dict[str, Tally]:
    """Both together."""
    return {said: one.get(said, Tally()).plus(other.get(said, Tally())) for said in {**one, **other}}


def pieces(since: float, until: float) -> list[tuple[float, float]]:
    """A span in spans that are not too long, of whole seconds."""
    start, end = float(int(since)), float(int(until))
    found = []
    while start < end:
        to = min(start + LONGEST, end)
        found.append((start, to))
        start = to
    return found
