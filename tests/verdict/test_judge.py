from __future__ import annotations

import json

import pytest
from hypothesis import given, strategies as st

from deploytasks.ports import Totals
from deploytasks.verdict import LADDER, Limits, Verdict, judge_once
from deploytasks.verdict.judge import beyond_threshold, wilson


def counted(n: int, errors: int = 0, slow: int = 0, seconds: float = 3.0) -> Totals:
    """So many requests, of which ``slow`` took ``seconds`` and all others 20 ms."""
    counts = {edge: n if edge < 0.02 else slow if edge < seconds else 0 for edge in LADDER}
    return Totals(n, errors, {edge: count for edge, count in counts.items() if count})


def kinds(totals: Totals, baseline: Totals | None = None, limits: Limits | None = None) -> dict[str, str]:
    return {verdict.metric: verdict.kind for verdict in judge_once(totals, baseline, limits or Limits())}


@pytest.mark.parametrize(("errors", "kind"), [(0, "PASS"), (15, "WARN"), (23, "HOLD"), (80, "FAIL")])
def test_errors_are_judged_with_their_interval(errors, kind):
    """Of 1000 requests: below the warning, over it, over the limit perhaps by chance, over it beyond chance."""
    assert kinds(counted(1000, errors))["errors"] == kind


def test_few_requests_are_not_judged():
    """29 requests, all errors, are not enough data: HOLD for every metric, never PASS or FAIL."""
    found = judge_once(counted(29, 29), None, Limits())
    assert {verdict.kind for verdict in found} == {"HOLD"}
    assert {verdict.metric for verdict in found} == {"errors", "p99", "p95"}
    assert all("not enough data: 29 requests, 30 are needed" in verdict.why for verdict in found)


@pytest.mark.parametrize(
    ("slow", "seconds", "p99", "p95"),
    [(5, 3.0, "PASS", "PASS"), (12, 3.0, "HOLD", "PASS"), (40, 3.0, "FAIL", "PASS"), (60, 1.5, "WARN", "WARN")],
)
def test_latency_is_judged_by_the_share_of_slow_requests(slow, seconds, p99, p95):
    """P99 is over its limit exactly when more than 1 % is slower; P95 warns from 5 %."""
    found = kinds(counted(1000, slow=slow, seconds=seconds))
    assert (found["p99"], found["p95"]) == (p99, p95)


def test_a_baseline_of_300_requests_is_compared():
    """Half as slow again as the baseline fails; a smaller baseline, or none, is not compared at all."""
    slower = counted(1000, slow=100, seconds=0.2)
    assert kinds(slower, counted(300))["p99_worse"] == "FAIL"
    assert kinds(counted(1000), counted(300))["p99_worse"] == "PASS"
    assert "p99_worse" not in kinds(slower, counted(299))
    assert "p99_worse" not in kinds(slower, None)
    assert "p99_worse" not in kinds(slower, counted(300), Limits(worse=None))
    assert kinds(slower, counted(300), Limits(worse_from=5.0))["p99_worse"] == "PASS"


def test_a_verdict_says_why_with_its_numbers():
    """The sentence has the metric, value, limit, counts and the interval."""
    verdict = judge_once(counted(1000, 80), None, Limits())[0]
    assert verdict.why == (
        "errors: 8 % against a limit of 2 %; 80 of 1000 requests (8 %, 95 % interval 6.47 % to 9.85 %)"
    )
    assert (verdict.n, verdict.value, verdict.limit) == (1000, 0.08, 0.02)


def test_json_has_every_field_and_no_infinity():
    """A P99 above the ladder is null, since JSON knows no infinity."""
    verdict = Verdict("FAIL", "p99", 10, float("inf"), float("inf"), "why")
    assert json.loads(json.dumps(verdict.to_json(), allow_nan=False)) == {
        "kind": "FAIL", "metric": "p99", "n": 10, "value": None, "limit": None, "why": "why",
    }  # fmt: skip


@given(st.integers(1, 5000), st.data())
def test_wilson_interval_holds_the_share(n, data):
    """The interval lies in 0 to 1 and around the observed share."""
    bad = data.draw(st.integers(0, n))
    low, high = wilson(bad, n)
    assert 0 <= low <= bad / n + 1e-12
    assert bad / n - 1e-12 <= high <= 1


@pytest.mark.parametrize(
    ("window", "metric"),
    [
        (counted(1, 1), "errors"),
        (counted(100, 2), None),
        (counted(100, slow=2, seconds=3.0), "p99"),
        (counted(100, slow=1, seconds=3.0), None),
        (counted(100, slow=2, seconds=0.5), "p99_worse"),
        (counted(0), None),
    ],
)
def test_the_threshold_rule_is_literal(window, metric):
    """One error in one request is over 2 %; exactly 2 % is not; P99 counts from the second slow one in a hundred."""
    verdict = beyond_threshold(window, 0.3, Limits())
    assert (verdict.metric if verdict else None) == metric


def test_more_bad_ones_than_there_were() -> None:
    """Counters that are read one after the other may say so: it is no reason to fail."""
    assert wilson(12, 10) == wilson(10, 10)
