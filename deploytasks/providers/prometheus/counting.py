"""From samples of cumulative counters to what was counted, series by series.

Why not in PromQL. ``sum(x)`` falls when one instance begins anew or goes away, and then nobody can tell how much was
lost. ``increase(x[w])`` extrapolates to the ends of its window, so that ten requests become 10.7 and the same request
is counted in two windows. And ``sum(increase(…))`` over all of a rollout looks at every sample again at each reading.
So the samples themselves are fetched, only those since the last look, and each series is differenced here:

* what a series gained from one sample to the next counts; a fall means that its process began anew: all of it counts,
  and all of every other series of that process, also where it has passed its old value already;
* a series that was not there before counts from 0;
* a series that goes away keeps what it has counted.

Nothing is extrapolated: what happened after the newest sample shows with the next one.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from ...ports import Color
from .feeds import Feed, Labels

Key = frozenset[tuple[str, str]]


class Series(NamedTuple):
    """What Prometheus knows of one series: samples as (seconds, value), the oldest first."""

    labels: Labels
    samples: Sequence[tuple[float, float]]


@dataclass
class Process:
    """The series of one process (or one series, where nothing says what belongs together)."""

    color: Color
    labels: Labels
    last: dict[Key, tuple[float, float]] = field(default_factory=dict)
    """Each series' last sample since the process began."""
    gained: dict[Key, float] = field(default_factory=dict)
    """What each series has counted since we look."""
    meaning: dict[Key, Labels] = field(default_factory=dict)
    at: float = float("-inf")
    """When it was last scraped."""
    newest: float | None = None
    """The newest sample that was seen, not only known of from before."""
    first: float | None = None
    """When it first counted anything since we look."""
    grew: float = float("-inf")
    """When it last did."""

    def add(self, at: float, row: Mapping[Key, float]) -> None:
        """Take in one scrape."""
        begun = any(key in self.last and self.last[key][0] == self.at and row[key] < self.last[key][1] for key in row)
        if begun:
            self.last = {}
        for key, value in row.items():
            before = self.last[key][1] if key in self.last else 0.0
            new = value if value < before else value - before
            self.gained[key] = self.gained.get(key, 0.0) + new
            self.last[key] = at, value
            if new:
                self.grew = at
                self.first = at if self.first is None else self.first
        self.at = at


class Tally:
    """What one feed has counted so far."""

    def __init__(self, feed: Feed) -> None:
        self.feed = feed
        self.processes: dict[Key, Process] = {}

    def begin(self, at: float, series: Iterable[Series]) -> None:
        """Know what stood there at ``at`` (seconds): none of it counts."""
        for labels, samples in series:
            process = self._process(labels)
            if process is not None and samples:
                key = self.feed.component(labels)
                process.last[key] = at, samples[-1][1]
                process.meaning[key] = labels
                process.at = at

    def add(self, since: float, series: Iterable[Series]) -> None:
        """Count what is new in these samples; those up to ``since`` only say how fresh a series is."""
        rows: dict[Key, dict[float, dict[Key, float]]] = {}
        for labels, samples in series:
            process = self._process(labels)
            if process is None:
                continue
            key = self.feed.component(labels)
            process.meaning[key] = labels
            for at, value in samples:
                process.newest = max(at, process.newest or at)
                if at > since and at > process.at:
                    rows.setdefault(self.feed.process(labels), {}).setdefault(at, {})[key] = value
        for name, scrapes in rows.items():
            for at in sorted(scrapes):
                self.processes[name].add(at, scrapes[at])

    def _process(self, labels: Labels) -> Process | None:
        color = self.feed.color(labels)
        if color is None:
            return None
        name = self.feed.process(labels)
        if name not in self.processes:
            self.processes[name] = Process(color, dict(name))
        return self.processes[name]

    def of(self, color: Color) -> list[Process]:
        """All processes of a color, those that are gone as well."""
        return [process for process in self.processes.values() if process.color == color]

    def requests(self, color: Color) -> float:
        """What was counted, of the series that are counted at all."""
        return sum(value for labels, value in self._counted(color))

    def errors(self, color: Color) -> float:
        """What failed."""
        return sum(value for labels, value in self._counted(color) if self.feed.is_failed(labels))

    def _counted(self, color: Color) -> Iterable[tuple[Labels, float]]:
        for process in self.of(color):
            for key, value in process.gained.items():
                if self.feed.counts(process.meaning[key]):
                    yield process.meaning[key], value

    def slower(self, color: Color, edges: Sequence[float]) -> dict[float, float]:
        """How many took longer than each edge (seconds). Exact at a bucket's bound; else those beyond the next one
        above: never too many. Process by process, for two releases may have different buckets."""
        found = dict.fromkeys(edges, 0.0)
        for process in self.of(color):
            buckets = self._buckets(process)
            for edge in edges if buckets else ():
                found[edge] += beyond(edge, buckets)
        return found

    def _buckets(self, process: Process) -> list[tuple[float, float]]:
        bounds = ((bound(process.meaning[key], self.feed.unit), value) for key, value in process.gained.items())
        return sorted((edge, value) for edge, value in bounds if edge is not None)

    def bounds(self, color: Color) -> list[float]:
        """The buckets' bounds in seconds that every process of a color has."""
        known = [
            {edge for labels in process.meaning.values() if (edge := bound(labels, self.feed.unit)) is not None}
            for process in self.of(color)
        ]
        return sorted(set.intersection(*known)) if known else []


def bound(labels: Labels, unit: float) -> float | None:
    """The upper bound of a bucket in seconds; ``None``: not a bucket."""
    try:
        return float(labels.get("le", "")) * unit
    except ValueError:
        return None


def beyond(edge: float, buckets: Sequence[tuple[float, float]]) -> float:
    """How many are above the first bound that is not below ``edge``; ``buckets`` are cumulative, rising."""
    place = bisect_left(buckets, edge * (1 - 1e-9), key=lambda bucket: bucket[0])
    return max(0.0, buckets[-1][1] - buckets[min(place, len(buckets) - 1)][1])
