"""All that was counted since a moment, kept up to date with one request for each new period."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from ....ports import COLORS, Color, NoData, Totals
from .counting import Counter, Period, added, risen
from .data import fetch

if TYPE_CHECKING:
    from ...site import Site

_NOTHING = Totals(0, 0, {})


class Pace(NamedTuple):
    """Seconds: of a period, until it is complete, for how long it is read again, and until nothing is known."""

    period: float
    lag: float
    late: float
    stale_after: float

    def begins(self, at: float) -> float:
        """The beginning of the period that an instant is in (Unix time)."""
        return at - at % self.period

    def end(self, now: float) -> float:
        """The end of the newest period that is taken to be complete."""
        return self.begins(now - self.lag)


class Window:
    """The periods from the one that ``since`` is in, up to the newest that is complete.

    What happened in that first period before ``since`` counts as well: nothing after it is lost, and a rollout looks
    at what is new since its own first reading. Nothing is asked twice for the same end, so that polls within a period
    cost nothing.
    """

    def __init__(self, site: Site, counter: Counter, pace: Pace, since: datetime) -> None:
        self._site, self._counter, self._pace = site, counter, pace
        self._start = pace.begins(since.timestamp())
        self._periods: dict[float, Period] = {}
        self._read_to: float | None = None
        self._said: dict[Color, Totals] = {}

    def read(self, now: float) -> None:
        """Ask for what is new, and again for what may have come late. Raises ``Unreachable``."""
        end = self._pace.end(now)
        if self._read_to is not None and end <= self._read_to:
            return
        again = self._start if self._read_to is None else self._read_to - self._pace.late
        start = min(max(self._start, self._pace.begins(again)), self._pace.begins(end - self._pace.stale_after))
        points = fetch(self._site, self._counter.queries(), start, end, self._pace.period)
        self._periods.update(self._counter.periods(points))
        self._read_to = end

    def totals(self, now: float) -> Mapping[Color, Totals] | NoData:
        """Of the colors that something is known of."""
        age = self.age(now)
        if age is None or age > self._pace.lag + self._pace.period + self._pace.stale_after:
            return NoData(self._silence(age))
        counted = [period for at, period in self._periods.items() if at >= self._start]
        for color in self._known():
            found = added(period.totals[color] for period in counted)
            self._said[color] = risen(self._said.get(color, _NOTHING), found, self._counter.edges)
        return dict(self._said)

    def age(self, now: float, color: Color | None = None) -> float | None:
        """Seconds since the end of the newest period that something is told of (``color``: of that one)."""
        ends = [
            at + self._pace.period
            for at, period in self._periods.items()
            if (color in period.told if color is not None else period.told or period.has_requests)
        ]
        return max(0.0, now - max(ends)) if ends else None

    def _known(self) -> list[Color]:
        """Those that were told of lately or counted; and of two groups that are certain, the one that is silent while
        requests come: CloudWatch says nothing of a group without any."""
        newest = max(self._periods)
        recent = [period for at, period in self._periods.items() if at >= newest - self._pace.stale_after]
        has_requests = any(period.has_requests for period in recent)
        return [
            color
            for color in COLORS
            if color in self._said
            or any(color in period.told for period in recent)
            or (has_requests and self._counter.groups.are_certain)
        ]

    def _silence(self, age: float | None) -> str:
        groups = " and ".join(self._counter.groups.of[color] for color in COLORS)
        if age is None:
            return f"CloudWatch has no data points of {groups} at {self._counter.groups.load_balancer}"
        return f"the newest data point of {groups} is {age:.0f} s old"
