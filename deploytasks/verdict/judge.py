"""What a verdict is, how it is worded, and the two judgements that look at one set of counts once."""

from __future__ import annotations

from math import sqrt
from typing import Literal, NamedTuple

from ..ports import Json, Totals
from .ladder import quantile, slower_than

Kind = Literal["PASS", "WARN", "HOLD", "FAIL"]
BASELINE_LEAST = 300
"""Requests below which a P99 has no upper bound at all at 95 % (0.99 ** 299 < 5 %): not a baseline."""


class Verdict(NamedTuple):
    """A judgement that explains itself: ``value`` of ``metric`` over ``n`` requests against ``limit``."""

    kind: Kind
    metric: str
    n: int
    value: float | None
    limit: float | None
    why: str

    def to_json(self) -> dict[str, Json]:
        """All fields by name; an infinite value (above the ladder) as ``None``."""
        infinite = float("inf")
        value, limit = (None if each == infinite else each for each in (self.value, self.limit))
        return {**self._asdict(), "value": value, "limit": limit}


class Limits(NamedTuple):
    """What is too much. Shares are fractions 0 to 1, times are seconds.

    ``worse`` 0.5 is half as much again as the baseline's P99; ``None``: not compared. A P99 below ``worse_from`` is
    never too much worse: where everything takes 5 ms, half as much again is noise.
    """

    errors: float = 0.02
    p99: float = 2.0
    worse: float | None = 0.5
    warn_errors: float = 0.01
    warn_p95: float = 0.5
    warn_p99: float = 1.0
    min_requests: int = 30
    worse_from: float = 0.0

    def relative_to(self, usual: float | None) -> float | None:
        """The P99 (seconds) that is too much worse than a ``usual`` one; ``None`` when that is not judged."""
        return None if usual is None or self.worse is None else max((1 + self.worse) * usual, self.worse_from)


def percent(share: float) -> str:
    """``2 %``, ``25.8 %``."""
    return f"{100 * share:.3g} %"


def milliseconds(seconds: float | None) -> str:
    """``2000 ms``, ``0.5 ms``; words when there is none or when it is above the ladder."""
    if seconds is None:
        return "unknown"
    return "over 30 s" if seconds == float("inf") else f"{1000 * seconds:.{0 if seconds >= 0.001 else 1}f} ms"


def wilson(bad: float, n: float, z: float = 1.96) -> tuple[float, float]:
    """The 95 % confidence interval of a share (Wilson 1927); 0 to 1 without requests.

    Counters are not read at one moment: of few requests, more may be bad than there were. Then all were.
    """
    if n <= 0:
        return 0.0, 1.0
    share = min(max(bad / n, 0.0), 1.0)
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z * sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return max(0.0, middle - half), min(1.0, middle + half)


class Asked(NamedTuple):
    """One question to a set of counts: whether a share of ``bad`` above ``share`` is too much, or worth a warning.

    ``value`` and ``limit`` are what people see: the rate itself, or the quantile and its limit in seconds.
    """

    metric: str
    share: float
    bad: int
    value: float
    limit: float
    warns: bool

    def text(self) -> str:
        """Value against limit, in their unit."""
        if self.metric.startswith("errors"):
            return f"{percent(self.value)} against a limit of {percent(self.limit)}"
        return f"{milliseconds(self.value)} against a limit of {milliseconds(self.limit)}"


def _questions(totals: Totals, baseline: Totals | None, limits: Limits) -> list[Asked]:
    """The harsh question first within each metric, so that the first answer that is not a pass counts."""
    rate = totals.errors / totals.requests
    p95, p99 = quantile(totals, 0.95) or 0.0, quantile(totals, 0.99) or 0.0

    def slow(metric: str, share: float, value: float, limit: float, warns: bool) -> Asked:
        return Asked(metric, share, slower_than(totals, limit), value, limit, warns)

    asked = [
        Asked("errors", limits.errors, totals.errors, rate, limits.errors, False),
        Asked("errors", limits.warn_errors, totals.errors, rate, limits.warn_errors, True),
        slow("p99", 0.01, p99, limits.p99, False),
        slow("p99", 0.01, p99, limits.warn_p99, True),
        slow("p95", 0.05, p95, limits.warn_p95, True),
    ]
    usual = quantile(baseline, 0.99) if baseline and baseline.requests >= BASELINE_LEAST else None
    relative = limits.relative_to(usual)
    return asked if relative is None else [*asked, slow("p99_worse", 0.01, p99, relative, False)]


def judge_once(totals: Totals, baseline: Totals | None, limits: Limits) -> list[Verdict]:
    """Judge one set of counts, once: one verdict per metric (errors, p99, p95, and p99_worse with a baseline).

    FAIL: over the limit beyond chance (the 95 % interval of the share lies above it). HOLD: over it, but that may
    be chance, or there are fewer than ``min_requests``. WARN: over the warning limit. PASS: none of these.
    """
    if totals.requests < max(1, limits.min_requests):
        n, least = totals.requests, max(1, limits.min_requests)
        why = f"not enough data: {n} requests, {least} are needed"
        return [Verdict("HOLD", metric, n, n, least, f"{metric}: {why}") for metric in ("errors", "p99", "p95")]
    found: dict[str, Verdict] = {}
    for asked in _questions(totals, baseline, limits):
        if asked.metric not in found or found[asked.metric].kind == "PASS":
            found[asked.metric] = _answer(asked, totals.requests)
    return list(found.values())


def _answer(asked: Asked, n: int) -> Verdict:
    low, high = wilson(asked.bad, n)
    kind: Kind = "PASS"
    if asked.bad > asked.share * n:
        kind = "WARN" if asked.warns else "FAIL" if low > asked.share else "HOLD"
    note = "; over it, but not beyond chance" if kind == "HOLD" else ""
    slow = "" if asked.metric == "errors" else " slower than that"
    why = (
        f"{asked.metric}: {asked.text()}; {asked.bad} of {n} requests{slow} "
        f"({percent(asked.bad / n)}, 95 % interval {percent(low)} to {percent(high)}){note}"
    )
    return Verdict(kind, asked.metric, n, asked.value, asked.limit, why)


def beyond_threshold(window: Totals, relative: float | None, limits: Limits) -> Verdict | None:
    """The literal rule: FAIL when the counts of one poll are over a threshold, however few they are.

    ``relative`` is the limit in seconds that follows from the baseline. A nearest-rank P99 is above T exactly when
    more than 1 % of the requests took longer than T.
    """
    n = window.requests
    if n <= 0:
        return None
    if window.errors > limits.errors * n:
        rate = window.errors / n
        why = f"errors: {window.errors} of {n} requests ({percent(rate)}) in one poll, limit {percent(limits.errors)}"
        return Verdict("FAIL", "errors", n, rate, limits.errors, why)
    for metric, limit in (("p99", limits.p99), ("p99_worse", relative)):
        if limit is not None and slower_than(window, limit) > 0.01 * n:
            value = quantile(window, 0.99)
            why = f"{metric}: P99 {milliseconds(value)} of {n} requests in one poll, limit {milliseconds(limit)}"
            return Verdict("FAIL", metric, n, value, limit, why)
    return None
