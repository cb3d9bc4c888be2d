"""The pictures of messages show what Slack would take, and are made from what is written beside them."""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest
from lab.slack_blocks import complaints
from pages import ROOT

IMAGES = ROOT / "docs" / "images"
ALBUM: list[dict[str, Any]] = json.loads((IMAGES / "slack-messages.json").read_text(encoding="utf-8"))
MOST = 80_000
"""Bytes of a picture: a page with a few of them stays quick."""


@pytest.mark.parametrize("entry", ALBUM, ids=lambda entry: str(entry["name"]))
def test_each_message_is_one_that_slack_takes(entry: dict[str, Any]) -> None:
    """By the lab's own reading of its limits; and each has a picture, which is one, and not too large."""
    assert entry["messages"]
    assert [] == [wrong for message in entry["messages"] for wrong in complaints(message)]
    picture = (IMAGES / f"slack-{entry['name']}.png").read_bytes()
    assert b"\x89PNG\r\n\x1a\n" == picture[:8]
    assert len(picture) < MOST


def test_each_picture_is_shown_in_the_documentation_and_said_in_words() -> None:
    """None is left over, and who cannot see it reads what it shows."""
    text = (ROOT / "docs" / "slack.md").read_text(encoding="utf-8")
    names = {f"slack-{entry['name']}.png" for entry in ALBUM}
    assert names == {picture.name for picture in IMAGES.glob("slack-*.png")}
    assert [] == [name for name in names if f"](images/{name})" not in text or f"![](images/{name})" in text]


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> Any:
    """What makes a page of messages."""
    monkeypatch.syspath_prepend(str(ROOT / "docs" / "pictures"))
    for name in ("page", "mrkdwn"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    import page as found

    yield found.page
    for name in ("page", "mrkdwn"):
        monkeypatch.delitem(sys.modules, name, raising=False)


def test_a_page_shows_slacks_marks_and_nothing_of_anybody_elses(page: Any) -> None:
    """Bold, code, links and dates; what people wrote is text, as in Slack."""
    said = (
        '*bold* `a*b*c` <https://x.example/?a=1&amp;b=2|here> &lt;script&gt; <!date^1795428900^{date} {time}|then> "q"'
    )
    message = {
        "ts": "1795428900.000001",
        "text": "x",
        "blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": said}}],
    }
    header = {"type": "header", "text": {"type": "plain_text", "text": "<script>"}}
    shown = page([{**message, "blocks": [header, *message["blocks"]]}])
    for part in (
        "<b>bold</b> <code>a*b*c</code>",
        '<a href="https://x.example/?a=1&amp;b=2">here</a> &lt;script&gt;',
        '<span title="then">November 23, 2026 10:15 AM</span> &quot;q&quot;',
    ):
        assert part in shown
    assert "<script" not in shown


def test_a_thread_stands_below_its_message(page: Any) -> None:
    """With what was sent to the channel as well."""
    root = {"ts": "1795428900.000001", "text": "root", "blocks": []}
    reply = {"ts": "1795428901.000002", "text": "reply", "blocks": [], "thread_ts": root["ts"], "broadcast": True}
    shown = page([root, reply])
    assert "1 reply" in shown
    assert 1 == shown.count("Also sent to the channel")
