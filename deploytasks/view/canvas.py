"""A block of lines at the end of a terminal that is drawn over and over: only what has changed is written.

It never leaves the terminal's own screen, so what stood above stays there, and can be scrolled back to.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.cells import cell_len

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

HIDE, SHOW = "\x1b[?25l", "\x1b[?25h"
_BEGIN, _END = "\x1b[?2026h", "\x1b[?2026l"
"""One picture at once, where a terminal knows synchronized output; others pass over it."""
_CLEAR_ALL, _CLEAR_BELOW, _CLEAR_RIGHT = "\x1b[H\x1b[2J", "\x1b[J", "\x1b[K"

Cell = tuple[str, tuple[tuple[int, int, str], ...]]


class Canvas:
    """Draws on the console's own file, by one write for each picture. Everything may block, or raise ``OSError``."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._drawn: list[Cell] = []
        self._size: tuple[int, int] = (0, 0)

    def forget(self) -> None:
        """Somebody else has written: what is drawn next begins where the cursor is."""
        self._drawn = []

    def draw(self, lines: Sequence[Text], size: tuple[int, int], words: Sequence[str] = ()) -> None:
        """Show these lines, and words above them. ``size``: columns and lines of the terminal."""
        given = [_cell(line) for line in lines]
        is_new = not self._drawn or size != self._size or len(given) != len(self._drawn)
        if not words and not is_new and given == self._drawn:
            return
        out = [HIDE, _BEGIN]
        if self._drawn and size != self._size:
            out.append(_CLEAR_ALL)  # lines that were wrapped anew are where nobody knows
            self._drawn = []
        if words or is_new:
            out += [self._to_top(), _CLEAR_BELOW, *(f"{word}\r\n" for word in words)]
            self._drawn = []
        out += self._changed(lines, given, size[0])
        self._write("".join([*out, _END]))
        self._drawn, self._size = given, size

    def leave(self, words: Sequence[str] = (), lines: Sequence[Text] = ()) -> None:
        """Take the block away, leave words and lines in its place, and give the cursor back."""
        out = [self._to_top(), _CLEAR_BELOW, *(f"{word}\r\n" for word in words)]
        out += [f"{self._painted(line)}\r\n" for line in lines]
        self._drawn = []
        self._write("".join([*out, SHOW]))

    def _to_top(self) -> str:
        up = len(self._drawn) - 1
        return "\r" + (f"\x1b[{up}A" if up > 0 else "")

    def _changed(self, lines: Sequence[Text], given: Sequence[Cell], width: int) -> list[str]:
        """From the first line to the last, leaving the cursor there."""
        if not self._drawn:
            return ["\r\n".join(self._painted(line) for line in lines)]
        out, here = [self._to_top()], 0
        for at, line in enumerate(lines):
            if given[at] != self._drawn[at]:
                rest = "" if cell_len(line.plain) >= width else _CLEAR_RIGHT
                out.append(_down(at - here) + self._painted(line) + rest)
                here = at
        return [*out, _down(len(lines) - 1 - here)]

    def _painted(self, line: Text) -> str:
        with self._console.capture() as seen:
            self._console.print(line, end="", no_wrap=True, overflow="ignore", crop=False, soft_wrap=True)
        return seen.get()

    def _write(self, text: str) -> None:
        self._console.file.write(text)
        self._console.file.flush()


def _down(count: int) -> str:
    return "\r" + (f"\x1b[{count}B" if count else "")


def _cell(line: Text) -> Cell:
    """What makes two lines look the same."""
    spans = tuple((span.start, span.end, str(span.style)) for span in line.spans)
    return line.plain, (*spans, (0, 0, str(line.style)))
