"""Random counts from one source of chance, exact but for what is said."""

from __future__ import annotations

from math import exp, floor, lgamma, log, log1p, sqrt
from random import Random

_FEW = 10.0
"""Expected successes from which jumping from one to the next takes longer than rejection."""
_MANY = 50.0
"""Expected arrivals from which their number is drawn from the normal approximation."""


def binomial(dice: Random, n: int, p: float) -> int:
    """How many of ``n`` succeed, each with probability ``p`` (0 to 1)."""
    if p > 0.5:
        return n - binomial(dice, n, 1.0 - p) if p < 1 else n
    if p <= 0 or n <= 0:
        return 0
    return _by_jumps(dice, n, p) if n * p < _FEW else _by_rejection(dice, n, p)


def _by_jumps(dice: Random, n: int, p: float) -> int:
    """From success to success: the distances are geometric."""
    scale, at, found = log1p(-p), 0, 0
    while True:
        jump = log(1.0 - dice.random()) / scale
        if jump >= n - at:
            return found
        at += int(jump) + 1
        found += 1


def _by_rejection(dice: Random, n: int, p: float) -> int:
    """Transformed rejection with squeeze, in a time that does not grow with ``n`` (BTRS; Hörmann 1993)."""
    spread = sqrt(n * p * (1 - p))
    b = 1.15 + 2.53 * spread
    a = -0.0873 + 0.0248 * b + 0.01 * p
    middle, tight, alpha = n * p + 0.5, 0.92 - 4.2 / b, (2.83 + 5.1 / b) * spread
    odds, mode = log(p / (1 - p)), floor((n + 1) * p)
    peak = lgamma(mode + 1) + lgamma(n - mode + 1)
    while True:
        u = dice.random() - 0.5
        us = 0.5 - abs(u)
        found = floor((2 * a / us + b) * u + middle) if us else -1
        if not 0 <= found <= n:
            continue
        v = dice.random()
        if us >= 0.07 and v <= tight:
            return found
        v *= alpha / (a / (us * us) + b)
        if v <= 0 or log(v) <= peak - lgamma(found + 1) - lgamma(n - found + 1) + (found - mode) * odds:
            return found


def poisson(dice: Random, mean: float) -> int:
    """How many arrive when ``mean`` are expected; above 50 by the normal approximation."""
    if mean > _MANY:
        return max(0, round(dice.gauss(mean, sqrt(mean))))
    limit, product, found = exp(-mean), dice.random(), 0
    while product > limit:
        product *= dice.random()
        found += 1
    return found
