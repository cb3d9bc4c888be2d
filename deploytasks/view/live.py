"""The live view: a thread of its own draws what was told. Nobody waits for it, not even a terminal that is stuck."""

from __future__ import annotations

import os
import select
import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from rich.console import Console

from ..ports import Event
from .canvas import SHOW, Canvas
from .desk import Desk, Life
from .dialog import WATCHING, press
from .frame import final, frame
from .keys import Keys, is_foreground, own_terminal
from .scene import Scene, follow
from .wording import clean

_FASTEST = 0.25
"""Seconds between two pictures at least, but for what is typed."""
_SLOWEST = 1.0
"""Seconds between two pictures at most: clocks go on while nothing happens."""
_PATIENCE = 2.0
"""Seconds that closing waits for a terminal that does not take what is drawn."""
LEAST_WIDTH, LEAST_HEIGHT = 74, 14
"""Cells; on a smaller terminal the log is the better view."""

Ask = Callable[[str, str], None]
"""Asks for a verb, with a reason; returns at once, never raises."""


def now_in_utc() -> datetime:
    """The time of day."""
    return datetime.now(UTC)


class Live:
    """Draws a deployment on a terminal. ``tell`` and ``say`` only leave word for the thread that draws.

    When drawing fails, for whatever reason, ``is_broken`` says so, and the terminal has been given back.
    """

    def __init__(self, console: Console | None = None, now: Callable[[], datetime] = now_in_utc) -> None:
        self._is_broken = False
        self._console = console or Console(stderr=True, highlight=False)
        self._canvas = Canvas(self._console)
        self._now = now
        self._scene = Scene()
        self._desk = Desk()
        self._changing = threading.Lock()
        self._words: deque[str] = deque()
        self._news = threading.Event()
        self._hurry = threading.Event()
        self._over = threading.Event()
        self._is_disturbed = threading.Event()
        self._is_away = threading.Event()
        self._keys: Keys | None = None
        self._ask: Ask | None = None
        self._terminal = own_terminal() if console is None else None
        self._thread = threading.Thread(target=self._draw_until_over, name="live view", daemon=True)

    @property
    def is_broken(self) -> bool:
        """Whether it gave up, and the terminal back."""
        return self._is_broken

    @property
    def fits(self) -> bool:
        """Whether the terminal is large enough, and ours now."""
        is_ours = self._terminal is None or is_foreground(self._terminal)
        return is_ours and self._console.width >= LEAST_WIDTH and self._console.height >= LEAST_HEIGHT

    def start(self) -> None:
        """Take the terminal."""
        self._thread.start()

    def take_orders(self, ask: Ask) -> None:
        """Listen to keys from now on, where a person sits at the terminal; ``ask`` is told what they mean."""
        self._ask = ask
        if self._keys is None and self._terminal is not None and not self._over.is_set():
            self._keys = Keys(self._terminal, self._press, self._go_away, self._return)
            self._keys.start()
            self._change(has_keys=True)
            self._wake()

    def show_life(self, life: Life) -> None:
        """Show these signs of life."""
        self._change(life=life)

    def tell(self, event: Event) -> None:
        """Show this soon."""
        before = self._scene.asked
        with suppress(Exception):  # what cannot be understood is not shown; the next event may be
            self._scene = follow(self._scene, event)
        if self._scene.asked is not before and self._desk.dialog.mode == "watching":
            self._change(dialog=WATCHING)
        self._news.set()

    def say(self, text: str) -> None:
        """Print words above the picture."""
        self._words.append(text)
        self._change(said=text)
        self._news.set()

    def close(self) -> None:
        """Leave the last state on the terminal, and give it back."""
        if self._keys is not None:
            self._keys.stop()
        self._over.set()
        self._wake()
        if self._thread.is_alive() and threading.current_thread() is not self._thread:
            self._thread.join(_PATIENCE)

    def _change(self, **changes: Any) -> None:
        with self._changing:
            self._desk = replace(self._desk, **changes)

    # -- in the thread of keys, and in handlers of signals ------------------------

    def _press(self, keys: Sequence[str]) -> None:
        for key in keys:
            dialog, order = press(self._desk.dialog, key)
            self._change(dialog=dialog)
            if order is not None and self._ask is not None:
                self._ask(order.verb, order.reason)
        self._wake()

    def _go_away(self) -> None:
        """The terminal is somebody else's in a moment: what is drawn next is drawn anew, and not before we are back."""
        self._is_away.set()
        self._show_cursor()

    def _return(self, is_disturbed: bool) -> None:
        """The terminal is ours again, or has another size."""
        if is_disturbed:
            self._is_disturbed.set()
            self._is_away.clear()
        self._wake()

    def _wake(self) -> None:
        self._news.set()
        self._hurry.set()

    # -- in the thread ---------------------------------------------------------

    def _draw_until_over(self) -> None:
        try:
            while not self._over.is_set():
                self._draw()
                self._hurry.wait(_FASTEST)
                self._news.wait(_SLOWEST - _FASTEST)
                self._hurry.clear()
                self._news.clear()
        except Exception:  # noqa: BLE001  a picture is never worth a deployment
            self._is_broken = True
        finally:
            self._leave()

    def _draw(self) -> None:
        if self._is_away.is_set() or (self._terminal is not None and not is_foreground(self._terminal)):
            return  # whoever is there now has the terminal
        if self._is_disturbed.is_set():
            self._is_disturbed.clear()
            self._canvas.forget()
        width, height = self._console.size
        desk = self._desk
        if desk.life is not None:
            desk = replace(desk, beat=desk.life.age())
        self._canvas.draw(frame(self._scene, width, height - 1, self._now(), desk), (width, height), self._said())

    def _said(self) -> list[str]:
        return [line for _ in range(len(self._words)) for line in clean(self._words.popleft()).splitlines()]

    def _leave(self) -> None:
        try:
            lines = final(self._scene, self._console.width, self._now(), self._desk) if self._scene.steps else []
            self._canvas.leave(self._said(), lines)
        except Exception:  # noqa: BLE001  the same; and the cursor is what matters most
            self._is_broken = True
            self._show_cursor()

    def _show_cursor(self) -> None:
        with suppress(Exception):
            fd = self._console.file.fileno()
            if select.select([], [fd], [], 0)[1]:
                os.write(fd, f"{SHOW}\r\n".encode())
