from __future__ import annotations

import random

import pytest

from deploytasks.verdict.dispersion import MOST, USUAL, Bins, dispersion, measured


def binned(counts: list[tuple[int, int]], every: float = 15.0) -> Bins:
    bins = Bins().add(0, 0, 0)
    for number, (n, bad) in enumerate(counts, 1):
        bins = bins.add(number * every, n, bad)
    return bins


def drawn(cluster: int) -> list[tuple[int, int]]:
    """400 bins of 1000 requests with 10 bad ones on average, in clusters."""
    dice = random.Random(7)
    return [(1000, cluster * sum(dice.random() < 0.01 / cluster for _ in range(1000))) for _ in range(400)]


@pytest.mark.parametrize(("cluster", "low", "high"), [(1, 1.0, 1.3), (5, 4.0, 6.0)])
def test_it_finds_the_size_of_clusters(cluster, low, high):
    """Independent errors give about 1, clusters of five about 5."""
    assert low <= dispersion(binned(drawn(cluster))) <= high
    assert low <= measured(binned(drawn(cluster))) <= high


def test_it_supposes_retries_until_it_knows():
    """Without errors it is the usual value for users, or whatever is usual for the source."""
    assert dispersion(binned([(1000, 0)] * 10)) == USUAL
    assert dispersion(binned([(1000, 0)] * 10), usual=1.0) == 1.0


def test_it_is_bounded():
    """One enormous burst does not switch the test off."""
    assert dispersion(binned([(10000, 0)] * 20 + [(10000, 9000)])) == MOST


def test_few_errors_measure_nothing():
    """Nine errors, however clustered, leave the measured value at 1."""
    assert measured(binned([(1000, 0)] * 5 + [(1000, 9)])) == 1.0


def test_short_polls_are_merged():
    """Polls of one second fill one bin per quarter of a minute, the same as polls of fifteen."""
    short = binned([(10, poll % 15 == 0) for poll in range(1, 61)], every=1.0)
    assert short.n + short.open_n == 600
    assert short.bins <= 5


def test_a_cut_forgets_the_open_bin():
    """After a gap nobody knows what the unfinished bin would have held."""
    bins = Bins().add(0, 10, 1).add(5, 10, 1)
    assert bins.cut() == Bins()
