"""The same on many hosts at once: a bounded crowd of threads, all of which finish, and an interrupt that reaches them.

A thread costs some 50 µs to start, so none is kept for the next time. They are daemons: a host that never answers
keeps no process from ending.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue
from typing import Generic, NamedTuple, TypeVar

from . import interrupt

T = TypeVar("T")

GRACE = 5.0
"""Seconds that an interrupt waits for works that are under way to clear up after themselves."""
BEAT = 1.0
"""Seconds between two calls of ``between`` while nothing comes back."""


class Came(NamedTuple, Generic[T]):
    """What came of a work: its value, or the error with which it failed."""

    value: T | None
    error: Exception | None


Work = Callable[[], T]


def at_once(works: Sequence[Work[T]], most: int, between: Callable[[], None] | None = None) -> list[Came[T]]:
    """Do all works, at most ``most`` at a time, and return what came of each, in their order. None stops another.

    ``between`` is called in the caller's thread, before a work is begun and while one is waited for. What it raises
    lets no other begin, and comes out once those under way are finished. An interrupt of the caller ends them too:
    each gets a ``KeyboardInterrupt`` at its next bytecode and ``GRACE`` seconds, all together, to clear up.
    """
    if len(works) == 1 or most == 1:
        return [_alone(work, between) for work in works]
    return _Crowd(works, most, between or _nothing).finish()


def _alone(work: Work[T], between: Callable[[], None] | None) -> Came[T]:
    if between is not None:
        between()
    try:
        return Came(work(), None)
    except Exception as error:  # noqa: BLE001  # whose it is, the caller decides
        return Came(None, error)


def _nothing() -> None:
    return None


class _Crowd(Generic[T]):
    """Works under way."""

    def __init__(self, works: Sequence[Work[T]], most: int, between: Callable[[], None]) -> None:
        self._works = works
        self._most = most
        self._between = between
        self._came: dict[int, Came[T]] = {}
        self._back: SimpleQueue[tuple[int, Came[T]]] = SimpleQueue()
        self._threads: dict[int, threading.Thread] = {}
        """Works that are under way."""

    def finish(self) -> list[Came[T]]:
        """All of it."""
        stopped: Exception | None = None
        waiting = list(range(len(self._works)))
        try:
            while self._threads or (waiting and stopped is None):
                try:
                    self._between()
                except Exception as error:  # noqa: BLE001  # it comes out below
                    stopped = stopped or error
                while waiting and stopped is None and len(self._threads) < self._most:
                    self._begin(waiting.pop(0))
                self._take(BEAT)
        except BaseException:
            self._give_up()
            raise
        if stopped is not None:
            raise stopped
        return [self._came[number] for number in range(len(self._works))]

    def _begin(self, number: int) -> None:
        self._threads[number] = threading.Thread(target=self._do, args=(number,), daemon=True)
        self._threads[number].start()

    def _do(self, number: int) -> None:
        with contextlib.suppress(KeyboardInterrupt):  # given up: nobody waits for what it says
            try:
                came: Came[T] = Came(self._works[number](), None)
            except Exception as error:  # noqa: BLE001  # whose it is, the caller decides
                came = Came(None, error)
            except SystemExit as error:
                came = Came(None, RuntimeError(f"left with {error.code!r}"))
            self._back.put((number, came))

    def _take(self, patience: float) -> None:
        """What came back, for at most ``patience`` seconds."""
        with contextlib.suppress(Empty):
            number, came = self._back.get(timeout=patience)
            self._came[number] = came
            del self._threads[number]

    def _give_up(self) -> None:
        for thread in self._threads.values():
            _interrupt(thread)
        interrupt.pass_on()  # no bytecode runs in a thread that waits for a host
        until = time.monotonic() + GRACE
        for thread in self._threads.values():
            thread.join(max(0.0, until - time.monotonic()))


def _interrupt(thread: threading.Thread) -> None:
    """Raise ``KeyboardInterrupt`` in a thread, as a signal does in the main one. It shows at the next bytecode."""
    import ctypes  # 2 ms, and hardly ever needed

    if thread.ident is not None and thread.is_alive():
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident), ctypes.py_object(KeyboardInterrupt))
