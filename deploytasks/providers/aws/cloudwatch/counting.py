"""From the data points of a load balancer to what each color's users experienced, period by period.

``HTTPCode_Target_5XX_Count`` has only what targets answered. What the load balancer answered in a target's place (502,
504) or because it had no target (503) is in ``HTTPCode_ELB_5XX_Count``, which knows of no target group. It belongs to

* a color as far as that color has requests without an answer of a target: ``RequestCount`` less all
  ``HTTPCode_Target_nXX_Count``. Others than 5xx are among those as well (visitors who went away), so that both colors
  may be told of the same error: rather one too many than one that nobody sees;
* what is still left found no target at all, and may have been meant for either color: both have it, as a request that
  failed. Fixed responses (a notice of maintenance, a 404 for strangers) are no such errors. Where other services are
  behind the same load balancer (``shared``) it may be theirs: a color has it as far as more of its connections failed.

Nothing is taken away from what targets answered, and every error of the load balancer's own is some color's, but for
``shared`` ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from ....ports import COLORS, Color, Totals
from .data import Points, Query
from .groups import NAMESPACE, Groups

_REQUESTS = "RequestCount"
_ANSWERS = ("HTTPCode_Target_2XX_Count", "HTTPCode_Target_3XX_Count", "HTTPCode_Target_4XX_Count")
_ERRORS = "HTTPCode_Target_5XX_Count"
_UNCONNECTED = "TargetConnectionErrorCount"
_SECONDS = "TargetResponseTime"
_OWN_ERRORS = "HTTPCode_ELB_5XX_Count"
_OWN_REFUSALS = "HTTPCode_ELB_4XX_Count"
_FIXED = "HTTP_Fixed_Response_Count"
_HOSTS = ("HealthyHostCount", "UnHealthyHostCount")
"""Told of in every period in which a group has targets, also without any request."""


class Counter(NamedTuple):
    """What is asked for: one query each, for a list of edges (seconds)."""

    groups: Groups
    edges: tuple[float, ...]
    shared: bool

    def queries(self) -> list[Query]:
        """All of them, in no order that matters."""
        found = [self._of(None, name) for name in (_OWN_ERRORS, _OWN_REFUSALS, _FIXED)]
        for color in COLORS:
            found += [self._of(color, name) for name in (_REQUESTS, *_ANSWERS, _ERRORS, _UNCONNECTED)]
            found += [self._of(color, name, "SampleCount") for name in _HOSTS]
            found += [self._slower(color, edge) for edge in self.edges]
        return found

    def periods(self, points: Mapping[Query, Points]) -> dict[float, Period]:
        """What each period had, by its beginning; of those in which anything was told."""
        starts = {at for each in points.values() for at in each}
        return {at: self._period(at, points) for at in starts}

    def _period(self, at: float, points: Mapping[Query, Points]) -> Period:
        def count(color: Color | None, name: str) -> int:
            return whole(points[self._of(color, name)].get(at, 0.0))

        groups = {color: self._group(color, at, points) for color in COLORS}
        own, fixed = count(None, _OWN_ERRORS), count(None, _FIXED)
        told = {color for color in COLORS if groups[color].requests or self._hosts(color, at, points)}
        spread = spread_errors(groups, own, max(0, fixed - count(None, _OWN_REFUSALS)), shared=self.shared)
        return Period(spread, frozenset(told), has_requests=any(group.requests for group in groups.values()) or own > 0)

    def _group(self, color: Color, at: float, points: Mapping[Query, Points]) -> Group:
        def count(name: str) -> int:
            return whole(points[self._of(color, name)].get(at, 0.0))

        slower = {edge: whole(points[self._slower(color, edge)].get(at, 0.0)) for edge in self.edges}
        errors = count(_ERRORS)
        answered = sum(map(count, _ANSWERS)) + errors
        return Group(
            requests=max(count(_REQUESTS), answered),
            answered=answered,
            errors=errors,
            unconnected=count(_UNCONNECTED),
            slower={edge: slow for edge, slow in slower.items() if slow},
        )

    def _hosts(self, color: Color, at: float, points: Mapping[Query, Points]) -> bool:
        return any(at in points[self._of(color, name, "SampleCount")] for name in _HOSTS)

    def _of(self, color: Color | None, name: str, stat: str = "Sum") -> Query:
        return Query(NAMESPACE, name, self.groups.dimensions(color), stat)

    def _slower(self, color: Color, edge: float) -> Query:
        """A trimmed count leaves out its lower bound: what took exactly that long is not slower."""
        return self._of(color, _SECONDS, f"TC({edge:.10f}".rstrip("0").rstrip(".") + ":)")


class Group(NamedTuple):
    """What one target group had in one period."""

    requests: int
    answered: int
    """By a target."""
    errors: int
    """5xx of a target."""
    unconnected: int
    """Connections that failed; the load balancer may have tried another target."""
    slower: Mapping[float, int]


class Period(NamedTuple):
    """What one period had. ``told``: the colors of which it is said that they were there."""

    totals: Mapping[Color, Totals]
    told: frozenset[Color]
    has_requests: bool


def spread_errors(groups: Mapping[Color, Group], own: int, fixed: int, *, shared: bool) -> dict[Color, Totals]:
    """Each color's requests and errors, with those of the load balancer's ``own`` that may be its. ``fixed``: how many
    of those are fixed responses, at least."""
    unanswered = {color: max(0, group.requests - group.answered) for color, group in groups.items()}
    placed = {color: min(count, own) for color, count in unanswered.items()}
    left = max(0, own - sum(placed.values()) - fixed)
    found = {}
    for color, group in groups.items():
        more = min(left, max(0, group.unconnected - placed[color])) if shared else left
        errors = group.errors + placed[color] + more
        found[color] = Totals(group.requests + more, errors, group.slower)
    return found


def added(parts: Iterable[Totals]) -> Totals:
    """All together."""
    requests, errors, slower = 0, 0, dict[float, int]()
    for part in parts:
        requests, errors = requests + part.requests, errors + part.errors
        for edge, slow in part.slower.items():
            slower[edge] = slower.get(edge, 0) + slow
    return Totals(requests, errors, slower)


def risen(before: Totals, now: Totals, edges: Sequence[float]) -> Totals:
    """What is known now, and no count below what was said before. What arrives out of order may look like an error of
    the load balancer's own for a while."""
    pairs = ((edge, max(before.slower.get(edge, 0), now.slower.get(edge, 0))) for edge in edges)
    slower = {edge: slow for edge, slow in pairs if slow}
    return Totals(max(before.requests, now.requests), max(before.errors, now.errors), slower)


def whole(value: float) -> int:
    """A count; trimmed counts of very many requests are estimates: never too many."""
    return int(value + 1e-6)
