"""Other people's text in Slack's marks."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st
from lab.slack_blocks import units

from deploytasks.providers.slack.text import cleaned, code, fitted, length, link, plain


@pytest.mark.parametrize(
    ("text", "limit", "said"),
    [
        ("a < b && c", 40, "a &lt; b &amp;&amp; c"),
        ("one two three", 9, "one two…"),
        ("onetwothree", 9, "onetwoth…"),
        ("&&&&", 12, "&amp;&amp;…"),
        ("🚀🚀🚀", 5, "🚀🚀…"),
        ("", 9, ""),
        ("  a\r\nb\x00 ", 9, "a\nb"),
        ("one " + "x" * 40, 20, "one xxxxxxxxxxxxxxx…"),
    ],
)
def test_it_is_cut_between_words_and_never_inside_an_entity(text: str, limit: int, said: str) -> None:
    """And says that something is missing."""
    assert said == fitted(text, limit)


@given(st.text(st.characters()), st.integers(1, 50))
def test_it_is_never_longer_than_allowed(text: str, limit: int) -> None:
    """Counted as JavaScript counts, whichever marks are escaped."""
    assert units(fitted(text, limit)) <= limit
    assert units(plain(text, limit)) <= limit
    assert length(cleaned(text)) == units(cleaned(text))


def test_plain_text_is_on_one_line_and_not_escaped() -> None:
    """A header shows what stands there."""
    assert "a & b" == plain("a &\n b", 20)


def test_code_stays_code() -> None:
    """A mark of code inside of it would end it."""
    assert "`a'b &lt;c&gt;`" == code("a`b\n<c>")
    assert "" == code(" ")


def test_nothing_turns_text_around() -> None:
    """Nor does half of a character get into JSON."""
    assert "ab\ufffd" == cleaned("a\u202eb\ud800")


def test_a_link() -> None:
    """With its address escaped, and words without what would end it."""
    assert "<https://x.example/?a&amp;b|a¦b &gt;>" == link("a|b >", "https://x.example/?a&b")
    assert "<https://x.example/>" == link("", "https://x.example/")
    assert "words" == link("words", "ftp://x.example/")
