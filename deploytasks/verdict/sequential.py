"""A test that may be looked at after every poll, for as long as one likes, without more false alarms.

Each request multiplies a bet against "at most a share ``limit`` of the requests is bad": by k / (1 + limit (k - 1))
when it is bad, by 1 / (1 + limit (k - 1)) when not, for several odds k. Whatever came before, each factor has an
expectation of at most 1 while that claim is true, and so has their product, and any average of such products.
Hence (Ville 1939) the average ever reaches 1 / alpha with a probability of at most alpha.

The average goes over the odds, and over windows: half the weight lies on the window from the start, the other half
on windows that begin a minute apart, so that trouble that begins late is not diluted by a good beginning.

Counts are divided by the design effect ``deff`` >= 1 (see ``dispersion``). That takes a root of every product; by
Jensen's inequality the average of the roots stays below the threshold while the average of the products does. So
for independent requests the bound holds for whatever ``deff`` is, even one that is learned on the way.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import exp, log, log1p

ODDS = (1.35, 2.0, 3.0, 6.0, 12.0, 30.0, 120.0, 1000.0)
PERIOD = 60.0
"""Seconds between the beginnings of two windows."""
WINDOWS = 100
"""Later windows that share half the weight; after that many none begins any more."""
KEPT = 20
"""Later windows that are kept: trouble that 20 minutes do not show is the first window's."""
_CEILING = 600.0
"""exp() of more would overflow; no threshold is near."""


@lru_cache(maxsize=64)
def _bets(limit: float) -> tuple[tuple[float, float], ...]:
    """Per odds: what a bad request adds to the logarithm of the product, and what every request takes off."""
    return tuple((log(k), log1p(limit * (k - 1))) for k in ODDS)


@dataclass(frozen=True, slots=True)
class Stream:
    """The test of one metric; ``limit`` is the share (0 to 1) of bad requests that is still fine.

    ``alpha`` bounds the probability that it ever trips while the true share is at most ``limit``.
    It needs ``least`` bad requests at least, so that one client's retries cannot do it alone.
    """

    limit: float
    alpha: float
    least: int = 3
    deff: float = 1.0
    n: int = 0
    bad: int = 0
    windows: tuple[tuple[int, int], ...] = ()
    """Requests and bad requests before each window; the first window is the one from the start."""
    begun: int = 0
    last: float | None = None
    log_e: float = 0.0
    """Logarithm of the average product; never shown below 0."""

    def add(self, at: float, n: int, bad: int, deff: float | None = None) -> Stream:
        """Count ``bad`` of ``n`` requests, new since the last time; ``at`` in seconds, of any origin."""
        windows, begun, last = self.windows, self.begun, self.last
        if last is None:
            windows, last = ((self.n, self.bad),), at
        elif at - last >= PERIOD - 1 and begun < WINDOWS:
            windows = (windows[0], *windows[1:][-(KEPT - 1) :], (self.n, self.bad))
            begun, last = begun + 1, at
        deff = self.deff if deff is None else deff
        if not bad and not self.log_e and deff >= self.deff:
            # Good requests alone never raise the evidence from nothing.
            return Stream(self.limit, self.alpha, self.least, deff, self.n + n, self.bad, windows, begun, last)
        n, bad = self.n + n, self.bad + bad
        return Stream(
            self.limit, self.alpha, self.least, deff, n, bad, windows, begun, last,
            _log_e(self.limit, n, bad, deff, windows),
        )  # fmt: skip

    @property
    def evidence(self) -> float:
        """How far it is to tripping: 0 is nothing, 1 is there (on a logarithmic scale)."""
        return self.log_e / -log(self.alpha)

    @property
    def telling(self) -> tuple[int, int]:
        """Requests and bad requests of the window that says most: all of them, or the latest where trouble began late.

        Whoever reads that 1.6 % were bad, against a limit of 2 %, would not know why that is too much.
        """
        if self.bad > self.limit * self.n:
            return self.n, self.bad
        counts = [(self.n - before, self.bad - bad_before) for before, bad_before in self.windows]
        return max(counts, default=(self.n, self.bad), key=lambda one: _best(self.limit, one[0], one[1], self.deff))

    @property
    def tripped(self) -> bool:
        """Whether the share of bad requests is above the limit, beyond chance."""
        return self.bad >= self.least and self.log_e >= -log(self.alpha)


def _best(limit: float, n: int, bad: int, deff: float) -> float:
    """The greatest logarithm of a product over one window."""
    requests = max(n, bad) / deff
    return max(bad / deff * gain - requests * cost for gain, cost in _bets(limit))


def _log_e(limit: float, n: int, bad: int, deff: float, windows: tuple[tuple[int, int], ...]) -> float:
    """Logarithm of the weighted average over windows and odds, at least 0.

    A window without a bad request is worth less than its weight and is left out, which only lowers the evidence.
    """
    bets = _bets(limit)
    total, weight = 0.0, 0.5
    for before, bad_before in windows:
        losses = bad - bad_before
        if losses:
            # Errors may be counted a moment before their requests are.
            requests = max(n - before, losses) / deff
            lost = losses / deff
            logs = [lost * gain - requests * cost for gain, cost in bets]
            if max(logs) > _CEILING:
                logs = [min(each, _CEILING) for each in logs]
            total += weight * sum(map(exp, logs))
        weight = 0.5 / WINDOWS
    total /= len(ODDS)
    return log(total) if total > 1 else 0.0
