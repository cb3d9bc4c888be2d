"""Whether the requests that were counted fit the split that was written. A split that is not in force yet (visitors
who are bound, a balancer that takes its time) must not be taken for one that was watched.

Generous on purpose: a share is implausible only when it is far off, and by more than chance: Wilson's interval at four
standard deviations, which is wrong once in 16,000 looks on either side, lies beyond half the way to nothing, or to all.
"""

from __future__ import annotations

from math import sqrt
from typing import NamedTuple

Z = 4.0
RECENT = 8
"""Polls that may clear an old doubt: what was counted before is not what is in force now."""
ENOUGH = 30
"""Requests from which the recent ones may."""
_LEAST = 0.1
"""Of the smaller share, in what is left of it to be off by: 5 percentage points are never too much."""


class Counted(NamedTuple):
    """Requests to the target and to the other color."""

    own: int = 0
    live: int = 0

    @property
    def all(self) -> int:
        """Both."""
        return self.own + self.live

    def plus(self, more: Counted) -> Counted:
        """Together with others."""
        return Counted(self.own + more.own, self.live + more.live)


class Shares(NamedTuple):
    """What was counted in a stage, since its split can be in force: all of it, and poll by poll lately."""

    total: Counted = Counted()
    recent: tuple[Counted, ...] = ()

    def add(self, new: Counted) -> Shares:
        """One more poll."""
        return Shares(self.total.plus(new), (*self.recent, new)[-RECENT:])

    def doubt(self, percent: int) -> str:
        """Why ``percent`` cannot be what the target gets; empty when it can, or too little is known."""
        if not self.total.all or _fits(self.total, percent):
            return ""
        lately = Counted(sum(each.own for each in self.recent), sum(each.live for each in self.recent))
        low, high = plausible(percent)
        if lately.all >= ENOUGH and low <= lately.own / lately.all <= high:
            return ""
        measured = f"{self.total.own} of {self.total.all} requests ({100 * self.total.own / self.total.all:.1f} %)"
        return f"{measured} reached it, and {percent} % should: the split that was written is not the one in force"


NONE = Shares()
"""Nothing counted yet."""


def plausible(percent: int) -> tuple[float, float]:
    """The shares, 0 to 1, that are near enough: half of the smaller side away, or 5 percentage points."""
    share = percent / 100
    off = max(min(share, 1 - share), _LEAST) / 2
    return (max(share / 2, share - off), min((1 + share) / 2, share + off))


def wilson(part: int, whole: int) -> tuple[float, float]:
    """Between what and what the true share lies, if ``part`` of ``whole`` were counted (Wilson 1927)."""
    if not whole:
        return 0.0, 1.0
    share, spread = part / whole, Z * Z / whole
    middle = (share + spread / 2) / (1 + spread)
    reach = Z * sqrt(share * (1 - share) / whole + spread / (4 * whole)) / (1 + spread)
    return max(0.0, middle - reach), min(1.0, middle + reach)


def _fits(counted: Counted, percent: int) -> bool:
    least, most = wilson(counted.own, counted.all)
    low, high = plausible(percent)
    return most >= low and least <= high
