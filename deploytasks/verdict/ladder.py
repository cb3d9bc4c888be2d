"""The latency edges every provider counts at, and how counts at those edges are read.

The ladder is part of what the ledger records (``rollout.reading_to_json`` writes counts in its order), so an edge
is never moved; Envoy's histogram buckets are the same ladder.
"""

from __future__ import annotations

from bisect import bisect_left

from ..ports import Totals


def _steps() -> tuple[float, ...]:
    """92 geometric steps of about 12 % from 1 ms to 30 s, and the edges people set limits at."""
    ratio = (30.0 / 0.001) ** (1 / 91)
    return tuple(sorted({float(f"{0.001 * ratio**step:.3g}") for step in range(92)} | {0.5, 1.0, 2.0, 30.0}))


LADDER: tuple[float, ...] = _steps()
"""Edges in seconds, rising."""

NOTHING = Totals(0, 0, {})
"""No request at all."""


def edge_above(limit: float) -> float | None:
    """The smallest edge that is not below ``limit`` (seconds); ``None`` above the ladder's end."""
    place = bisect_left(LADDER, limit)
    return LADDER[place] if place < len(LADDER) else None


def slower_than(totals: Totals, limit: float) -> int:
    """How many requests surely took longer than ``limit`` seconds: those above the next edge, so never too many."""
    edge = edge_above(limit)
    return 0 if edge is None else totals.slower.get(edge, 0)


def quantile(totals: Totals, q: float) -> float | None:
    """The smallest edge (seconds) that at least a share ``q`` (0 to 1) of the requests did not exceed.

    An upper bound of the nearest-rank quantile, at most one step (12 %) above it. ``None`` without requests;
    infinity when it lies above the ladder's end.
    """
    if totals.requests <= 0:
        return None
    # A hair of tolerance: 1 - 0.99 is not exactly 0.01, and a whole count must not tip over that.
    most = (1 - q) * totals.requests + 1e-9
    place = bisect_left(LADDER, True, key=lambda edge: totals.slower.get(edge, 0) <= most)
    return LADDER[place] if place < len(LADDER) else float("inf")


def since(now: Totals, last: Totals) -> Totals | None:
    """What is new since ``last``; ``None`` when a count fell, which means that the counter was reset."""
    if now.requests < last.requests or now.errors < last.errors or len(now.slower) < len(last.slower):
        return None
    slower = {edge: count - last.slower.get(edge, 0) for edge, count in now.slower.items()}
    if any(count < 0 for count in slower.values()) or any(edge not in slower for edge in last.slower):
        return None
    return Totals(
        now.requests - last.requests,
        now.errors - last.errors,
        {edge: count for edge, count in slower.items() if count},
    )


def difference(before: Totals, after: Totals) -> Totals:
    """What is new between two counts; nothing when the counter was reset meanwhile."""
    return since(after, before) or NOTHING


def plus(one: Totals, more: Totals) -> Totals:
    """Both together."""
    if not more.requests and not more.errors and not more.slower:
        return one
    slower = dict(one.slower)
    for edge, count in more.slower.items():
        slower[edge] = slower.get(edge, 0) + count
    return Totals(one.requests + more.requests, one.errors + more.errors, slower)
