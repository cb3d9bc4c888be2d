"""Readings of the database and the hosts: over a threshold they warn, and nothing more.

They are no counts and no color's: a host that is busy says nothing about a release, and both colors share a database.
So they never roll back, and they are taken as they are, without a test.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from ..ports import NoData
from .judge import Verdict, milliseconds, percent


class Level(NamedTuple):
    """One kind of reading."""

    words: str
    """What it is called."""
    is_share: bool
    """A fraction 0 to 1; seconds otherwise."""

    def text(self, value: float) -> str:
        """A value in its unit."""
        if self.is_share:
            return percent(value)
        return milliseconds(value) if value < 1 else f"{value:.3g} s"


LEVELS: Mapping[str, Level] = {
    "query_time": Level("database query time", False),
    "pool": Level("connections in use", True),
    "replication_lag": Level("replication lag", False),
    "cpu": Level("CPU", True),
    "memory": Level("memory", True),
    "disk": Level("disk", True),
}
"""All that may be read, in the order in which it is shown."""


def worded(name: str, value: float) -> str:
    """``connections in use 85 %``."""
    level = LEVELS.get(name, Level(name, False))
    return f"{level.words} {level.text(value)}"


def judge_levels(levels: Mapping[str, float] | NoData, limits: Mapping[str, float]) -> list[Verdict]:
    """One verdict for each level that was read and has a limit: WARN above it, PASS otherwise."""
    if isinstance(levels, NoData):
        return []
    read = [(name, levels[name], limits[name]) for name in LEVELS if name in levels and name in limits]
    return [_verdict(name, value, limit) for name, value, limit in read]


def _verdict(name: str, value: float, limit: float) -> Verdict:
    over = value > limit
    said = f"{worded(name, value)}, {'over' if over else 'within'} the warning limit of {LEVELS[name].text(limit)}"
    return Verdict("WARN" if over else "PASS", name, 0, value, limit, f"{name}: {said}")
