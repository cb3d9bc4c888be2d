from __future__ import annotations

import random

import pytest
from hypothesis import given, strategies as st

from deploytasks.verdict.sequential import KEPT, Stream


def fed(stream: Stream, *polls: tuple[int, int], every: float = 15.0) -> Stream:
    for number, (n, bad) in enumerate(polls):
        stream = stream.add(number * every, n, bad)
    return stream


def boundary(n: int) -> int:
    """The fewest errors in n requests of one poll that trip."""
    return next(bad for bad in range(n + 1) if fed(Stream(0.02, 0.005), (n, bad)).tripped)


@pytest.mark.parametrize(("n", "errors"), [(5, 3), (10, 4), (30, 6), (100, 10), (300, 18), (1000, 41)])
def test_boundary_is_the_published_one(n, errors):
    """Against 2 % at alpha 0.5 %, so many errors trip, and one less does not."""
    assert boundary(n) == errors


def test_two_bad_requests_never_trip():
    """One client's retry cannot roll back, however sure the arithmetic is."""
    assert not fed(Stream(0.00001, 0.005), (2, 2)).tripped
    assert fed(Stream(0.00001, 0.005), (3, 3)).tripped


@given(st.lists(st.integers(0, 5000), max_size=60))
def test_good_requests_are_no_evidence(polls):
    """Without a bad request the evidence is 0."""
    stream = fed(Stream(0.01, 0.0025), *((n, 0) for n in polls))
    assert stream.evidence == 0
    assert not stream.tripped


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), max_size=30), st.floats(1, 10))
def test_a_design_effect_only_lowers_evidence(polls, deff):
    """Whatever the counts, dividing them by a design effect never makes them trip earlier."""
    plain = clustered = Stream(0.02, 0.005)
    for number, (n, bad) in enumerate(polls):
        plain = plain.add(15.0 * number, n + bad, bad)
        clustered = clustered.add(15.0 * number, n + bad, bad, deff)
        # A mean of roots is at most the root of the mean (Jensen).
        assert clustered.log_e <= plain.log_e / deff + 1e-9 or plain.log_e > 500  # far beyond any threshold


def test_late_trouble_is_not_diluted_by_a_good_beginning():
    """After twenty good minutes, 5 % errors trip within two minutes: windows begin every minute."""
    stream = fed(Stream(0.02, 0.005), *[(1000, 1)] * 80)
    for poll in range(8):
        stream = stream.add(1200 + 15 * poll, 1000, 50)
    assert stream.tripped
    assert stream.bad / stream.n < 0.02


def test_what_is_told_is_the_window_that_says_most():
    """Trouble that begins late is told by its own counts, early trouble by all of them."""
    late = fed(Stream(0.02, 0.005), *[(500, 0)] * 8, *[(50, 10)] * 4)
    assert late.tripped
    n, bad = late.telling
    assert (n < late.n, bad) == (True, late.bad)
    assert bad > 0.02 * n
    early = fed(Stream(0.02, 0.005), (100, 20))
    assert (100, 20) == early.telling


def test_windows_stay_bounded():
    """However long it runs, it keeps the first window and the newest twenty."""
    assert len(fed(Stream(0.02, 0.005), *[(1, 0)] * 1000).windows) == 1 + KEPT


def test_the_stream_is_a_value():
    """Adding returns a new stream and leaves the old one as it was."""
    stream = Stream(0.02, 0.005)
    assert stream.add(0, 100, 50) != stream
    assert stream == Stream(0.02, 0.005)


def test_errors_counted_before_their_requests_do_not_break_the_bound():
    """Five errors whose requests come a poll later are taken for five requests, and settle then."""
    early = fed(Stream(0.02, 0.005), (0, 5))
    assert early.log_e == pytest.approx(fed(Stream(0.02, 0.005), (5, 5)).log_e)
    assert early.add(15, 400, 0).evidence < early.evidence


def test_false_alarms_are_bounded_at_the_limit_itself():
    """At a true rate of exactly the limit, looked at 200 times, far fewer than 5 % of streams trip at alpha 5 %."""
    dice = random.Random(20260101)
    tripped = 0
    for _ in range(150):
        stream, ever = Stream(0.02, 0.05), False
        for poll in range(200):
            stream = stream.add(15.0 * poll, 20, sum(dice.random() < 0.02 for _ in range(20)))
            ever = ever or stream.tripped
        tripped += ever
    assert tripped <= 15  # 5 % of 150 are 7.5; 15 or more by chance: below 1 %
