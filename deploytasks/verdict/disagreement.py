"""Sources that count the same thing and do not say the same. It is shown, and nothing else follows from it: each is
judged by itself, so the harsher one decides.

Two disagree when the 95 % intervals of their shares do not overlap, counts divided by how clustered they are, with
``min_requests`` on both sides. They may count different requests (an application knows nothing of those that never
reached it), and one of them later than the other: so it counts only what lasts, and it is said once.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import combinations
from typing import NamedTuple

from ..ports import COLORS, Color
from .course import Course
from .dispersion import dispersion
from .evidence import Evidence, measure_of
from .guards import STALE_POLLS
from .judge import Verdict, milliseconds, percent, wilson
from .rules import Rules
from .track import Track

TESTS = ("errors", "p99")
"""What is compared: shares of errors, and of requests beyond the limit of the P99."""


class Share(NamedTuple):
    """What one source says of a color, since it was first looked at: ``bad`` of ``n`` requests."""

    source: str
    n: int
    bad: int
    deff: float

    @property
    def rate(self) -> float:
        """0 to 1; 0 without requests."""
        return self.bad / self.n if self.n else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        """Where the true share lies, in 95 of 100 cases."""
        return wilson(self.bad / self.deff, self.n / self.deff)


def apart(rules: Rules, course: Course) -> Iterator[Verdict]:
    """A WARN for each two sources that disagree now."""
    for test in TESTS:
        counted = [(each, track) for each in course.counting for track in each.tracks if track.name == test]
        for one, two in combinations(counted, 2):
            for color in COLORS:
                pair = sorted((_share(*one, color), _share(*two, color)), key=lambda each: each.rate, reverse=True)
                if min(each.n for each in pair) >= max(1, rules.min_requests) and _differ(*pair):
                    yield _verdict(rules, test, color, *pair)


def lasting(rules: Rules, course: Course, found: list[Verdict], at: datetime) -> Iterator[Verdict]:
    """Those of ``found`` that are no matter of who is told first."""
    patience = timedelta(seconds=rules.lag + STALE_POLLS * rules.poll)
    return (each for each in found if at - course.apart.get(each.metric, at) > patience)


def beside(course: Course, verdict: Verdict) -> Verdict:
    """A verdict on one source, with what the others that give the same say meanwhile."""
    test, _, source = verdict.metric.partition(" of ")
    others = [
        f"{each.name}: {share.bad:,} of {share.n:,} ({percent(share.rate)})"
        for each in (course.counting if course.more else ())
        for track in each.tracks
        if each.name != source and track.name == test and (share := _share(each, track, each.target)).n
    ]
    return verdict._replace(why=f"{verdict.why}; meanwhile {', '.join(others)}") if others else verdict


def _share(source: Evidence, track: Track, color: Color) -> Share:
    if color == source.target:
        return Share(source.name, track.stream.n, track.stream.bad, track.stream.deff)
    live = track.live
    return Share(source.name, live.n + live.open_n, live.bad + live.open_bad, dispersion(live))


def _differ(more: Share, less: Share) -> bool:
    return more.interval[0] > less.interval[1]


def _verdict(rules: Rules, test: str, color: Color, more: Share, less: Share) -> Verdict:
    about = f"{measure_of(test)} of {color}"
    slow = f" longer than {milliseconds(rules.p99)}" if test == "p99" else ""
    why = (
        f"{more.source} and {less.source} disagree about {about}: "
        f"{percent(more.rate)} of {more.n:,} requests{slow} against {percent(less.rate)} of {less.n:,}"
    )
    metric = f"{about}: {more.source} and {less.source}"
    return Verdict("WARN", metric, min(more.n, less.n), more.rate, less.rate, why)
