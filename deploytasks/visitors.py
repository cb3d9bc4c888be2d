"""A few visitors who look at a page again and again, and count what they do not get. For drills."""

from __future__ import annotations

import threading
import time
from typing import NamedTuple, Self

from . import web
from .errors import DeployError

PATIENCE = 10.0
"""Seconds that a visitor waits for an answer."""
MOST = 100.0
"""Requests per second that are never exceeded."""


class Seen(NamedTuple):
    """Requests, those of them without a good answer (none at all, or 5xx), and what the last such one met."""

    sent: int = 0
    lost: int = 0
    why: str = ""

    def since(self, before: Seen) -> Seen:
        """What came after another count."""
        lost = self.lost - before.lost
        return Seen(self.sent - before.sent, lost, self.why if lost else "")


class Visitors:
    """Ask ``url`` ``rate`` times per second, from a ``with`` to its end. Bounded: one request at a time for each of
    ``many``, whatever the rate."""

    def __init__(self, url: str, rate: float, many: int = 4) -> None:
        self._url = url
        self._pause = many / min(max(rate, 0.1), MOST)
        self._busy = threading.Lock()
        self._seen = Seen()
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._visit, args=(at / many,), daemon=True) for at in range(many)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join(PATIENCE + 1)

    @property
    def seen(self) -> Seen:
        """All so far."""
        with self._busy:
            return self._seen

    def _visit(self, offset: float) -> None:
        due = time.monotonic() + offset * self._pause
        while not self._over.wait(max(0.0, due - time.monotonic())):
            self._count(self._ask())
            due = max(due + self._pause, time.monotonic())

    def _ask(self) -> str:
        """Why there was no good answer; empty when there was."""
        try:
            answer = web.fetch(self._url, timeout=PATIENCE)
        except DeployError as error:
            return error.what
        return "" if answer.status < 500 else f"GET {self._url}: {answer.status}"

    def _count(self, why: str) -> None:
        with self._busy:
            self._seen = Seen(self._seen.sent + 1, self._seen.lost + bool(why), why or self._seen.why)
