"""One test of one source, with what it must know of clusters, and of the stage it is in."""

from __future__ import annotations

from typing import NamedTuple

from .dispersion import Bins, dispersion, measured
from .sequential import Stream

GATE = 5
"""Bad requests (times the design effect) from which a share above its limit holds a stage."""


class Track(NamedTuple):
    """One test of one source: its stream, what is known about clusters, and its counts in this stage."""

    name: str
    warns: bool
    stream: Stream
    live: Bins = Bins()
    own: Bins = Bins()
    stage_n: int = 0
    stage_bad: int = 0

    def add(self, at: float, own: tuple[int, int], live: tuple[int, int], usual: float) -> Track:
        """Count (requests, bad requests) that are new on the target and on the live color."""
        live_bins, own_bins = self.live.add(at, *live), self.own.add(at, *own)
        # The target's own bins may only speak for independence: a sudden outage looks clustered too.
        deff = dispersion(live_bins, usual=usual)
        if deff > 1:
            deff = min(deff, dispersion(live_bins, own_bins, usual=usual))
        stream = self.stream.add(at, *own, deff)
        n, bad = self.stage_n + own[0], self.stage_bad + own[1]
        return Track(self.name, self.warns, stream, live_bins, own_bins, n, bad)

    @property
    def is_in_doubt(self) -> bool:
        """The stage gate: more bad requests than the limit allows, and enough of them to mean something.

        A rule of thumb without a bound. It only holds; so it does not wait for what clusters might explain.
        """
        return self.stage_bad >= GATE * measured(self.live) and self.stage_bad > self.stream.limit * self.stage_n
