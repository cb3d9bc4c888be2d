"""Whether counted requests fit the split that was written."""

from __future__ import annotations

import random

import pytest

from deploytasks.verdict.share import Counted, Shares, plausible, wilson


def shares(*polls: tuple[int, int]) -> Shares:
    """Polls with requests to the target and to the other color."""
    found = Shares()
    for own, live in polls:
        found = found.add(Counted(own, live))
    return found


@pytest.mark.parametrize(
    ("percent", "expected"),
    [
        (1, (0.005, 0.06)),
        (10, (0.05, 0.15)),
        (25, (0.125, 0.375)),
        (50, (0.25, 0.75)),
        (90, (0.85, 0.95)),
        (100, (0.95, 1)),
    ],
)
def test_what_is_near_enough(percent: int, expected: tuple[float, float]) -> None:
    """Half of the smaller side, or five points where that is more; never down to nothing."""
    assert plausible(percent) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("percent", "own", "live", "is_doubted"),
    [
        pytest.param(10, 0, 1000, True, id="nobody reaches it"),
        pytest.param(10, 0, 100, False, id="nobody of few does"),
        pytest.param(10, 95, 905, False, id="as it should be"),
        pytest.param(10, 60, 940, False, id="less than it should be, and near enough"),
        pytest.param(10, 400, 600, True, id="far too many do"),
        pytest.param(10, 14, 36, False, id="many of few do"),
        pytest.param(50, 900, 100, True, id="the other one gets nearly nothing"),
        pytest.param(100, 600, 400, True, id="many stay behind"),
        pytest.param(100, 990, 10, False, id="the last ones stay behind"),
        pytest.param(100, 0, 0, False, id="nobody came"),
    ],
)
def test_what_is_implausible(percent: int, own: int, live: int, is_doubted: bool) -> None:
    """Far off, and by more than chance."""
    assert bool(shares((own, live)).doubt(percent)) == is_doubted


def test_the_reason_names_both() -> None:
    """What was counted and what was written."""
    assert shares((12, 988)).doubt(25).startswith("12 of 1000 requests (1.2 %) reached it, and 25 % should")


def test_what_has_come_right_lately_is_no_doubt_any_more() -> None:
    """Visitors were bound elsewhere for a while; a hold ends once the split is in force."""
    before = [(0, 200)] * 20
    assert shares(*before).doubt(25)
    assert shares(*before, *[(0, 200)] * 5, *[(50, 150)] * 3).doubt(25)
    assert not shares(*before, *[(50, 150)] * 8).doubt(25)


@pytest.mark.parametrize("percent", [1, 10, 25, 50, 75, 90])
def test_chance_alone_is_not_doubted(percent: int) -> None:
    """A thousand stages of every size."""
    drawn = random.Random(percent)
    for _ in range(1000):
        size = drawn.randrange(30, 600)
        own = sum(drawn.random() < percent / 100 for _ in range(size))
        assert not shares((own, size - own)).doubt(percent)


def test_an_interval_is_wilson_s() -> None:
    """Worked by hand: 20 of 100 at four deviations."""
    assert wilson(20, 100) == pytest.approx((0.0863, 0.3965), abs=1e-3)
    assert wilson(0, 0) == (0, 1)
