"""Aligned text with a few colors, for answers on a terminal. No library: `inv status` should be there at once."""

from __future__ import annotations

import re
from collections.abc import Sequence
from textwrap import TextWrapper

_CODES = {"good": "32", "warn": "33", "bad": "1;31", "dim": "2", "bold": "1", "blue": "34", "green": "32"}
_ANSI = re.compile(r"\x1b\[[0-9;]*m")
MARKS = {"ok": ("✓", "good"), "warn": ("!", "warn"), "fail": ("✗", "bad"), "": ("·", "dim")}


class Paint:
    """Colors, or none: ``Paint(False)`` leaves every text as it is. ``columns``: how wide lines of prose may be."""

    def __init__(self, on: bool, columns: int = 80) -> None:
        self.on = on
        self.columns = columns

    def __call__(self, text: str, style: str) -> str:
        """The text in a style: good, warn, bad, dim, bold, blue, green."""
        return f"\x1b[{_CODES[style]}m{text}\x1b[0m" if self.on and style in _CODES and text else text

    def mark(self, state: str) -> str:
        """``✓`` for ok, ``!`` for warn, ``✗`` for fail."""
        sign, style = MARKS.get(state, MARKS[""])
        return self(sign, style)


def bare(text: str) -> str:
    """The text without its colors."""
    return _ANSI.sub("", text)


def width(text: str) -> int:
    """Characters that are seen."""
    return len(bare(text))


def wrapped(text: str, columns: int, indent: str = "", first: str | None = None) -> list[str]:
    """Text in lines of at most so many columns, but for words that are longer. ``first``: what its first line begins
    with, instead of the indent."""
    begin = indent if first is None else first
    lines = TextWrapper(
        columns, initial_indent=begin, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    ).wrap(text)
    return lines or [begin.rstrip()]


def hanging(label: str, text: str, columns: int) -> list[str]:
    """A label, and beside it text in as many lines as it needs; either may have colors."""
    indent, line, lines = " " * width(label), label, list[str]()
    for word in text.split(" "):
        if line not in (label, indent) and width(line) + 1 + width(word) > columns:
            lines.append(line)
            line = indent
        line += word if line in (label, indent) else f" {word}"
    return [*lines, line]


def table(rows: Sequence[Sequence[str]], indent: str = "", right: Sequence[int] = ()) -> list[str]:
    """Rows as aligned lines; ``right``: the columns that are aligned at their end. The last column is not padded."""
    if not rows:
        return []
    columns = max(len(row) for row in rows)
    widths = [max((width(row[at]) for row in rows if at < len(row)), default=0) for at in range(columns)]
    return [(indent + "  ".join(_padded(row, widths, right))).rstrip() for row in rows]


def _padded(row: Sequence[str], widths: Sequence[int], right: Sequence[int]) -> list[str]:
    cells = []
    for at, cell in enumerate(row):
        space = " " * (widths[at] - width(cell))
        is_last = at == len(row) - 1
        cells.append(space + cell if at in right else cell if is_last else cell + space)
    return cells
