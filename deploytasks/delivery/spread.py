"""How values are spread: median, 90th percentile, and how sure a share is. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import median
from typing import NamedTuple

from .definitions import FEW, FEW_FOR_P90

_Z = 1.959963984540054
"""Of a normal distribution: 95 % lie within so many standard deviations."""


class Spread(NamedTuple):
    """Of ``n`` values. ``p90`` is ``None`` where they are too few for one; ``is_few``: too few for anything general."""

    n: int
    median: float | None
    p90: float | None
    is_few: bool


def spread(values: Sequence[float]) -> Spread:
    """Median and P90 (the smallest value that at least 90 % of all do not exceed, nearest rank)."""
    ordered = sorted(values)
    n = len(ordered)
    p90 = ordered[math.ceil(0.9 * n) - 1] if n >= FEW_FOR_P90 else None
    return Spread(n, median(ordered) if ordered else None, p90, n < FEW)


def likely(hits: int, n: int) -> tuple[float, float] | None:
    """Between which shares the true one lies, in 95 of 100 such cases (Wilson, 1927); ``None`` of nothing."""
    if n < 1:
        return None
    share, z2 = hits / n, _Z * _Z
    middle = share + z2 / (2 * n)
    half = _Z * math.sqrt(share * (1 - share) / n + z2 / (4 * n * n))
    low, high = (middle - half) / (1 + z2 / n), (middle + half) / (1 + z2 / n)
    return (0.0 if hits == 0 else low), (1.0 if hits == n else high)
