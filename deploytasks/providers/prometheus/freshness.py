"""What is known now, and what has fallen silent: no data is not zero errors.

A color without any series had no request, as long as the other color's series are fresh: exporters make a series with
its first request. A color whose series stopped before we began to look (an idle one that was retired) is left out.
A process that served users and whose newest sample is too old means that nothing is known, when its target does not
answer its scrapes, or when it was the last one of its color. One that is gone from Prometheus's targets while others
of its color go on was taken away on purpose; what it has counted stays.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ...ports import COLORS, Color
from .counting import Process, Series, Tally


@dataclass(frozen=True)
class Freshness:
    """What can be said ``now`` (seconds of Prometheus's clock). ``up``: the targets that matter, 1 or 0 each."""

    tallies: Sequence[Tally]
    up: Sequence[Series]
    now: float
    stale_after: float

    def silence(self) -> str:
        """Why nothing is known; empty when something is."""
        if not any(process for tally in self._of("requests") for process in tally.processes.values()):
            if any(self._is_there(color) for color in COLORS):
                return ""
            selectors = " and ".join(tally.feed.selector for tally in self._of("requests"))
            return f"no series matches {selectors}"
        fallen = next(filter(None, (self._fallen_silent(tally) for tally in self.tallies)), "")
        if fallen:
            return fallen
        if not self.known():
            return f"requests: {self._age([p for tally in self._of('requests') for p in tally.processes.values()])}"
        return next(filter(None, (self._without_latency(color) for color in COLORS)), "")

    def known(self) -> list[Color]:
        """The colors that counts can be given for."""
        fresh = [color for color in COLORS if self._any_fresh(self._processes("requests", color))]
        return [
            color
            for color in COLORS
            if color in fresh or self._is_there(color) or (fresh and not self._processes("requests", color))
        ]

    def _fallen_silent(self, tally: Tally) -> str:
        for process in tally.processes.values():
            if process.newest is None or self._is_fresh(process) or not self._was_busy(process):
                continue
            others = tally.of(process.color)
            if self._is_down(process) or not self._any_fresh(others):
                return f"{tally.feed.what} of {process.color}: {self._age([process])}{self._target(process)}"
        return ""

    def _without_latency(self, color: Color) -> str:
        """Requests come in, and for a while nothing says how long they took."""
        serving = self._processes("requests", color)
        first = min((process.first for process in serving if process.first is not None), default=self.now)
        last = max((process.grew for process in serving), default=float("-inf"))
        if self.now - last > self.stale_after or last - first < self.stale_after:
            return ""
        if self._any_fresh(self._processes("latency", color)):
            return ""
        selectors = " and ".join(tally.feed.selector for tally in self._of("latency"))
        return f"{color} gets requests, and no fresh series of {selectors} says how long they take"

    # -- small parts -----------------------------------------------------------------------------------------

    def _of(self, what: str) -> Iterator[Tally]:
        return (tally for tally in self.tallies if tally.feed.what == what)

    def _processes(self, what: str, color: Color) -> list[Process]:
        return [process for tally in self._of(what) for process in tally.of(color)]

    def _is_fresh(self, process: Process) -> bool:
        return process.newest is not None and self.now - process.newest <= self.stale_after

    def _any_fresh(self, processes: Sequence[Process]) -> bool:
        return any(self._is_fresh(process) for process in processes)

    def _was_busy(self, process: Process) -> bool:
        """Whether it still counted something shortly before its newest sample."""
        return process.newest is not None and process.grew >= process.newest - self.stale_after

    def _is_there(self, color: Color) -> bool:
        """Whether a target that is labelled with this color answers its scrapes."""
        colors = (
            tally.feed.color(series.labels)
            for tally in self._of("requests")
            if tally.feed.label
            for series in self.up
            if series.samples[-1][1] == 1 and tally.feed.label in series.labels
        )
        return color in colors

    def _is_down(self, process: Process) -> bool:
        return any(
            series.samples[-1][1] == 0
            and all(series.labels.get(name) == process.labels.get(name) for name in ("job", "instance"))
            for series in self.up
        )

    def _age(self, processes: Sequence[Process]) -> str:
        newest = max((process.newest for process in processes if process.newest is not None), default=None)
        if newest is None:
            return f"no sample is younger than {self.stale_after:g} s"
        return f"the newest sample is {self.now - newest:.0f} s old, {self.stale_after:g} s are too old"

    def _target(self, process: Process) -> str:
        name = " ".join(filter(None, (process.labels.get("job"), process.labels.get("instance"))))
        if not name:
            return ""
        return f" (target {name} {'does not answer its scrapes' if self._is_down(process) else 'is gone'})"
