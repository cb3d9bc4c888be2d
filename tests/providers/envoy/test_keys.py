"""Splits and notices survive being runtime keys."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, strategies as st

from deploytasks.errors import Unreachable
from deploytasks.ports import Notice, Split
from deploytasks.providers.envoy.keys import (
    RETRIES,
    Changes,
    notice_from,
    notice_keys,
    rounded,
    split_from,
    split_keys,
)

SPLITS = st.builds(
    lambda green, exposed, way_back, writer: Split((100 - green) * exposed, green * exposed, way_back, writer),
    st.integers(0, 100),
    st.booleans(),
    st.sampled_from([None, "blue", "green"]),
    st.none() | st.text(min_size=1),
)


def _set(changes: Changes) -> dict[str, str]:
    return {key: value for key, value in changes.items() if value is not None}


@given(SPLITS)
def test_a_split_comes_back_as_it_was(split: Split) -> None:
    """Any split, whatever its writer is called."""
    assert split == split_from(_set(split_keys(split, "split")), "split")


@given(SPLITS, SPLITS)
def test_nothing_of_the_split_before_stays(before: Split, after: Split) -> None:
    """Writing a split over another leaves no key of the first one."""
    changes = {**split_keys(before, "a.b"), **split_keys(after, "a.b")}
    assert after == split_from(_set(changes), "a.b")


@given(st.text(), st.text(min_size=1), st.integers(1, 86400))
def test_a_notice_comes_back_as_it_was(message: str, who: str, retry_after: int) -> None:
    """Any message: line ends, quotes, a leading #."""
    notice = Notice(message, retry_after, datetime(2026, 11, 23, 10, 15, tzinfo=UTC), who)
    assert notice == notice_from(_set(notice_keys(notice)))


@given(st.text())
def test_values_are_one_line_and_no_comment(text: str) -> None:
    """Envoy's disk layer ends a value at a line end and takes a line with # for a comment."""
    values = _set(split_keys(Split(100, 0, None, text or None), "split")).values()
    assert all(value.isascii() and value.isprintable() and not value.startswith("#") for value in values)


def test_an_opened_site_has_no_notice_left() -> None:
    """Opening takes every key of the notice away."""
    notice = Notice("Back soon", 100, datetime.now(UTC), "ann@here")
    assert {} == _set({**notice_keys(notice), **notice_keys(None)})


@pytest.mark.parametrize(
    "keys",
    [
        {"split.open": "100", "split.blue": "90", "split.green": "20"},
        {"split.open": "100", "split.blue": "90"},
        {"split.open": "100", "split.blue": "ninety", "split.green": "10"},
        {"split.way_back": "red"},
    ],
)
def test_nonsense_is_not_taken_for_a_split(keys: dict[str, str]) -> None:
    """Weights that do not make 100, missing ones, and unknown colors are errors, never a guess."""
    with pytest.raises(Unreachable):
        split_from(keys, "split")


@given(st.integers(1, 86400))
def test_retry_after_is_rounded_up(seconds: int) -> None:
    """A visitor is never told to come back before the notice says."""
    assert rounded(seconds) in RETRIES
    assert rounded(seconds) >= seconds
