"""All that one source of requests has told so far about both colors, and what follows from it.

What users sent is told by one source or by several, each with what it gives of errors and latencies; what our own
prober sent is another one. They are never mixed: two who count the same requests would count them twice, a prober does
not retry, and a healthy page that is probed often would dilute what users suffer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from ..ports import COLORS, Color, Totals, other
from .dispersion import USUAL
from .judge import BASELINE_LEAST, Limits, Verdict, beyond_threshold, milliseconds, percent
from .ladder import NOTHING, plus, quantile, since, slower_than
from .rules import MEASURES
from .sequential import Stream
from .track import Track

ALPHA = {"errors": 0.005, "p99": 0.0025, "p99_worse": 0.0025}
"""The false alarms a deployment may give, 1 % in all, by test; shared by all sources on which a test is made."""
ALPHA_WARN = 0.05


@dataclass(frozen=True, slots=True)
class Evidence:
    """What ``source`` said about ``target`` and the live color. Counts are ``Totals`` since a certain moment.

    ``source`` is ``users``, ``probes``, or the name of a further source. What it does not give is left out, whatever
    its counts say of it.
    """

    source: str
    target: Color
    limits: Limits
    tracks: tuple[Track, ...]
    name: str = ""
    """What it is called beside others; empty where what users met has no other source."""
    gives: tuple[str, ...] = MEASURES
    follows: bool = False
    """Whether there is a reading before, to which the next one can be compared."""
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
    """The target's, since the last poll."""
    early: Totals = NOTHING
    """What of it a reading between two polls has counted before."""

    def add(self, at: float, totals: Mapping[Color, Totals], is_between: bool = False) -> Evidence:
        """Take in cumulative totals, read at ``at`` (seconds). A counter that was reset starts a new count.

        ``is_between``: read between two polls; the next one then looks at all since the last one.
        """
        totals = {color: self._given(counts) for color, counts in totals.items()}
        new = {color: self._new(color, totals) for color in COLORS}
        own, live = new[self.target], new[other(self.target)]
        usual = 1.0 if self.source == "probes" else USUAL
        relative, window = self.relative_limit, plus(self.early, own)
        tracks = tuple(
            track.add(at, _bad(track, own, relative, self.limits), _bad(track, live, relative, self.limits), usual)
            for track in self.tracks
        )
        return replace(
            self,
            tracks=tracks,
            follows=True,
            last={**self.last, **totals},
            baseline=self.baseline if self.exposed else plus(self.baseline, live),
            concurrent=plus(self.concurrent, live) if self.exposed else self.concurrent,
            stage={color: plus(self.stage.get(color, NOTHING), new[color]) for color in COLORS},
            window=window,
            early=window if is_between else NOTHING,
        )

    def _given(self, counts: Totals) -> Totals:
        if self.gives == MEASURES:
            return counts
        errors, slower = counts.errors * self.has("errors"), counts.slower if self.has("latency") else {}
        return Totals(counts.requests, errors, slower)

    @property
    def seen(self) -> int:
        """Requests to the target since the stage began."""
        return self.stage.get(self.target, NOTHING).requests

    def has(self, measure: str) -> bool:
        """Whether it gives ``errors`` or ``latency``."""
        return measure in self.gives

    def _new(self, color: Color, totals: Mapping[Color, Totals]) -> Totals:
        now, last = totals.get(color), self.last.get(color)
        return NOTHING if now is None or last is None else since(now, last) or NOTHING

    def expose(self) -> Evidence:
        """The first shift: freeze the baseline."""
        enough = self.has("latency") and self.baseline.requests >= BASELINE_LEAST
        usual = quantile(self.baseline, 0.99) if enough else None
        return self if self.exposed else replace(self, exposed=True, usual=usual)

    def new_stage(self) -> Evidence:
        """Count this stage's requests from here; the streams go on."""
        tracks = tuple(track._replace(stage_n=0, stage_bad=0) for track in self.tracks)
        return replace(self, tracks=tracks, stage={}, window=NOTHING, early=NOTHING)

    def cut(self) -> Evidence:
        """Nobody was looking for a while: do not judge what happened meanwhile."""
        tracks = tuple(track._replace(live=track.live.cut(), own=track.own.cut()) for track in self.tracks)
        return replace(self, tracks=tracks, follows=False, last={}, window=NOTHING, early=NOTHING)

    @property
    def relative_limit(self) -> float | None:
        """Seconds beyond which a request is slow compared to the live color; ``None`` while that is unknown.

        Compared to the slower of the baseline and what the live color does meanwhile: when a shared database gets
        slow, both do.
        """
        if not self.exposed or not self.has("latency"):
            return None
        found = [self.usual] if self.usual is not None else []
        if self.concurrent.requests >= BASELINE_LEAST:
            found += [quantile(self.concurrent, 0.99) or 0.0]
        return self.limits.relative_to(max(found)) if found else None

    def failure(self, rule: str) -> Verdict | None:
        """Why the target must go back, by the sequential tests or by the literal threshold rule."""
        if rule == "threshold":
            found = beyond_threshold(self.window, self.relative_limit, self.limits) if self.exposed else None
            return found and self._signed(found)
        tripped = (track for track in self.tracks if not track.warns and track.stream.tripped)
        return next((self._verdict("FAIL", track) for track in tripped), None)

    def doubts(self) -> list[Verdict]:
        """Tests that neither failed nor let this stage pass."""
        return [self._verdict("HOLD", track) for track in self.tracks if not track.warns and track.is_in_doubt]

    def warnings(self) -> list[Verdict]:
        """Warnings whose stream has tripped."""
        return [self._verdict("WARN", track) for track in self.tracks if track.warns and track.stream.tripped]

    def _verdict(self, kind: Literal["FAIL", "HOLD", "WARN"], track: Track) -> Verdict:
        n, bad = (track.stage_n, track.stage_bad) if kind == "HOLD" else track.stream.telling
        latest = "the latest " if kind != "HOLD" and n < track.stream.n else ""
        bound = f"false-alarm bound {percent(track.stream.alpha)}"
        rule = {
            "FAIL": f"sequential test, {bound}",
            "WARN": f"sequential test for a warning, {bound}",
            "HOLD": "not beyond chance, but too many to go on",
        }[kind]
        metric = self.titled(track.name)
        what = "were errors" if "errors" in track.name else f"took longer than {self._edge(track)}"
        why = (
            f"{metric}: {bad} of {latest}{n} requests to {self.target} ({percent(bad / n if n else 0)}) {what}, "
            f"against a limit of {percent(track.stream.limit)}: {rule}"
        )
        return Verdict(kind, metric, n, bad / n if n else 0.0, track.stream.limit, why)

    def titled(self, metric: str) -> str:
        """``errors``; ``errors of sentry`` beside other sources."""
        return f"{metric} of {self.name}" if self.name else metric

    def _signed(self, found: Verdict) -> Verdict:
        """A verdict on one poll, with whose counts it is about."""
        metric = self.titled(found.metric)
        return found._replace(metric=metric, why=metric + found.why.removeprefix(found.metric))

    def _edge(self, track: Track) -> str:
        return milliseconds(_limit(track.name, self.relative_limit, self.limits))


def gather(
    source: str,
    target: Color,
    limits: Limits,
    alphas: Mapping[str, float],
    gives: tuple[str, ...] = MEASURES,
    name: str = "",
) -> Evidence:
    """Nothing seen yet; ``alphas``: what each test may spend of the false-alarm budget on this source."""
    shares = {"errors": limits.errors, "p99": 0.01, "p99_worse": 0.01}
    tracks = [Track(test, False, Stream(shares[test], alphas[test])) for test in shares if measure_of(test) in gives]
    if source != "probes":
        warn_shares = {"warn_errors": limits.warn_errors, "warn_p95": 0.05, "warn_p99": 0.01}
        tracks += [
            Track(test, True, Stream(share, ALPHA_WARN, least=2))
            for test, share in warn_shares.items()
            if measure_of(test) in gives
        ]
    return Evidence(source, target, limits, tuple(tracks), name, gives)


def measure_of(test: str) -> str:
    """What a source must give for a test: ``errors`` or ``latency``."""
    return "errors" if "errors" in test else "latency"


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
