"""`inv status --watch`: a picture that stays still, lines of what changed, or JSON lines."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol

from .. import redaction
from . import printing
from .paint import Paint
from .text import text
from .text.changes import Noted, changes, noted
from .wording import clock

if TYPE_CHECKING:
    from rich.console import Console
    from rich.live import Live


class Showing(Protocol):
    """Who shows one answer after the other."""

    def show(self, kind: str, answer: Mapping[str, Any]) -> None: ...

    def close(self) -> None: ...


def statuses(*, json: bool) -> Showing:
    """A picture where a person looks at a capable terminal; else whatever changed."""
    if json:
        return _JsonLines()
    return _Picture() if printing.can_draw() else _Lines()


class _JsonLines:
    """The whole answer, whenever anything in it but the time is otherwise."""

    def __init__(self) -> None:
        self._last: object = None

    def show(self, kind: str, answer: Mapping[str, Any]) -> None:
        known = _untimed(answer)
        if known != self._last:
            self._last = known
            printing.answer_json(answer)

    def close(self) -> None:
        """Nothing is left to do."""


def _untimed(answer: Any) -> Any:
    if not isinstance(answer, Mapping):
        return answer
    return {key: _untimed(value) for key, value in answer.items() if key not in _PASSING}


_PASSING = ("at", "quiet", "detail", "levels")
"""What changes all the time and means nothing by itself: how many milliseconds a health page took."""


class _Lines:
    def __init__(self) -> None:
        self._last: Noted = {}

    def show(self, kind: str, answer: Mapping[str, Any]) -> None:
        now = noted(redaction.clean(answer))
        for line in changes(self._last, now, datetime.now(UTC)):
            printing.answer(line)
        self._last = now

    def close(self) -> None:
        """Nothing is left to do."""


def fitted(lines: Sequence[str], height: int) -> list[str]:
    """As many as there is room for: where everything is, at the top, and what deserves attention, at the bottom."""
    if len(lines) <= height:
        return list(lines)
    above = max(1, height * 3 // 5)
    return [*lines[:above], "  …", *lines[len(lines) - (height - above - 1) :]][:height]


class _Picture:
    """Drawn anew in its place. What does not fit is left out in the middle, and is there in the end."""

    def __init__(self, console: Console | None = None, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._console = console
        self._now = now
        self._live: Live | None = None
        self._text = ""

    def show(self, kind: str, answer: Mapping[str, Any]) -> None:
        from rich.text import Text

        paint = Paint(printing.has_color(sys.stdout), printing.columns())
        self._text = text(kind, redaction.clean(answer), paint)
        hint = paint(f"  {clock(self._now())} UTC, Ctrl-C ends", "dim")
        with suppress(Exception):  # a terminal that goes away ends nothing
            region = self._region()
            lines = fitted([*self._text.splitlines(), "", hint], region.console.height - 1)
            region.update(Text.from_ansi("\n".join(lines), no_wrap=True), refresh=True)

    def close(self) -> None:
        """Give the terminal back, and leave what was shown last, all of it."""
        if self._live is not None:
            with suppress(Exception):
                self._live.stop()
            printing.answer(self._text)

    def _region(self) -> Live:
        if self._live is None:
            from rich.console import Console
            from rich.live import Live

            console = self._console or Console(highlight=False)
            self._live = Live(console=console, auto_refresh=False, transient=True, vertical_overflow="crop")
            self._live.start()
        return self._live
