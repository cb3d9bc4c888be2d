"""The live view: a thread of its own draws what was told. Nobody waits for it, not even a terminal that is stuck."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime

from rich.console import Console, Group
from rich.live import Live as Region
from rich.text import Text

from ..ports import Event
from .frame import final, frame
from .scene import Scene, follow
from .wording import clean

_FASTEST = 0.25
"""Seconds between two pictures at least."""
_SLOWEST = 1.0
"""Seconds between two pictures at most: clocks go on while nothing happens."""
_PATIENCE = 2.0
"""Seconds that closing waits for a terminal that does not take what is drawn."""
LEAST_WIDTH, LEAST_HEIGHT = 74, 14
"""Cells; on a smaller terminal the log is the better view."""


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
        self._now = now
        self._scene = Scene()
        self._words: deque[str] = deque()
        self._news = threading.Event()
        self._over = threading.Event()
        self._region = Region(console=self._console, auto_refresh=False, transient=True, vertical_overflow="crop")
        self._thread = threading.Thread(target=self._draw_until_over, name="live view", daemon=True)

    @property
    def is_broken(self) -> bool:
        """Whether it gave up, and the terminal back."""
        return self._is_broken

    @property
    def fits(self) -> bool:
        """Whether the terminal is large enough."""
        return self._console.width >= LEAST_WIDTH and self._console.height >= LEAST_HEIGHT

    def start(self) -> None:
        """Take the terminal."""
        self._thread.start()

    def tell(self, event: Event) -> None:
        """Show this soon."""
        with suppress(Exception):  # what cannot be understood is not shown; the next event may be
            self._scene = follow(self._scene, event)
        self._news.set()

    def say(self, text: str) -> None:
        """Print words above the picture."""
        self._words.append(text)
        self._news.set()

    def close(self) -> None:
        """Leave the last state on the terminal, and give it back."""
        self._over.set()
        self._news.set()
        if self._thread.is_alive() and threading.current_thread() is not self._thread:
            self._thread.join(_PATIENCE)

    # -- in the thread ---------------------------------------------------------

    def _draw_until_over(self) -> None:
        try:
            self._region.start()
            while not self._over.is_set():
                self._draw()
                self._over.wait(_FASTEST)
                self._news.wait(_SLOWEST - _FASTEST)
                self._news.clear()
        except Exception:  # noqa: BLE001  a picture is never worth a deployment
            self._is_broken = True
        finally:
            self._leave()

    def _draw(self) -> None:
        self._print_words()
        width, height = self._console.size
        self._region.update(Group(*frame(self._scene, width, height - 1, self._now())), refresh=True)

    def _print_words(self) -> None:
        while self._words:
            self._console.print(Text(clean(self._words.popleft())), soft_wrap=True)

    def _leave(self) -> None:
        try:
            self._region.stop()
            self._print_words()
            if self._scene.steps:
                self._console.print(*final(self._scene, self._console.width, self._now()), sep="\n")
        except Exception:  # noqa: BLE001  the same; and the cursor is what matters most
            self._is_broken = True
            with suppress(Exception):
                self._console.show_cursor(True)
