"""Rows as CSV (RFC 4180), with nothing in it that a spreadsheet would compute. Pure."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping
from typing import Any

from .cells import cells
from .columns import COLUMNS

_FORMULA = re.compile(r"[=+\-@\t\r\n\0|%＝＋－＠]")
"""What makes a cell a formula when it comes first (OWASP, CSV injection), the wide forms of these signs included."""
_NEXT_CELL = re.compile(r";(?=[=+\-@|%＝＋－＠])")
"""Where a spreadsheet that takes semicolons for the borders of cells would begin another one with a formula."""


_UNSEEN = re.compile(r"[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""What moves a cursor or turns text around, on the terminal that shows it. Breaks of lines are blanks, as ever."""


def csv_of(rows: Iterable[Mapping[str, Any]]) -> str:
    """A header and a line for each row, each field quoted, lines ending with CRLF."""
    text = io.StringIO(newline="")
    written = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    written.writerow(column.name for column in COLUMNS)
    for row in rows:
        found = cells(row)
        written.writerow(harmless(found[column.name]) for column in COLUMNS)
    return text.getvalue()


def harmless(cell: str) -> str:
    """On one line; and with an apostrophe, or a blank, before whatever a spreadsheet would take for a formula."""
    flat = " ".join(_UNSEEN.sub("", cell).split())
    flat = _NEXT_CELL.sub("; ", flat)
    return f"'{flat}" if _FORMULA.match(flat) else flat
