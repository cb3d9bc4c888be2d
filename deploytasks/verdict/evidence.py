"""All that one source of requests has told so far about both colors, and what follows from it.

There are two sources: what users sent, and what our own prober sent. They are never mixed: a prober does not
retry, and a healthy page that is probed often would dilute what users suffer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, NamedTuple

from ..ports import COLORS, Color, Totals, other
from .dispersion import USUAL, Bins, dispersion, measured
from .judge import BASELINE_LEAST, Limits, Verdict, beyond_threshold, milliseconds, percent
from .ladder import NOTHING, plus, quantile, since, slower_than
from .sequential import Stream

SourceName = Literal["users", "probes"]
ALPHA = {"errors": 0.005, "p99": 0.0025, "p99_worse": 0.0025}
"""The false alarms a deployment may give, 1 % in all, by test; halved when two sources are judged."""
ALPHA_WARN = 0.05
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


@dataclass(frozen=True, slots=True)
class Evidence:
    """What ``source`` said about ``target`` and the live color. Counts are ``Totals`` since a certain moment."""

    source: SourceName
    target: Color
    limits: Limits
    tracks: tuple[Track, ...]
    last: Mapping[Color, Totals] = field(default_factory=dict)
    baseline: Totals = NOTHING
    """The live color's, before the first shift."""
    usual: float | None = None
    """The baseline's P99 in seconds, frozen at the first shift; ``None`` with too few requests."""
    concurrent: Totals = NOTHING
    """The live color's, since the first shift."""
    exposed: bool = False
    stage: Mapping[Color, Totals] = field(default_factory=dict)
    """Both colors', since the stage began."""
    window: Totals = NOTHING
    """The target's, in the last poll."""

    def add(self, at: float, totals: Mapping[Color, Totals]) -> Evidence:
        """Take in cumulative totals, read at ``at`` (seconds). A counter that was reset starts a new count."""
        new = {color: self._new(color, totals) for color in COLORS}
        own, live = new[self.target], new[other(self.target)]
        usual = 1.0 if self.source == "probes" else USUAL
        relative = self.relative_limit
        tracks = tuple(
            track.add(at, _bad(track, own, relative, self.limits), _bad(track, live, relative, self.limits), usual)
            for track in self.tracks
        )
        return replace(
            self,
            tracks=tracks,
            last={**self.last, **totals},
            baseline=self.baseline if self.exposed else plus(self.baseline, live),
            concurrent=plus(self.concurrent, live) if self.exposed else self.concurrent,
            stage={color: plus(self.stage.get(color, NOTHING), new[color]) for color in COLORS},
            window=own,
        )

    def _new(self, color: Color, totals: Mapping[Color, Totals]) -> Totals:
        now, last = totals.get(color), self.last.get(color)
        return NOTHING if now is None or last is None else since(now, last) or NOTHING

    def expose(self) -> Evidence:
        """The first shift: freeze the baseline."""
        usual = quantile(self.baseline, 0.99) if self.baseline.requests >= BASELINE_LEAST else None
        return self if self.exposed else replace(self, exposed=True, usual=usual)

    def new_stage(self) -> Evidence:
        """Count this stage's requests from here; the streams go on."""
        tracks = tuple(track._replace(stage_n=0, stage_bad=0) for track in self.tracks)
        return replace(self, tracks=tracks, stage={}, window=NOTHING)

    def cut(self) -> Evidence:
        """Nobody was looking for a while: do not judge what happened meanwhile."""
        tracks = tuple(track._replace(live=track.live.cut(), own=track.own.cut()) for track in self.tracks)
        return replace(self, tracks=tracks, last={}, window=NOTHING)

    @property
    def relative_limit(self) -> float | None:
        """Seconds beyond which a request is slow compared to the live color; ``None`` while that is unknown.

        Compared to the slower of the baseline and what the live color does meanwhile: when a shared database gets
        slow, both do.
        """
        if not self.exposed:
            return None
        found = [self.usual] if self.usual is not None else []
        if self.concurrent.requests >= BASELINE_LEAST:
            found += [quantile(self.concurrent, 0.99) or 0.0]
        return self.limits.relative_to(max(found)) if found else None

    def failure(self, rule: str) -> Verdict | None:
        """Why the target must go back, by the sequential tests or by the literal threshold rule."""
        if rule == "threshold":
            return beyond_threshold(self.window, self.relative_limit, self.limits) if self.exposed else None
        tripped = (track for track in self.tracks if not track.warns and track.stream.tripped)
        return next((self._verdict("FAIL", track) for track in tripped), None)

    def doubts(self) -> list[Verdict]:
        """Tests that neither failed nor let this stage pass."""
        return [self._verdict("HOLD", track) for track in self.tracks if not track.warns and track.is_in_doubt]

    def warnings(self) -> list[Verdict]:
        """Warnings whose stream has tripped."""
        return [self._verdict("WARN", track) for track in self.tracks if track.warns and track.stream.tripped]

    def _verdict(self, kind: Literal["FAIL", "HOLD", "WARN"], track: Track) -> Verdict:
        n, bad = (track.stage_n, track.stage_bad) if kind == "HOLD" else (track.stream.n, track.stream.bad)
        bound = f"false-alarm bound {percent(track.stream.alpha)}"
        rule = {
            "FAIL": f"sequential test, {bound}",
            "WARN": f"sequential test for a warning, {bound}",
            "HOLD": "not beyond chance, but too many to go on",
        }[kind]
        metric = track.name if self.source == "users" else f"{track.name} of probes"
        what = "were errors" if "errors" in track.name else f"took longer than {self._edge(track)}"
        why = (
            f"{metric}: {bad} of {n} requests to {self.target} ({percent(bad / n if n else 0)}) {what}, "
            f"against a limit of {percent(track.stream.limit)}: {rule}"
        )
        return Verdict(kind, metric, n, bad / n if n else 0.0, track.stream.limit, why)

    def _edge(self, track: Track) -> str:
        return milliseconds(_limit(track.name, self.relative_limit, self.limits))


def gather(source: SourceName, target: Color, limits: Limits, sources: int) -> Evidence:
    """Nothing seen yet; ``sources`` (1 or 2) share the false-alarm budget."""
    shares = {"errors": limits.errors, "p99": 0.01, "p99_worse": 0.01}
    tracks = [Track(name, False, Stream(shares[name], ALPHA[name] / sources)) for name in shares]
    warn_shares = {"warn_errors": limits.warn_errors, "warn_p95": 0.05, "warn_p99": 0.01}
    if source == "users":
        tracks += [Track(name, True, Stream(share, ALPHA_WARN, least=2)) for name, share in warn_shares.items()]
    return Evidence(source, target, limits, tuple(tracks))


def _limit(name: str, relative: float | None, limits: Limits) -> float | None:
    """The edge in seconds that a latency test looks at."""
    if name == "p99_worse":
        return relative
    return {"p99": limits.p99, "warn_p95": limits.warn_p95, "warn_p99": limits.warn_p99}[name]


def _bad(track: Track, new: Totals, relative: float | None, limits: Limits) -> tuple[int, int]:
    """(requests, bad requests) of ``new`` as this test sees them; (0, 0) while it is disabled."""
    if track.name in ("errors", "warn_errors"):
        return new.requests, new.errors
    edge = _limit(track.name, relative, limits)
    return (0, 0) if edge is None else (new.requests, slower_than(new, edge))
