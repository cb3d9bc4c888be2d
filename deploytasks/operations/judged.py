"""One reading that was judged, as plain data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from ..ports import Color, NoData, Totals
from ..verdict import Limits, Verdict
from ..verdict.judge import wilson
from ..verdict.ladder import quantile


class Judged(NamedTuple):
    """What one source said of a color in a window. ``baseline``: the other color meanwhile, if it had traffic."""

    source: str
    totals: Totals | NoData
    baseline: Totals | None
    verdicts: Sequence[Verdict]
    has_latency: bool = True
    """Whether it tells how long requests take."""


def kind_of(found: Sequence[Judged]) -> str:
    """The worst of all verdicts: ``FAIL``, ``HOLD``, ``WARN`` or ``PASS``. Nothing that was judged is no pass."""
    kinds = {verdict.kind for each in found for verdict in each.verdicts}
    return next((kind for kind in ("FAIL", "HOLD", "WARN") if kind in kinds), "PASS" if kinds else "HOLD")


def answer(
    environment: str, color: Color, found: Sequence[Judged], beside: Sequence[Verdict], limits: Limits, window: float
) -> dict[str, Any]:
    """What ``--json`` prints and people are shown. ``window``: seconds. ``beside``: readings of database and hosts."""
    return {
        "environment": environment,
        "color": color,
        "window": window,
        "verdict": kind_of(found),
        "verdicts": [verdict.to_json() for verdict in (*(v for each in found for v in each.verdicts), *beside)],
        "sources": [_source(each) for each in found],
        "limits": limits._asdict(),
    }


def _source(of: Judged) -> dict[str, Any]:
    return {
        "source": of.source,
        "no_data": of.totals.why if isinstance(of.totals, NoData) else None,
        "reading": None if isinstance(of.totals, NoData) else _counted(of.totals, of.has_latency),
        "baseline": None if of.baseline is None else _counted(of.baseline, of.has_latency),
    }


def _counted(totals: Totals, has_latency: bool) -> dict[str, Any]:
    """Requests, errors, their share with its 95 % interval; P95 and P99 in seconds, ``None`` when unknown or > 30 s."""
    n = totals.requests
    return {
        "requests": n,
        "errors": totals.errors,
        "error_rate": totals.errors / n if n else None,
        "interval": list(wilson(totals.errors, n)),
        **{name: _seconds(totals, q) if has_latency else None for name, q in (("p95", 0.95), ("p99", 0.99))},
    }


def _seconds(totals: Totals, q: float) -> float | None:
    found = quantile(totals, q)
    return None if found == float("inf") else found
