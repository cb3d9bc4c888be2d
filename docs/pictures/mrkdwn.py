"""Slack's marks as HTML. Whatever is not one of them is text, and escaped."""

from __future__ import annotations

import html
import re
from datetime import UTC, datetime

_TOKEN = re.compile(r"<(?P<token>[^<>]+)>|`{3}(?P<block>.+?)`{3}|`(?P<code>[^`\n]+)`", re.DOTALL)
_STYLES = (("b", r"\*"), ("i", "_"), ("s", "~"))
_CALLED = {"!here": "@here", "!channel": "@channel", "!everyone": "@everyone"}
_UNITS = {"{date_short_pretty}": "%b %-d, %Y", "{date}": "%B %-d, %Y", "{time}": "%-I:%M %p"}


def as_html(marked: str) -> str:
    """Bold, slanted, struck out, code, links, mentions and dates (in UTC), and lines."""
    kept: list[str] = []

    def keep(found: re.Match[str]) -> str:
        kept.append(_shown(found))
        return f"\x00{len(kept) - 1}\x00"

    text = _text(_TOKEN.sub(keep, marked))
    for tag, mark in _STYLES:
        text = re.sub(rf"(?<![\w{mark}]){mark}(?=\S)([^\n]+?)(?<=\S){mark}(?![\w{mark}])", rf"<{tag}>\1</{tag}>", text)
    text = re.sub("\x00([0-9]+)\x00", lambda found: kept[int(found[1])], text)
    return "".join(f'<div class="line">{line or "&nbsp;"}</div>' for line in text.split("\n"))


def _shown(found: re.Match[str]) -> str:
    if found["block"]:
        return f"<pre>{_text(found['block'])}</pre>"
    if found["code"]:
        return f"<code>{_text(found['code'])}</code>"
    token, _, words = found["token"].partition("|")
    if token.startswith("!date^"):
        return _date(token, words)
    if token.startswith(("!", "@", "#")):
        return f'<span class="call">{_text(_CALLED.get(token, words or "@on-call"))}</span>'
    return f'<a href="{html.escape(html.unescape(token))}">{_text(words or token)}</a>'


def _date(token: str, words: str) -> str:
    _, seconds, form = token.split("^")[:3]
    at = datetime.fromtimestamp(int(seconds), UTC)
    for unit, ours in _UNITS.items():
        form = form.replace(unit, at.strftime(ours))
    return f'<span title="{_text(words)}">{_text(form)}</span>'


def _text(marked: str) -> str:
    """Slack's three entities are HTML's; everything else is escaped."""
    return html.escape(html.unescape(marked))
