"""`inv check-… --watch`: one judged reading after the other; a picture that stays still, lines, or JSON lines."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol

from .. import redaction
from . import printing
from .paint import Paint
from .text.judged import short, verdicts
from .wording import clock, number, share

if TYPE_CHECKING:
    from rich.live import Live

_KEPT = 60
"""Readings that are drawn."""
_BARS = "▁▂▃▄▅▆▇█"


class Looking(Protocol):
    """Who shows them."""

    def show(self, answer: Mapping[str, Any]) -> None: ...

    def close(self) -> None: ...


def looking(*, json: bool) -> Looking:
    """A picture where a person looks at a capable terminal; else one line for each reading."""
    if json:
        return _Lines(json=True)
    return _Picture() if printing.can_draw() else _Lines(json=False)


class _Lines:
    def __init__(self, *, json: bool) -> None:
        self._json = json

    def show(self, answer: Mapping[str, Any]) -> None:
        if self._json:
            printing.answer_json(answer)
        else:
            printing.answer(f"{clock(datetime.now(UTC))}  {short(redaction.clean(answer))}")

    def close(self) -> None:
        """Nothing is left to do."""


class _Picture:
    def __init__(self) -> None:
        self._rates: deque[float | None] = deque(maxlen=_KEPT)
        self._live: Live | None = None
        self._last: Mapping[str, Any] | None = None

    def show(self, answer: Mapping[str, Any]) -> None:
        from rich.text import Text

        self._last = redaction.clean(answer)
        self._rates.append(_over(self._last))
        paint = Paint(printing.has_color(sys.stdout), printing.columns())
        lines = [
            *verdicts(self._last, paint),
            "",
            _course(self._rates),
            f"  {clock(datetime.now(UTC))} UTC, Ctrl-C ends",
        ]
        with suppress(Exception):  # a terminal that goes away ends no check
            self._region().update(Text.from_ansi("\n".join(lines)), refresh=True)

    def close(self) -> None:
        """Leave what was shown last."""
        if self._live is not None:
            self._live.stop()

    def _region(self) -> Live:
        if self._live is None:
            from rich.console import Console
            from rich.live import Live

            self._live = Live(console=Console(highlight=False), auto_refresh=False, vertical_overflow="crop")
            self._live.start()
        return self._live


def _over(answer: Mapping[str, Any]) -> float | None:
    """How near the nearest limit is: 1 at it, 2 at twice as much; ``None`` while nothing is known."""
    shares = []
    for verdict in answer.get("verdicts", ()):
        value, limit = number(verdict.get("value")), number(verdict.get("limit"))
        has_enough = value != verdict.get("n")  # a hold for want of requests compares their number
        if has_enough and value is not None and limit:
            shares.append(value / limit)
    return max(shares, default=None)


def _course(rates: deque[float | None]) -> str:
    """The readings so far, against the limit: its own height is the middle."""
    bars = "".join(" " if rate is None else _BARS[min(len(_BARS) - 1, int(rate * 4))] for rate in rates)
    newest = rates[-1] if rates else None
    return f"  {bars}  {share(newest)} of the limit"
