"""The audit export as CSV."""

from __future__ import annotations

import csv
import io

import pytest
from audit.trails import everything
from hypothesis import given, strategies as st

from deploytasks.audit.cells import cells
from deploytasks.audit.columns import COLUMNS
from deploytasks.audit.spreadsheet import csv_of, harmless
from deploytasks.audit.trail import trail

ROWS = trail(everything().events, "library", "production").rows


def read(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_it_is_read_back() -> None:
    """Each row and column as they were."""
    found = read(csv_of(ROWS))
    assert len(found) == len(ROWS)
    assert [one["event"] for one in found] == [row["event"] for row in ROWS]
    assert found[4]["approvals"] == cells(ROWS[4])["approvals"]


def test_lines_end_as_rfc_4180_says() -> None:
    """With CRLF; a header first, each field in quotes, each line with as many."""
    lines = csv_of(ROWS).split("\r\n")
    assert lines[-1] == ""
    assert len(lines) == len(ROWS) + 2
    assert lines[0] == ",".join(f'"{column.name}"' for column in COLUMNS)
    assert "\n" not in "".join(lines)


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "|", "%", "＝", "\t=", "\r\n=", "  =", "\0="])
def test_no_formula(sign: str) -> None:
    """What people wrote is never computed: an apostrophe makes it text."""
    assert harmless(f"{sign}HYPERLINK(1)").startswith("'")


def test_no_formula_behind_a_semicolon() -> None:
    """Spreadsheets of half of Europe take it for the border of a cell, within quotes of another cell as well."""
    assert harmless("a;=HYPERLINK(1);@b; c;d") == "a; =HYPERLINK(1); @b; c;d"


def test_nothing_for_a_terminal() -> None:
    """Whoever looks at the export in one sees what was written, and no colors, titles or turned words."""
    assert harmless("a\x1b[31mred\x1b]0;title\x07\0 \u202eb\x9b2J\r\nc") == "a[31mred]0;title b2J c"


@given(st.text())
def test_whatever_is_written_comes_back_harmless(text: str) -> None:
    """Any text stays in its own cell, on one line, and begins with no sign of a formula."""
    found = read(csv_of([{**ROWS[0], "reason": text}]))
    [reason] = [one["reason"] for one in found]
    assert reason == harmless(text)
    assert reason[:1] not in ("=", "+", "-", "@", "\t", "\r", "\n")
    assert len(reason.splitlines()) <= 1


def test_quotes_and_separators_stay_inside() -> None:
    """They end no field."""
    [found] = read(csv_of([{**ROWS[0], "reason": 'he said "now", and; left'}]))
    assert found["reason"] == 'he said "now", and; left'
