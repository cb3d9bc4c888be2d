"""How long Sentry wants us to wait before we ask again. Pure.

The rules: docs.sentry.io, "Rate Limits"; what they leave out is in getsentry/sentry, ``middleware/ratelimit.py``: with
a 429 comes no ``Retry-After``, and its body is a bare JSON string. A Sentry of one's own may have no limits, and then
no such headers either.
"""

from __future__ import annotations

from collections.abc import Mapping

from ..headers import number, retry_after, their_time
from ..web_service import Answer

REMAINING = "x-sentry-rate-limit-remaining"
RESET = "x-sentry-rate-limit-reset"
CONCURRENT = "x-sentry-rate-limit-concurrentremaining"
SECOND = 1.0
"""To wait, twice as long each time, when it says to slow down and not for how long."""
MOMENT = 0.3
"""Seconds to wait, longer each time, until one of our requests that are under way has ended; and for an instant to be
over that is told in whole seconds."""
TROUBLE = 0.5
"""Seconds to wait, twice as long each time, when it has trouble of its own."""
ATTEMPTS = 3
"""So often something is asked of a service in trouble."""


def pause(answer: Answer | None, attempt: int, now: float) -> float | None:
    """Seconds to wait before the next attempt; ``None``: this was the answer. ``now``: epoch seconds."""
    if answer is not None and answer.status >= 500:
        return TROUBLE * 2.0 ** (attempt - 1) if attempt < ATTEMPTS else None
    if answer is None or answer.status != 429:
        return None
    if (after := retry_after(answer.headers, now)) is not None:
        return after
    if (left := until_reset(answer.headers, now)) is not None:
        return left
    return MOMENT * attempt if answer.headers.get(CONCURRENT) == "0" else SECOND * 2.0 ** (attempt - 1)


def until_reset(headers: Mapping[str, str], now: float) -> float | None:
    """Seconds until there may be asked again; ``None``: now. ``headers``: of the last answer. The reset is an
    instant of their clock."""
    reset = number(headers.get(RESET))
    if headers.get(REMAINING) != "0" or reset is None:
        return None
    return max(0.0, reset - their_time(headers, now)) + MOMENT
