"""What users send to a color, and what they get from it."""

from __future__ import annotations

from functools import lru_cache
from math import erfc, log, sqrt
from random import Random
from typing import NamedTuple

from ..ports import Totals
from ..verdict.ladder import LADDER, NOTHING
from .dice import binomial, poisson

_Z99 = 2.3263
"""Standard deviations above the middle, below which 99 % lie."""
_SLOW = 0.5
"""The share of requests whose times are told apart: of the faster half nothing is judged."""


class App(NamedTuple):
    """How one color behaves: ``errors`` (0 to 1) of its requests fail, ``cluster`` at a time, as when one client tries
    again; times are log-normal.

    ``p99`` in seconds (0: every request is fast); ``sigma`` of its logarithm.
    """

    errors: float
    cluster: int = 1
    p99: float = 0.0
    sigma: float = 1.0


def requests(dice: Random, app: App, mean: float) -> Totals:
    """What a color counts while ``mean`` requests are expected; a cluster comes all at once."""
    return answers(dice, app, poisson(dice, mean))


def answers(dice: Random, app: App, sent: int) -> Totals:
    """What becomes of so many requests. More are counted where clusters need them."""
    bad = app.cluster * binomial(dice, sent, app.errors / app.cluster)
    n = max(sent, bad)
    return Totals(n, bad, _times(dice, app, n)) if n else NOTHING


def _times(dice: Random, app: App, n: int) -> dict[float, int]:
    """Counts along the ladder: of those above an edge, how many are above the next one."""
    if not app.p99:
        return {}
    fast, slow = _ladder(app.p99, app.sigma)
    counts, left = dict.fromkeys(fast, n), n
    for edge, share in slow:
        left = binomial(dice, left, share)
        if not left:
            break
        counts[edge] = left
    return counts


@lru_cache(maxsize=16)
def _ladder(p99: float, sigma: float) -> tuple[tuple[float, ...], tuple[tuple[float, float], ...]]:
    """The edges of the faster half; and of the others each, with which share of those above the one before lies above
    it."""
    middle = log(p99) - _Z99 * sigma
    above = {edge: erfc((log(edge) - middle) / (sigma * sqrt(2))) / 2 for edge in LADDER}
    slow, before = [], 1.0
    for edge, share in above.items():
        if 0 < share <= _SLOW:
            slow.append((edge, share / before))
            before = share
    return tuple(edge for edge, share in above.items() if share > _SLOW), tuple(slow)
