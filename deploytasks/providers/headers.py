"""What the headers of an answer say of time: what time it is there, and how long to wait. Pure.

Names in lower case, as in ``Answer``. A value that cannot be understood says nothing: whoever stands between may have
written it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

Headers = Mapping[str, str]


def number(text: str | None) -> float | None:
    """A count of seconds, or an instant in epoch seconds; not more than a calendar has."""
    return float(text) if text is not None and re.fullmatch(r"[0-9]{1,11}", text.strip()) else None


def instant(text: str | None) -> float | None:
    """A date as HTTP writes it, in epoch seconds."""
    try:
        return parsedate_to_datetime(text or "").timestamp()
    except (TypeError, ValueError, OverflowError):
        return None


def their_time(headers: Headers, now: float) -> float:
    """Epoch seconds by the clock there, in whole ones; ``now``, by ours, where it does not tell."""
    told = instant(headers.get("date"))
    return now if told is None else told


def seconds_ahead(headers: Headers, now: float) -> float:
    """By how many seconds the clock there is ahead of ours, half a second more or less; 0 where it does not tell."""
    told = instant(headers.get("date"))
    return 0.0 if told is None else told + 0.5 - now


def retry_after(headers: Headers, now: float) -> float | None:
    """Seconds to wait, from ``Retry-After``: a number of them, or a date of the clock there (RFC 9110, 10.2.3)."""
    said = headers.get("retry-after")
    if (seconds := number(said)) is not None:
        return seconds
    until = instant(said)
    return None if until is None else max(0.0, until - their_time(headers, now))
