"""Splits and notices as the lines of HAProxy's maps, and back. Pure.

A map is a text file of ``key value`` lines, and the same lines go through the runtime API. Free text is
percent-encoded: HAProxy decodes it with ``url_dec``, and no blank or line end can change what a line means.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import quote, unquote

from ...errors import Unreachable
from ...ports import COLORS, Color, Notice, Split

_BLANKS = re.compile(r"\s+")
"""Line ends among them: HAProxy shows control characters as it would log them, as ``%0A``."""

Keys = Mapping[str, str]
"""The keys of one map. No value is empty or has a blank in it."""

LARGEST = 12_000
"""Bytes of one map: what HAProxy takes in one command (its ``tune.bufsize`` is 16384) with room to spare."""


def split_keys(split: Split) -> dict[str, str]:
    """The whole map of a split. Without ``blue`` and ``green`` nothing is exposed, and one lookup tells so."""
    shares: dict[str, str] = {color: str(split.share(color)) for color in COLORS} if split.blue + split.green else {}
    marks = {"way_back": split.way_back, "writer": encoded(split.writer or "")}
    return {**shares, **{key: value for key, value in marks.items() if value}}


def split_from(keys: Keys) -> Split:
    """The split that these keys make; none: nothing exposed. Raises ``Unreachable`` on nonsense."""
    way_back = _color(keys.get("way_back", ""))
    writer = unquote(keys.get("writer", "")) or None
    if not any(color in keys for color in COLORS):
        return Split(0, 0, way_back, writer)
    blue, green = (_percent(keys, color) for color in COLORS)
    if blue + green != 100:
        raise Unreachable(f"haproxy's split is no split: blue {blue} and green {green} do not make 100", do=_MEND)
    return Split(blue, green, way_back, writer)


def notice_keys(notice: Notice | None, page: str) -> dict[str, str]:
    """The whole map of a notice, with the page that visitors get, on one line; ``None`` opens the site."""
    if notice is None:
        return {}
    keys = {
        "on": "1",
        "retry_after": str(notice.retry_after),
        "page": encoded(_BLANKS.sub(" ", page)),
        "message": encoded(notice.message),
        "since": encoded(notice.since.isoformat()),
        "who": encoded(notice.who),
    }
    return {key: value for key, value in keys.items() if value}


def notice_from(keys: Keys) -> Notice | None:
    """The notice that is in force, or ``None``."""
    if keys.get("on") != "1":
        return None
    retry_after = keys.get("retry_after", "")
    since = unquote(keys.get("since", ""))
    return Notice(
        unquote(keys.get("message", "")),
        int(retry_after) if retry_after.isdecimal() else 0,
        datetime.fromisoformat(since) if since else datetime.fromtimestamp(0, UTC),
        unquote(keys.get("who", "")) or "unknown",
    )


def lines(keys: Keys) -> str:
    """The map as text: one line per key, in order, so that equal maps are equal texts."""
    return "".join(f"{key} {value}\n" for key, value in sorted(keys.items()))


def keys_in(text: str) -> dict[str, str]:
    """The keys of a map file. Comments and empty lines are passed over, as HAProxy does."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        key, _, value = line.strip().partition(" ")
        if key and not key.startswith("#"):
            found.setdefault(key, value.strip())
    return found


def in_words(keys: Keys, limit: int = 60) -> str:
    """For people: ``blue=90 green=10``; what is very long is cut."""
    shown = (f"{key}={value if len(value) <= limit else value[:limit] + '…'}" for key, value in sorted(keys.items()))
    return " ".join(shown) or "empty"


def encoded(text: str) -> str:
    """Percent-encoded, with nothing in it that HAProxy's command line or ``url_dec`` would read differently."""
    return quote(text, safe="/:@,=!*()&'<>\"")


_MEND = "look at the map with `show map`; `inv rollback --to COLOR` writes a whole split again"


def _color(text: str) -> Color | None:
    for color in COLORS:
        if text == color:
            return color
    if text:
        raise Unreachable(f"haproxy's way_back is {text!r}, which is no color", do=_MEND)
    return None


def _percent(keys: Keys, color: Color) -> int:
    text = keys.get(color, "")
    if not text.isdecimal() or int(text) > 100:
        raise Unreachable(f"haproxy's share of {color} is {text!r}, which is no percentage", do=_MEND)
    return int(text)
