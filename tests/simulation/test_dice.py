"""Random counts are as likely as they should be."""

from __future__ import annotations

from collections import Counter
from math import comb, erfc, exp, factorial, log, sqrt
from random import Random

import pytest
from hypothesis import given, strategies as st

from deploytasks.simulation.dice import binomial, poisson
from deploytasks.simulation.traffic import App, answers, requests
from deploytasks.verdict.ladder import LADDER, quantile

DRAWN = 20_000


def fits(found: Counter[int], chance: dict[int, float], drawn: int = DRAWN) -> bool:
    """Whether each count was drawn about as often as it should: within five standard deviations."""
    return all(
        abs(found[count] - drawn * share) <= 5 * sqrt(drawn * share * (1 - share)) + 1
        for count, share in chance.items()
    )


@pytest.mark.parametrize(("n", "p"), [(5, 0.3), (30, 0.02), (40, 0.9), (100, 0.4), (60, 0.75), (2000, 0.006)])
def test_binomial_is_exact(n: int, p: float) -> None:
    """By jumps and by rejection, on either side of one half."""
    dice = Random(7)
    found = Counter(binomial(dice, n, p) for _ in range(DRAWN))
    assert fits(found, {k: comb(n, k) * p**k * (1 - p) ** (n - k) for k in range(n + 1) if k < 150})


@given(n=st.integers(-1, 10**6), p=st.floats(0, 1), seed=st.integers(0, 2**32))
def test_binomial_stays_within_its_bounds(n: int, p: float, seed: int) -> None:
    """Never fewer than none, never more than there are; none of nothing, all of what is certain."""
    found = binomial(Random(seed), n, p)
    assert 0 <= found <= n or (n < 0 and found in (0, n))
    if n >= 0:
        assert p > 0 or found == 0
        assert p < 1 or found == n


def test_poisson_is_exact_where_few_come() -> None:
    dice = Random(3)
    found = Counter(poisson(dice, 4.5) for _ in range(DRAWN))
    assert fits(found, {k: exp(-4.5) * 4.5**k / factorial(k) for k in range(20)})


def test_poisson_of_many_has_its_mean_and_spread() -> None:
    dice = Random(5)
    found = [poisson(dice, 400) for _ in range(DRAWN)]
    mean = sum(found) / DRAWN
    assert abs(mean - 400) < 1
    assert abs(sum((each - mean) ** 2 for each in found) / DRAWN - 400) < 20


def test_clusters_keep_the_rate_and_vary_more() -> None:
    """Five errors at a time: as many errors, in a fifth as many moments."""
    dice = Random(11)
    one, five = ([requests(dice, App(0.05, cluster), 100).errors for _ in range(5000)] for cluster in (1, 5))
    assert abs(sum(one) / 5000 - 5) < 0.25
    assert abs(sum(five) / 5000 - 5) < 0.5
    assert all(errors % 5 == 0 for errors in five)
    assert sum((e - 5) ** 2 for e in five) > 3 * sum((e - 5) ** 2 for e in one)


def test_times_are_log_normal_where_they_are_judged() -> None:
    """Of the slower half, as many are slower than each edge as a log-normal time says; the ladder falls."""
    found = answers(Random(13), App(0, 1, 0.8), 200_000)
    middle = log(0.8) - 2.3263
    for edge in LADDER:
        share = erfc((log(edge) - middle) / sqrt(2)) / 2
        if share <= 0.5:
            off = 6 * sqrt(200_000 * share * (1 - share)) + 2
            assert abs(found.slower.get(edge, 0) - 200_000 * share) < off, edge
    counts = [found.slower.get(edge, 0) for edge in LADDER]
    assert counts == sorted(counts, reverse=True)
    assert 0.7 < (quantile(found, 0.99) or 0) < 0.95


def test_nothing_is_slow_unless_it_is_asked_for() -> None:
    assert {} == answers(Random(1), App(0.5), 100).slower
