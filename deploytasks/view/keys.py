r"""Keys that are pressed while a deployment is drawn, one by one and without an Enter.

Only a person's own terminal in the foreground is listened to. It is given back whatever happens: at the end, at an
exception, at SIGTERM and Ctrl-\, and while the process is stopped by Ctrl-Z. Ctrl-C stays what it is.
"""

from __future__ import annotations

import codecs
import os
import select
import signal
import sys
import termios
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress

from .dialog import keys
from .suspending import Suspending

_LOOK = 0.5
"""Seconds between two looks whether we are in the foreground."""
_PATIENCE = 1.0
"""Seconds that the end waits for the thread."""

_OVER, _BACK, _RESIZED = b"o", b"b", b"r"
"""What the thread is woken for."""

Attributes = list[int | list[bytes | int]]


def own_terminal() -> int | None:
    """The descriptor of stdin, if it is the terminal that this process can be stopped from."""
    try:
        fd = sys.stdin.fileno()
        os.tcgetpgrp(fd)
    except (OSError, ValueError, AttributeError):
        return None
    return fd


def is_foreground(fd: int) -> bool:
    """Whether what is typed is for us: who reads or changes a terminal from the background is stopped."""
    try:
        return os.tcgetpgrp(fd) == os.getpgrp()
    except OSError:
        return False


class Keys:
    """Calls ``press`` with each key, in a thread of its own, from ``start`` to ``stop``.

    ``away``: called before the terminal is somebody else's, or nobody's; ``back``: when it is ours again
    (``True``), or has another size.
    """

    def __init__(
        self, fd: int, press: Callable[[Sequence[str]], None], away: Callable[[], None], back: Callable[[bool], None]
    ) -> None:
        self._fd = fd
        self._press = press
        self._saved: Attributes | None = None
        self._is_over = False
        self._was_away = False
        self._busy = threading.Lock()
        self._wake = list(os.pipe())
        self._decoder = codecs.getincrementaldecoder("utf-8")("ignore")
        self._thread = threading.Thread(target=self._listen, name="keys", daemon=True)
        self._suspending = Suspending(self._go_away, lambda: self._rouse(_BACK), lambda: self._rouse(_RESIZED))
        self._away, self._back = away, back

    def start(self) -> None:
        """Listen from now on."""
        self._suspending.start()
        self._raw()
        self._thread.start()

    def stop(self) -> None:
        """Listen no more; what is typed from now on is left for others."""
        self._is_over = True
        self._rouse(_OVER)
        if self._thread.is_alive() and threading.current_thread() is not self._thread:
            self._thread.join(_PATIENCE)
        self._cooked()
        self._suspending.stop()
        if not self._thread.is_alive():
            self._close()

    def _rouse(self, why: bytes) -> None:
        """Leave word for the thread; in a handler of a signal nothing else is safe."""
        with suppress(OSError, IndexError):
            os.write(self._wake[1], why)

    def _close(self) -> None:
        while self._wake:
            os.close(self._wake.pop())

    # -- the terminal's modes ----------------------------------------------------

    def _raw(self) -> None:
        """No echo, no waiting for Enter; signals by Ctrl-C and the like as ever."""
        with self._busy, suppress(termios.error, OSError):
            if self._saved is not None or self._is_over or not is_foreground(self._fd):
                return
            saved = termios.tcgetattr(self._fd)
            changed = [*saved[:3], saved[3] & ~(termios.ECHO | termios.ICANON), *saved[4:6], list(saved[6])]
            changed[6][termios.VMIN], changed[6][termios.VTIME] = 1, 0
            termios.tcsetattr(self._fd, termios.TCSANOW, changed)
            self._saved = saved

    def _cooked(self) -> None:
        """As it was. At once: a terminal that is stuck would keep us waiting; and from the background not at all,
        for then it is somebody else's."""
        saved, self._saved = self._saved, None
        if saved is not None and is_foreground(self._fd):
            with suppress(termios.error, OSError):
                termios.tcsetattr(self._fd, termios.TCSANOW, saved)

    def _go_away(self) -> None:
        self._cooked()
        self._away()

    def _came_back(self) -> None:
        self._raw()
        self._back(True)

    # -- in the thread -------------------------------------------------------------

    def _listen(self) -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTTIN, signal.SIGTTOU})  # then reading fails instead
        while not self._is_over:
            with suppress(OSError):
                if self._has_come_to_the_foreground():
                    self._came_back()
                if not self._heard():
                    return

    def _has_come_to_the_foreground(self) -> bool:
        """Whether it was in the background until now; nothing is read there."""
        if not is_foreground(self._fd):
            self._was_away, self._saved = True, None
            return False
        was, self._was_away = self._was_away, False
        return was

    def _heard(self) -> bool:
        """Wait for keys, or a while; ``False`` when no more will come."""
        sources = [self._wake[0]] if self._was_away else [self._wake[0], self._fd]
        ready, _, _ = select.select(sources, [], [], _LOOK)
        if self._wake[0] in ready:
            self._roused(os.read(self._wake[0], 64))
        if self._is_over or self._fd not in ready:
            return not self._is_over
        found = os.read(self._fd, 1024)
        if found:
            self._press(keys(self._decoder.decode(found)))
        return bool(found)

    def _roused(self, why: bytes) -> None:
        if _BACK in why:
            self._came_back()
        if _RESIZED in why:
            self._back(False)
