"""A version's notes for GitHub, for Slack and as plain text."""

from __future__ import annotations

import pytest

from deploytasks.release.changelog import rendered

NOTES = b"""\
### Added

- **Breaking:** `a < b` is *gone*, see [the guide][g] & <https://a.b/c?x=1&y=2> ([#12]).
  A line that goes on, with __bold__, ~~no~~, snake_case_name and 2 * 3 * 4.
  - [deeper **link**](https://x.y/(z) "title"), [nowhere][none], [near](docs/a.md)
<!-- a comment -->
1. One
-

> quoted *text*

```python
a < b  # [x](y)
```

Under
-----

***

[g]: https://guide.example.org
"""
DOCUMENT = NOTES + b"\n[#12]: https://github.com/o/r/issues/12\n[other]: https://x.y\n"


FIRST = (
    "• *Breaking:* `a &lt; b` is _gone_, see <https://guide.example.org|the guide> &amp; "
    "<https://a.b/c?x=1&amp;y=2> (<https://github.com/o/r/issues/12|#12>)."
)
PLAIN = (
    "- Breaking: a < b is gone, see the guide (https://guide.example.org) & https://a.b/c?x=1&y=2 "
    "(#12 (https://github.com/o/r/issues/12))."
)


def test_github() -> None:
    """As they are written, with the definitions that they refer to and that stand elsewhere in the changelog."""
    assert rendered(NOTES, "github") == NOTES.decode()
    assert (
        rendered(NOTES, "github", document=DOCUMENT) == NOTES.decode() + "\n[#12]: https://github.com/o/r/issues/12\n"
    )


def test_slack() -> None:
    """Slack's own marks; references become links; what was wrapped is one line; comments and rules are left out."""
    assert rendered(NOTES, "slack", document=DOCUMENT).split("\n") == [
        "*Added*",
        "",
        f"{FIRST} A line that goes on, with *bold*, ~no~, snake_case_name and 2 * 3 * 4.",
        "  • <https://x.y/(z)|deeper link>, [nowhere][none], near",
        "1. One",
        "",
        "> quoted _text_",
        "",
        "```",
        "a &lt; b  # [x](y)",
        "```",
        "",
        "*Under*",
    ]


def test_text() -> None:
    """No marks, addresses in parentheses."""
    assert rendered(NOTES, "text", document=DOCUMENT).split("\n") == [
        "Added",
        "",
        f"{PLAIN} A line that goes on, with bold, no, snake_case_name and 2 * 3 * 4.",
        "  - deeper link (https://x.y/(z)), [nowhere][none], near",
        "1. One",
        "",
        "> quoted text",
        "",
        "```",
        "a < b  # [x](y)",
        "```",
        "",
        "Under",
    ]


@pytest.mark.parametrize(
    "mention", ["<!channel>", "<!here|x>", "<@U123>", "<#C1>", "[x](https://a.b|<!channel>)", "`<!here>`"]
)
def test_slack_calls_nobody(mention: str) -> None:
    """Nothing in notes becomes a mention."""
    shown = rendered(f"- {mention}\n".encode(), "slack")
    assert not any(mark in shown for mark in ("<!", "<@", "<#")), shown


@pytest.mark.parametrize("length", range(2900, 3100, 7))
def test_slack_cuts_no_link(length: int) -> None:
    """However the limit falls, it falls into no link and no character that is written out, and the cut is shown."""
    text = "x" * (length % 90) + " " + "[a link](https://example.org/a/b?c=d&e) & " * 90
    for notes in (text, text.replace("& ", "&\n- ")):
        shown = rendered(notes.encode(), "slack")
        assert len(shown) <= 3000
        assert shown.endswith("\n…")
        assert shown.count("<") == shown.count(">") == shown.count("|a link>")
        assert shown.count("&") == shown.count("&amp;")


def test_slack_closes_a_fence_that_is_cut() -> None:
    """What was code stays code."""
    shown = rendered(b"```\n" + b"x = 1\n" * 900 + b"```\n", "slack")
    assert shown.endswith("\n```\n…")
    assert len(shown) <= 3000


def test_bytes_that_are_no_utf8() -> None:
    """Latin-1 is shown as such."""
    assert rendered(b"- na\xefve\r\n- two\r\n", "slack") == "• naïve\n• two"
