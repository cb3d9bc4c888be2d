"""Numbers, times and texts as people read them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, strategies as st

from deploytasks.view import wording


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "–"),
        (float("inf"), "–"),
        (-1.0, "0 s"),
        (0.0, "0 s"),
        (0.04, "40 ms"),
        (9.97, "10 s"),
        (0.26, "0.3 s"),
        (12.4, "12 s"),
        (60.0, "1 min"),
        (72.0, "1 min 12 s"),
        (7500.0, "2 h 5 min"),
        (86400.0, "1 d"),
        (273600.0, "3 d 4 h"),
    ],
)
def test_duration(seconds: float | None, text: str) -> None:
    """A duration is told in its two largest units; one that is missing says so."""
    assert text == wording.duration(seconds)


def test_time_to_come_has_no_tenths() -> None:
    """What is still to come is told in whole seconds."""
    assert ["0 s", "3 s", "10 s", "1 min 12 s"] == [wording.seconds(each) for each in (-2.0, 2.6, 9.7, 72.2)]


@given(st.floats(0, 1e7, allow_nan=False), st.floats(0, 1e7, allow_nan=False))
def test_quantities_never_raise(one: float, other: float) -> None:
    """Any number can be told."""
    for tell in (wording.duration, wording.seconds, wording.milliseconds, wording.share, wording.size, wording.whole):
        assert tell(one)
        assert tell(other)


@pytest.mark.parametrize("odd", [None, "x", True, [], {}, float("nan"), float("inf")])
def test_what_is_no_number_reads_as_missing(odd: object) -> None:
    """Zero is a number; what is none is not shown as zero."""
    for tell in (wording.milliseconds, wording.share, wording.size, wording.whole):
        assert "–" == tell(odd)


def test_instants_are_told_in_utc() -> None:
    """Whatever its time zone, an instant reads in UTC."""
    assert "2026-11-23 09:15 UTC" == wording.instant("2026-11-23T10:15:00+01:00")
    assert "10:15:42" == wording.clock(datetime(2026, 11, 23, 10, 15, 42, tzinfo=UTC))


@pytest.mark.parametrize("odd", [None, "", "yesterday", 5, "2026-11-23T10:15:00"])
def test_no_instant(odd: object) -> None:
    """What is no instant, or has no time zone, is not guessed at."""
    assert "–" == wording.instant(odd)


@pytest.mark.parametrize(
    ("split", "text"),
    [
        ([90, 10, "blue", "deploy:x"], "blue 90 % / green 10 %"),
        ({"blue": 0, "green": 100}, "blue 0 % / green 100 %"),
        ([0, 0, None, None], "nothing exposed"),
        (None, "unknown"),
        (["a", 1], "unknown"),
        ("ab", "unknown"),
    ],
)
def test_weights(split: object, text: str) -> None:
    """A split reads the same from an event and from an answer."""
    assert text == wording.weights(split)


def test_quantile_without_a_number() -> None:
    """A quantile that is absent is unknown without requests, and above the ladder's end with some."""
    assert "–" == wording.slow({"requests": 0, "p99": None}, "p99")
    assert "over 30 s" == wording.slow({"requests": 9, "p99": None}, "p99")
    assert "45 ms" == wording.slow({"requests": 9, "p99": 0.045}, "p99")


def test_nothing_that_moves_a_cursor_is_left() -> None:
    """Escape sequences, carriage returns and direction marks of a foreign text are not shown; its lines are."""
    given_text = {"why": "a\x1b[2Jb\rc\nd\u202ee", "\x07list": ["\x9b1m"]}
    assert {"why": "a[2Jbc\nde", "list": ["1m"]} == wording.cleaned(given_text)
    assert "a b" == wording.one_line("a\n\n  b")


def test_one_line_is_cut() -> None:
    """A long text is cut where it was asked to be."""
    assert "abcd…" == wording.one_line("abcdefgh", 5)
