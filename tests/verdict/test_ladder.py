from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, strategies as st

from deploytasks.ports import Totals
from deploytasks.verdict.ladder import LADDER, difference, edge_above, plus, quantile, since, slower_than


def counted(latencies: list[float], errors: int = 0) -> Totals:
    """Counts of single latencies (seconds) along the ladder, as a provider makes them."""
    counts = {edge: sum(latency > edge for latency in latencies) for edge in LADDER}
    return Totals(len(latencies), errors, {edge: count for edge, count in counts.items() if count})


def test_ladder_rises_in_fine_steps_and_has_the_edges_of_limits():
    """Edges rise from 1 ms to 30 s by at most 13 %, and 0.5, 1 and 2 s are among them."""
    assert LADDER[0] == 0.001
    assert LADDER[-1] == 30.0
    assert all(1 < b / a < 1.13 for a, b in pairwise(LADDER))
    assert {0.5, 1.0, 2.0} <= set(LADDER)


def test_slower_than_uses_the_next_edge():
    """A limit between two edges counts from the upper one: never a request that was within the limit."""
    totals = counted([0.51, 3.0, 3.0])
    assert slower_than(totals, 0.5) == 3
    assert edge_above(0.509) > 0.51
    assert slower_than(totals, 0.509) == 2


def test_slower_than_above_the_ladder_claims_nothing():
    """Beyond the last edge nothing is known to be slower."""
    assert slower_than(counted([100.0]), 31.0) == 0


@given(st.lists(st.floats(0.0001, 29.0), min_size=1, max_size=300), st.sampled_from([0.5, 0.95, 0.99]))
def test_quantile_is_the_edge_above_the_nearest_rank(latencies, q):
    """The quantile is the first edge that is not below the nearest-rank quantile of the raw latencies."""
    rank = max(0, -int(-q * len(latencies) // 1) - 1)
    assert quantile(counted(latencies), q) == edge_above(sorted(latencies)[rank])


def test_quantile_without_requests_is_unknown():
    """No request, no quantile; and one above the ladder is infinite, not the last edge."""
    assert quantile(Totals(0, 0, {}), 0.99) is None
    assert quantile(counted([60.0]), 0.99) == float("inf")


@given(st.lists(st.floats(0.001, 40.0), max_size=40), st.lists(st.floats(0.001, 40.0), max_size=40))
def test_since_undoes_plus(before, new):
    """What is new since a count is what was added to it."""
    assert counted(new) == since(plus(counted(before), counted(new)), counted(before))


@pytest.mark.parametrize(
    "now", [Totals(9, 2, {1.0: 4}), Totals(20, 1, {1.0: 4}), Totals(20, 2, {1.0: 3}), Totals(20, 2, {})]
)
def test_a_fall_of_any_count_is_a_reset(now):
    """When requests, errors or the count at an edge fall, nothing can be said about what is new."""
    assert since(now, Totals(10, 2, {1.0: 4})) is None
    assert difference(Totals(10, 2, {1.0: 4}), now) == Totals(0, 0, {})
