"""All that was counted since a moment, kept up to date with one request for each look.

What is older than ``lag`` and ``late`` together is counted once and kept; what is younger is counted anew each time,
for what comes late. Nothing is in two spans, and no count that was said falls.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from ...ports import Color, NoData, Totals
from . import nrql
from .counting import NOTHING, Counts, Piece, Question, added, facet, risen, whole
from .nrql import Marks, Span

if TYPE_CHECKING:
    from .graph import NerdGraph

CHUNK = 60_000
"""Milliseconds: less is not worth keeping."""
FURTHEST = 600_000
"""Milliseconds that a first look goes back at most: a rollout compares only counts that one process has read."""
AHEAD = 60_000
"""Milliseconds that an agent's clock may be ahead of ours."""


class Pace(NamedTuple):
    """Seconds: until what happens has arrived, for how long it is counted anew, and until nothing is known."""

    lag: float
    late: float
    stale_after: float


class Window:
    """The counts of both colors since a moment, by our clock.

    No data is not zero. Where any color had a transaction within ``stale_after`` before the end of what is counted, the
    agents and New Relic work, and a color without one had none. Where none had any, nobody knows whether users or their
    numbers are missing.
    """

    def __init__(self, graph: NerdGraph, marks: Marks, pace: Pace, since: float, edges: Sequence[float]) -> None:
        self._graph, self._marks, self._pace, self._edges = graph, marks, pace, tuple(edges)
        self._kept_to = _milliseconds(since)
        self._kept: Counts = dict.fromkeys(marks.values, NOTHING)
        self._said: Counts = dict.fromkeys(marks.values, NOTHING)
        self._newest: Mapping[Color, float] = {}
        self._end = 0
        self._is_first = True

    def read(self, now: float, until: float | None = None) -> None:
        """Ask once. Raises as ``NerdGraph.ask`` does, and leaves what was known as it was."""
        end = _milliseconds(now - self._pace.lag)
        start = max(self._kept_to, end - FURTHEST) if self._is_first else self._kept_to
        keep_to = end - _milliseconds(self._pace.late)
        if keep_to - start < CHUNK:
            keep_to = start
        question = Question(self._graph)
        seen = question.add(nrql.newest(self._marks, self._recent(end, now)))
        old = self._piece(question, start, keep_to)
        new = self._piece(question, keep_to, end)
        answers = question.ask(until)
        kept, fresh, newest = self._graph.understand(
            lambda given: (_counted(old, given), _counted(new, given), self._dates(given[seen])), answers
        )
        self._is_first, self._end, self._kept_to = False, end, keep_to
        self._kept = {color: added(before, kept.get(color, NOTHING)) for color, before in self._kept.items()}
        known = {color: added(each, fresh.get(color, NOTHING)) for color, each in self._kept.items()}
        self._said = {color: risen(self._said[color], each) for color, each in known.items()}
        self._newest = {**self._newest, **newest}

    def totals(self) -> Mapping[Color, Totals] | NoData:
        """What is known since the last look."""
        newest = max(self._newest.values(), default=None)
        if newest is None:
            return NoData(f"New Relic has no web transaction of {self._marks.what} of the last minutes")
        age = self._end / 1000 - newest
        if age > self._pace.stale_after:
            late = age + self._pace.lag
            return NoData(f"the newest web transaction of {self._marks.what} at New Relic is {late:.0f} s old")
        return dict(self._said)

    def age(self, now: float, color: Color) -> float | None:
        """Seconds since the newest transaction of a color; ``None``: it had none for a while before the first look."""
        return max(0.0, now - self._newest[color]) if color in self._newest else None

    def _piece(self, question: Question, since: int, until: int) -> Piece | None:
        return Piece(question, self._marks, Span(since, until), self._edges) if until > since else None

    def _recent(self, end: int, now: float) -> Span:
        return Span(end - _milliseconds(self._pace.stale_after), _milliseconds(now) + AHEAD)

    def _dates(self, rows: Sequence[Mapping[str, Any]]) -> dict[Color, float]:
        return dates(rows, self._marks)


def dates(rows: Sequence[Mapping[str, Any]], marks: Marks) -> dict[Color, float]:
    """When the newest transaction of each color was (Unix time), of those that had any."""
    found: dict[Color, float] = {}
    for row in rows:
        color = marks.color(facet(row, marks))
        if color is not None and whole(row["n"]):
            found[color] = max(found.get(color, 0.0), whole(row["newest"]) / 1000)
    return found


def _counted(piece: Piece | None, answers: Sequence[Sequence[Mapping[str, Any]]]) -> Counts:
    return {} if piece is None else piece.counts(answers)


def _milliseconds(seconds: float) -> int:
    return int(seconds * 1000)
