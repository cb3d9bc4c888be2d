"""A report of coverage.py, XML or JSON, read for its totals. Nothing in it is believed to be harmless."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from ..errors import GateRefused

_LARGEST = 64 << 20
"""Bytes of a JSON report. Of an XML report, only the beginning is read."""
_PIECE = 1 << 16
_DO = "make it anew: `coverage xml`, or `coverage json`"


class Covered(NamedTuple):
    """What a report says: how many lines and branches there are, how many of them were reached, and when."""

    lines: int
    lines_reached: int
    branches: int
    branches_reached: int
    at: datetime

    @property
    def share(self) -> float:
        """Of lines and branches together, as coverage.py counts them: fraction 0–1. With nothing to reach, all is."""
        there = self.lines + self.branches
        return (self.lines_reached + self.branches_reached) / there if there else 1.0

    def __str__(self) -> str:
        """``85.2 % (lines 90.1 %, branches 71.0 %)``; never rounded up to what was asked for."""
        lines = _percent(self.lines_reached, self.lines)
        if not self.branches:
            return f"{lines} of the lines"
        both = _percent(self.lines_reached + self.branches_reached, self.lines + self.branches)
        return f"{both} (lines {lines}, branches {_percent(self.branches_reached, self.branches)})"


def _percent(reached: int, there: int) -> str:
    return f"{(reached * 1000 // there if there else 1000) / 10} %"


def read(file: Path) -> Covered:
    """What a report says. Raises ``GateRefused`` for what is none, ``OSError`` for what cannot be read."""
    with file.open("rb") as source:
        beginning = source.read(64).lstrip(b"\xef\xbb\xbf \t\r\n")
    try:
        found = _of_json(file) if beginning.startswith(b"{") else _of_xml(file)
    except (KeyError, TypeError, ValueError, OverflowError, RecursionError):
        raise GateRefused(f"{file.name} is no report of coverage.py", do=_DO) from None
    if not (0 <= found.lines_reached <= found.lines and 0 <= found.branches_reached <= found.branches):
        raise GateRefused(f"{file.name} reaches more than there is", do=_DO)
    return found


def _of_json(file: Path) -> Covered:
    if file.stat().st_size > _LARGEST:
        raise ValueError("too large")
    report = json.loads(file.read_bytes())
    totals: Mapping[str, Any] = report["totals"]
    return Covered(
        int(totals["num_statements"]),
        int(totals["covered_lines"]),
        int(totals.get("num_branches", 0)),
        int(totals.get("covered_branches", 0)),
        datetime.fromisoformat(report["meta"]["timestamp"]).astimezone(UTC),  # local time, without its zone
    )


class _Enough(Exception):
    """The element that has the totals was read."""


def _of_xml(file: Path) -> Covered:
    """From the first element alone. No entity is ever resolved: a file that declares one is refused."""
    from xml.parsers import expat

    found: dict[str, str] = {}

    def begun(name: str, attributes: dict[str, str]) -> None:
        if name == "coverage":
            found.update(attributes)
        raise _Enough

    def declared(*_: object) -> None:
        raise ValueError("declares an entity")

    parser = expat.ParserCreate()
    parser.StartElementHandler = begun
    parser.EntityDeclHandler = declared
    try:
        with file.open("rb") as source:
            read_so_far = 0
            while (piece := source.read(_PIECE)) and read_so_far <= 16 * _PIECE:
                read_so_far += len(piece)
                parser.Parse(piece, False)
    except _Enough:
        return _of_attributes(found)
    except expat.ExpatError as error:
        raise ValueError("is no XML") from error
    raise ValueError("has no element")


def _of_attributes(found: Mapping[str, str]) -> Covered:
    at = datetime.fromtimestamp(int(found["timestamp"]) / 1000, UTC)
    if "lines-valid" in found:
        return Covered(
            int(found["lines-valid"]),
            int(found["lines-covered"]),
            int(found.get("branches-valid", 0)),
            int(found.get("branches-covered", 0)),
            at,
        )
    rate = float(found["line-rate"])  # other writers of Cobertura's format give no counts
    if not 0 <= rate <= 1:
        raise ValueError("is no rate")
    return Covered(1_000_000, int(rate * 1_000_000 + 1e-6), 0, 0, at)
