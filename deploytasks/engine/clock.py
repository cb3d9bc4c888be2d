"""Time as a value that is handed in, so that a 55-minute deployment runs in milliseconds in a test."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime
from typing import Protocol

_SUSPEND_PROOF = getattr(time, "CLOCK_BOOTTIME", None)


class Clock(Protocol):
    """What the house needs of time."""

    def now(self) -> datetime:
        """The instant, aware, UTC."""

    def elapsed(self) -> float:
        """Seconds since some fixed past, counting the time a machine was suspended where the system can."""

    def sleep(self, seconds: float) -> None:
        """Let this many seconds pass."""


class SystemClock:
    """The machine's own."""

    def now(self) -> datetime:
        """The instant, aware, UTC."""
        return datetime.now(UTC)

    def elapsed(self) -> float:
        """Seconds on CLOCK_BOOTTIME, or on the monotonic clock where there is none (macOS)."""
        return time.monotonic() if _SUSPEND_PROOF is None else time.clock_gettime(_SUSPEND_PROOF)

    def sleep(self, seconds: float) -> None:
        """Sleep; a signal handler that raises ends it at once."""
        time.sleep(seconds)


def rest(clock: Clock, seconds: float, woken: threading.Event) -> None:
    """Let this many seconds pass; fewer when somebody wakes us, which only the machine's own clock knows to do."""
    if isinstance(clock, SystemClock):
        woken.wait(seconds)
        woken.clear()
    else:
        clock.sleep(seconds)
