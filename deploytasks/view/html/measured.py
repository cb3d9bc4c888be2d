"""The numbers behind the charts, for whoever reads them as a table. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from ...ports import COLORS
from ..sentences import percent_of
from ..wording import MISSING, milliseconds, share
from .series import PROBES, Measured, Sample


class Row(NamedTuple):
    """One moment; ``cells`` are words."""

    at: datetime
    phase: str
    share: int
    cells: Sequence[str]
    evidence: str


class Table(NamedTuple):
    """``heads``: of each cell, who counts it, for which color, and what it is."""

    heads: Sequence[str]
    rows: Sequence[Row]


def table(found: Sequence[Sample], target: str) -> Table:
    """One row for each sample; what nobody measured at all has no column."""
    sources = list(dict.fromkeys(name for sample in found for name in sample.sources))
    colors = sorted(COLORS, key=lambda color: color != target)
    columns = [
        (name, color, what)
        for name in sources
        for color in colors
        for what in _WHAT
        if (name, what) != (PROBES, "pace")
    ]
    values = {column: [_value(sample, *column) for sample in found] for column in columns}
    columns = [column for column in columns if any(value is not None for value in values[column])]
    heads = [f"{color} {_WHAT[what][0]}{f' ({name})' if len(sources) > 1 else ''}" for name, color, what in columns]
    rows = []
    for place, sample in enumerate(found):
        cells = [_cell(values[column][place], column[2]) for column in columns]
        evidence = percent_of(sample.evidence[1]) if sample.evidence else MISSING
        rows.append(Row(sample.at, sample.phase, sample.share, cells, evidence))
    return Table(heads, rows)


def _value(sample: Sample, source: str, color: str, what: str) -> float | None:
    found: Measured | None = next((m for c, m in sample.sources.get(source, {}).items() if c == color), None)
    value: float | None = getattr(found, what, None)
    return value


def _cell(value: float | None, what: str) -> str:
    return MISSING if value is None else _WHAT[what][1](value)


_WHAT: Mapping[str, tuple[str, Callable[[float], str]]] = {
    "pace": ("req/s", lambda value: f"{value:,.1f}"),
    "errors": ("errors", share),
    "p95": ("P95", milliseconds),
    "p99": ("P99", milliseconds),
}
"""What is measured → the word for it, and how it is written."""
