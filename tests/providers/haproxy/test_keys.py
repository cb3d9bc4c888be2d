"""Splits and notices as map lines, and back."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, strategies as st

from deploytasks.errors import Unreachable
from deploytasks.ports import Notice, Split
from deploytasks.providers.haproxy.keys import (
    in_words,
    keys_in,
    lines,
    notice_from,
    notice_keys,
    split_from,
    split_keys,
)

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=80)
SPLITS = st.builds(
    lambda blue, closed, way_back, writer: Split(*((0, 0) if closed else (blue, 100 - blue)), way_back, writer or None),
    st.integers(0, 100),
    st.booleans(),
    st.sampled_from([None, "blue", "green"]),
    TEXT,
)


@given(SPLITS)
def test_a_split_comes_back(split: Split) -> None:
    """Through the lines of a file, whatever stands in its signature."""
    assert split == split_from(keys_in(lines(split_keys(split))))


@given(TEXT, st.integers(1, 86400), TEXT)
def test_a_notice_comes_back(message: str, retry_after: int, who: str) -> None:
    """Through the lines of a file, whatever visitors are to read."""
    notice = Notice(message, retry_after, datetime(2026, 11, 23, tzinfo=UTC), who or "unknown")
    assert notice == notice_from(keys_in(lines(notice_keys(notice, "<p>…</p>"))))


@given(TEXT)
def test_no_value_breaks_a_line(text: str) -> None:
    """Blanks, line ends, semicolons, backslashes and everything else that a command line would read."""
    written = lines(split_keys(Split(1, 99, None, f"x{text}")))
    assert 3 == len(written.splitlines())
    assert all(len(line.split(" ")) == 2 and line.isascii() for line in written.splitlines())
    assert not set(written) & set("\\;#\t\r\0")


@pytest.mark.parametrize(
    "keys", [{"blue": "90"}, {"blue": "90", "green": "20"}, {"blue": "x", "green": "1"}, {"way_back": "red"},
             {"blue": "200", "green": "-100"}, {"blue": "", "green": "100"}]
)  # fmt: skip
def test_nonsense_is_no_split(keys: dict[str, str]) -> None:
    """Edited by hand, half of it or wrong: an error, and no guess."""
    with pytest.raises(Unreachable):
        split_from(keys)


def test_a_file_with_comments() -> None:
    """As HAProxy reads it: comments, blanks and empty lines; the first of two equal keys."""
    assert {"blue": "90", "green": "10"} == keys_in("# by hand\n\n  blue 90\ngreen  10 \nblue 1\n")


def test_an_open_site_has_no_notice() -> None:
    """No key: open."""
    assert notice_from({}) is None
    assert {} == notice_keys(None, "page")


def test_in_words_a_page_is_cut() -> None:
    """A plan shows the keys, not twelve thousand letters of HTML."""
    assert "blue=90 page=" + "x" * 60 + "…" == in_words({"page": "x" * 5000, "blue": "90"})
    assert "empty" == in_words({})
