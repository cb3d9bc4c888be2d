"""One thread that ends, for all connections, what takes too long: paramiko has waits that nothing else can end."""

from __future__ import annotations

import heapq
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import count


class _Alarm:
    """What to do at a moment, unless it was canceled before."""

    def __init__(self, ring: Callable[[], None]) -> None:
        self.ring: Callable[[], None] | None = ring


class Alarms:
    """Rings at set times, on a thread that lives while the process does. ``ring`` must not block."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: list[tuple[float, int, _Alarm]] = []
        self._numbers = count()
        self._thread: threading.Thread | None = None

    @contextmanager
    def within(self, seconds: float, ring: Callable[[], None]) -> Iterator[None]:
        """Call ``ring`` when the block takes longer than that."""
        alarm = _Alarm(ring)
        self._set(time.monotonic() + seconds, alarm)
        try:
            yield
        finally:
            alarm.ring = None

    def _set(self, at: float, alarm: _Alarm) -> None:
        with self._changed:
            while self._waiting and self._waiting[0][2].ring is None:
                heapq.heappop(self._waiting)
            entry = (at, next(self._numbers), alarm)
            heapq.heappush(self._waiting, entry)
            if self._thread is None:
                self._thread = threading.Thread(target=self._watch, name="ssh-alarms", daemon=True)
                self._thread.start()
            elif self._waiting[0] is entry:
                self._changed.notify()

    def _watch(self) -> None:
        while True:
            with self._changed:
                now = time.monotonic()
                if not self._waiting or self._waiting[0][0] > now:
                    self._changed.wait(self._waiting[0][0] - now if self._waiting else None)
                    continue
                alarm = heapq.heappop(self._waiting)[2]
            ring = alarm.ring
            if ring:
                with suppress(Exception):  # one that fails must not silence the others
                    ring()


alarms = Alarms()
