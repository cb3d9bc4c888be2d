"""Signals that a terminal sends while it is drawn on: stop (Ctrl-Z), go on, another size; and those that end us."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any

_ENDING = (signal.SIGTERM, signal.SIGQUIT, signal.SIGHUP)


class Suspending:
    """Calls ``leave`` before the process stops, or ends by a signal that nobody else handles; ``back`` when it goes on,
    and ``resized`` when the terminal has another size.

    Python allows handlers in the main thread alone: elsewhere nothing is done.
    """

    def __init__(self, leave: Callable[[], None], back: Callable[[], None], resized: Callable[[], None]) -> None:
        self._leave = leave
        self._back = back
        self._resized = resized
        self._before: dict[signal.Signals, Any] = {}

    def start(self) -> None:
        """Handle them from now on. A signal that is ignored, or that ends us where somebody cares, is left alone."""
        if threading.current_thread() is not threading.main_thread():
            return
        self._take(signal.SIGWINCH, self._resize, (signal.SIG_DFL, signal.SIG_IGN))
        self._take(signal.SIGCONT, self._go_on, (signal.SIG_DFL, signal.SIG_IGN))
        self._take(signal.SIGTSTP, self._stop, (signal.SIG_DFL,))
        for number in _ENDING:
            self._take(number, self._end, (signal.SIG_DFL,))

    def stop(self) -> None:
        """As before."""
        if threading.current_thread() is not threading.main_thread():
            return
        while self._before:
            number, handler = self._before.popitem()
            if getattr(signal.getsignal(number), "__self__", None) is self:
                signal.signal(number, handler)

    def _take(self, number: signal.Signals, handler: Callable[..., None], where: tuple[signal.Handlers, ...]) -> None:
        found = signal.getsignal(number)
        if found in where:
            self._before[number] = found
            signal.signal(number, handler)

    def _resize(self, signum: int, frame: FrameType | None) -> None:
        self._resized()

    def _go_on(self, signum: int, frame: FrameType | None) -> None:
        self._back()

    def _stop(self, signum: int, frame: FrameType | None) -> None:
        self._leave()
        signal.signal(signum, signal.SIG_DFL)
        os.kill(os.getpid(), signum)  # here it stands still, until somebody says `fg` or `bg`
        signal.signal(signum, self._stop)

    def _end(self, signum: int, frame: FrameType | None) -> None:
        self._leave()
        signal.signal(signum, signal.SIG_DFL)
        os.kill(os.getpid(), signum)
