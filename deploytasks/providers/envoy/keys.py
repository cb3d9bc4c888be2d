"""Splits and notices as Envoy's runtime keys, and back. Pure.

Envoy keeps every runtime value as text. Free text is percent-encoded, so that neither line ends nor a
leading ``#`` (a comment in its disk layer) can change what it means.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import quote, unquote

from ...errors import Unreachable
from ...ports import COLORS, Color, Notice, Split

Keys = Mapping[str, str]
Changes = Mapping[str, str | None]
"""``None`` takes a key away."""

CLOSED = "maintenance.on"
"""100: every visitor gets the maintenance page."""
RETRIES: tuple[int, ...] = (30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 28800, 86400)
"""What ``Retry-After`` can say without a new configuration, in seconds."""


def split_keys(split: Split, prefix: str) -> dict[str, str | None]:
    """All keys of a split."""
    return {
        f"{prefix}.open": "100" if split.blue + split.green else "0",
        f"{prefix}.blue": str(split.blue),
        f"{prefix}.green": str(split.green),
        f"{prefix}.way_back": split.way_back,
        f"{prefix}.writer": encoded(split.writer) if split.writer else None,
    }


def split_from(keys: Keys, prefix: str) -> Split:
    """The split that these keys make; no keys: nothing exposed. Raises ``Unreachable`` on nonsense."""
    way_back = _color(keys.get(f"{prefix}.way_back", ""), prefix)
    writer = unquote(keys.get(f"{prefix}.writer", "")) or None
    if keys.get(f"{prefix}.open", "0") != "100":
        return Split(0, 0, way_back, writer)
    blue, green = (_percent(keys, f"{prefix}.{color}") for color in COLORS)
    if blue + green != 100:
        raise Unreachable(f"envoy's split is no split: blue {blue} and green {green} do not make 100", do=_MEND)
    return Split(blue, green, way_back, writer)


def notice_keys(notice: Notice | None) -> dict[str, str | None]:
    """All keys of a notice; ``None`` opens the site."""
    keys: dict[str, str | None] = {CLOSED: None, **{retry_key(seconds): None for seconds in RETRIES}}
    if notice is None:
        return {**keys, **{f"maintenance.{name}": None for name in ("message", "since", "who", "retry_after")}}
    return {
        **keys,
        CLOSED: "100",
        retry_key(rounded(notice.retry_after)): "100",
        "maintenance.message": encoded(notice.message),
        "maintenance.since": encoded(notice.since.isoformat()),
        "maintenance.who": encoded(notice.who),
        "maintenance.retry_after": str(notice.retry_after),
    }


def notice_from(keys: Keys) -> Notice | None:
    """The notice that is in force, or ``None``."""
    if keys.get(CLOSED, "0") in ("", "0"):
        return None
    since = unquote(keys.get("maintenance.since", ""))
    retry_after = keys.get("maintenance.retry_after", "")
    return Notice(
        unquote(keys.get("maintenance.message", "")),
        int(retry_after) if retry_after.isdecimal() else 0,
        datetime.fromisoformat(since) if since else datetime.fromtimestamp(0, UTC),
        unquote(keys.get("maintenance.who", "")) or "unknown",
    )


def retry_key(seconds: int) -> str:
    """The key that makes ``Retry-After`` say ``seconds``, one of ``RETRIES``."""
    return f"maintenance.retry.{seconds}"


def rounded(seconds: int) -> int:
    """The next of ``RETRIES``, upward; the last one beyond it."""
    return RETRIES[min(bisect_left(RETRIES, seconds), len(RETRIES) - 1)]


def in_words(changes: Changes) -> str:
    """For people: the keys that are set, ``split.blue=90 split.green=10``, and those that are taken away."""
    return " ".join(f"{key}={value or ''}" for key, value in changes.items())


_MEND = "look at /runtime on its admin address; `inv rollback --to COLOR` writes a whole split again"


def encoded(text: str) -> str:
    """Free text as a value."""
    return quote(text, safe=":@+,")


def _color(text: str, prefix: str) -> Color | None:
    for color in COLORS:
        if text == color:
            return color
    if text:
        raise Unreachable(f"envoy's {prefix}.way_back is {text!r}, which is no color", do=_MEND)
    return None


def _percent(keys: Keys, key: str) -> int:
    text = keys.get(key, "")
    if not text.isdecimal():
        raise Unreachable(f"envoy's {key} is {text!r}, which is no weight", do=_MEND)
    return int(text)
