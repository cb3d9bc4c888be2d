"""A period of time as it was typed: ``--since 90d --until 2026-09-30``."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from ..errors import UsageError
from ..settings.base import seconds

_DO = "say 90d, 12w, 36h, a date such as 2026-09-01, or an instant such as 2026-09-01T12:00:00+02:00"


def since(given: str | None, now: datetime) -> datetime | None:
    """The first instant that counts: of a date, its beginning. Raises ``UsageError``."""
    return None if given is None else _instant("since", given, now)


def until(given: str | None, now: datetime) -> datetime | None:
    """The first instant that counts no more: of a date, its end. Raises ``UsageError``."""
    if given is None:
        return None
    at = _instant("until", given, now)
    return at + timedelta(days=1) if _is_date(given) else at


def ordered(since: datetime | None, until: datetime | None) -> None:
    """Raise ``UsageError`` for a period that ends before it begins."""
    if since is not None and until is not None and since >= until:
        raise UsageError(f"--since {since:%Y-%m-%d %H:%M} is not before --until {until:%Y-%m-%d %H:%M} (UTC)", do=_DO)


def has(at: datetime, since: datetime | None, until: datetime | None) -> bool:
    """Whether an instant lies in a period; one without a beginning or an end has no bound there."""
    return (since is None or at >= since) and (until is None or at < until)


def _is_date(given: str) -> bool:
    return re.fullmatch(r"\d{4}-\d{2}-\d{2}", given.strip()) is not None


def _instant(option: str, given: str, now: datetime) -> datetime:
    """So long ago, or exactly then; without an offset it is UTC."""
    text = given.strip()
    try:
        return _ago(text, now) if _is_length(text) else _at(text)
    except (ValueError, OverflowError):
        raise UsageError(f"--{option}: {given!r} is no time", do=_DO) from None


def _is_length(text: str) -> bool:
    """``90d`` is one, ``20260901`` is a date."""
    return re.search(r"[a-zA-Z]$", text) is not None and not text.endswith(("Z", "z"))


def _ago(text: str, now: datetime) -> datetime:
    weeks = re.fullmatch(r"(\d+(?:\.\d+)?)\s*w", text)
    return now - timedelta(seconds=float(weeks[1]) * 7 * 86400 if weeks else float(seconds(text)))


def _at(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
