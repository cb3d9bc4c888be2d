"""A question to an outside system that is asked once, in a thread of its own, and waited for only so long."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

from ..errors import Unreachable

T = TypeVar("T")

PATIENCE = 10.0
"""Seconds for all that one outside system is asked; a checklist must end when every one of them is silent."""


def silence(what: str) -> Unreachable:
    """The error for a system that took longer."""
    return Unreachable(f"{what}: no answer within {PATIENCE:g} s", do="`inv doctor` says what does not answer")


class Asked(Generic[T]):
    """What ``ask`` returns, or the error that it raises: the same for everybody, from whatever thread."""

    def __init__(self, what: str, ask: Callable[[], T]) -> None:
        self._what = what
        self._ask = ask
        self._lock = threading.Lock()
        self._until: float | None = None
        self._over = threading.Event()
        self._found: tuple[T] | Exception | None = None

    def begin(self) -> None:
        """Ask, if nobody has yet."""
        with self._lock:
            if self._until is None:
                self._until = time.monotonic() + PATIENCE
                threading.Thread(target=self._listen, name=f"ask {self._what}", daemon=True).start()

    def answer(self) -> T:
        """What came of it. Raises what ``ask`` raised, or ``Unreachable`` when it takes longer than ``PATIENCE``, and
        then each time: who was silent once is not waited for again."""
        self.begin()
        assert self._until is not None
        self._over.wait(max(0.0, self._until - time.monotonic()))
        with self._lock:
            if self._found is None:
                self._found = silence(self._what)
        if isinstance(self._found, Exception):
            raise self._found
        return self._found[0]

    def _listen(self) -> None:
        try:
            found: tuple[T] | Exception = (self._ask(),)
        except Exception as error:  # noqa: BLE001  handed over to whoever waits
            found = error
        with self._lock:
            if self._found is None:
                self._found = found
        self._over.set()
