"""Texts of other people in Slack's marks: nothing in them is a mark, a link or a mention, and none is too long. Pure.

The rules: docs.slack.dev, "Formatting message text". Lengths are counted in units of UTF-16, which is never less than
what Slack may count.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

MORE = "…"
_NEVER = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ufffe\uffff]")
"""What turns text around, or is no text."""
_ALONE = re.compile(r"[\ud800-\udfff]")
"""Half of a pair, as file names may hold: no JSON that others read."""
_LINK = re.compile(r"https?://[^\s|<>\x00-\x1f]+")
LONGEST_LINK = 1000


def length(text: str) -> int:
    """Units of UTF-16."""
    return len(text) + sum(letter > "\uffff" for letter in text)


def cleaned(text: str) -> str:
    """Without what could forge a line or turn text around."""
    return _ALONE.sub("\ufffd", _NEVER.sub("", text.replace("\r\n", "\n"))).strip()


def escaped(text: str) -> str:
    """The three characters that mean something everywhere."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def plain(text: str, limit: int) -> str:
    """For an object of the kind ``plain_text``: on one line, cut to ``limit``."""
    return "".join(_kept(" ".join(cleaned(text).split()), limit, escape=False))


def fitted(text: str, limit: int) -> str:
    """For an object of the kind ``mrkdwn``: escaped, cut to ``limit`` between words, and never inside an entity."""
    return "".join(_kept(cleaned(text), limit, escape=True))


def code(text: str, limit: int = 100) -> str:
    """In the marks of code, on one line."""
    inner = fitted(" ".join(text.replace("`", "'").split()), limit)
    return f"`{inner}`" if inner else ""


def link(words: str, url: str) -> str:
    """A link, or only its words where the address is none, or is too long."""
    shown = fitted(" ".join(words.replace("|", "¦").split()), 80)
    if not _LINK.fullmatch(url) or _ALONE.search(url) or length(escaped(url)) > LONGEST_LINK:
        return shown
    return f"<{escaped(url)}|{shown}>" if shown else f"<{escaped(url)}>"


def _kept(text: str, limit: int, *, escape: bool) -> Iterator[str]:
    """The text, or what there is room for of it and an ellipsis."""
    pieces = [escaped(letter) if escape else letter for letter in text]
    if sum(map(length, pieces)) <= limit:
        yield from pieces
        return
    size, at = length(MORE), 0
    while at < len(pieces) and (size := size + length(pieces[at])) <= limit:
        at += 1
    space = max(text.rfind(" ", at // 2, at), text.rfind("\n", at // 2, at))
    yield "".join(pieces[: space if space > 0 else at]).rstrip()
    yield MORE
