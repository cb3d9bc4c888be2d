"""What headers say of time, whoever wrote them."""

from __future__ import annotations

import pytest

from deploytasks.providers.headers import number, retry_after, seconds_ahead, their_time

NOW = 1_795_432_440.0
DATE = "Mon, 23 Nov 2026 11:14:00 GMT"
LATER = "Mon, 23 Nov 2026 11:14:30 GMT"


@pytest.mark.parametrize("said", [None, "", "soon", "-1", "1.5e3", "\u00b2", "\u0663", "9" * 12, "9" * 400])
def test_what_is_no_number_of_seconds(said: str | None) -> None:
    """Nothing is said then; nor by a number that no calendar has."""
    assert number(said) is None
    assert retry_after({} if said is None else {"retry-after": said}, NOW) is None


def test_how_long_to_wait() -> None:
    """Seconds, or a date by the clock there: ours may be minutes off."""
    assert retry_after({"retry-after": " 7 "}, NOW) == 7.0
    assert retry_after({"retry-after": LATER}, NOW) == 30.0
    assert retry_after({"retry-after": LATER, "date": DATE}, NOW - 600) == 30.0
    assert retry_after({"retry-after": DATE, "date": LATER}, NOW) == 0.0


def test_what_time_it_is_there() -> None:
    """By the header, which has whole seconds; ours, where it does not tell."""
    assert their_time({"date": DATE}, NOW - 600) == NOW
    assert their_time({"date": "today"}, 5.0) == 5.0
    assert seconds_ahead({"date": DATE}, NOW - 600) == 600.5
    assert seconds_ahead({}, NOW) == 0.0
