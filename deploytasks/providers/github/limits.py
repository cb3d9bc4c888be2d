"""How long GitHub wants us to wait before we ask again.

The rules: docs.github.com, "Rate limits for the REST API", "Exceeding the rate limit"; "Best practices for using the
REST API", "Pause between mutative requests".
"""

from __future__ import annotations

import time
from collections.abc import Callable

from ..headers import number, retry_after, their_time
from ..web_service import Answer, explanation

MINUTE = 60.0
"""Seconds to wait, twice as long each time, when it says to slow down and not for how long."""
TROUBLE = 0.5
"""Seconds to wait, twice as long each time, when it has trouble of its own."""
ATTEMPTS = 3
"""So often something is asked of a service in trouble."""
APART = 1.0
"""Seconds between two writes, at least."""


class Pace:
    """When something was written last. ``now``: seconds on a clock that only goes forward."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._last: float | None = None

    def left(self) -> float:
        """Seconds until the next write; none for the first."""
        return 0.0 if self._last is None else max(0.0, self._last + APART - self._now())

    def wrote(self) -> None:
        """Now."""
        self._last = self._now()


def pause(answer: Answer, attempt: int, now: float) -> float | None:
    """Seconds to wait before the next attempt; ``None``: this answer is the answer.

    ``attempt``: how many there were, this one included. ``now``: epoch seconds. A 403 that speaks of no limit is about
    permissions, and asking again would not help.
    """
    if answer.status >= 500:
        return TROUBLE * 2.0 ** (attempt - 1) if attempt < ATTEMPTS else None
    if answer.status not in (403, 429):
        return None
    headers = answer.headers
    if (after := retry_after(headers, now)) is not None:
        return after
    if headers.get("x-ratelimit-remaining") == "0" and (reset := number(headers.get("x-ratelimit-reset"))) is not None:
        return max(0.0, reset - their_time(headers, now)) + 1
    if answer.status == 429 or is_limit(answer):
        return MINUTE * 2.0 ** (attempt - 1)
    return None


def is_limit(answer: Answer) -> bool:
    """Whether it says that we ask too much."""
    said = explanation(answer).lower()
    return "rate limit" in said or "abuse" in said
