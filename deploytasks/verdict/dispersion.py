"""How clustered bad requests are: the factor by which their count varies more than independent ones would.

One client that retries five times makes five errors of one cause. A test that takes them for five independent
errors sees far more evidence than there is, so it divides its counts by this factor (the design effect).
"""

from __future__ import annotations

from typing import NamedTuple

BIN = 15.0
"""Seconds that one bin spans at least; shorter polls are merged."""
USUAL = 3.0
"""What is supposed before anything is known: users retry."""
WEIGHT = 2.0
"""How many bad requests' worth of belief that supposition has."""
MOST = 10.0


class Bins(NamedTuple):
    """Sums over time bins of (requests n, bad requests b); enough for the variance without keeping the bins."""

    bins: int = 0
    n: int = 0
    bad: int = 0
    n_n: int = 0
    n_bad: int = 0
    bad_bad: int = 0
    open_since: float | None = None
    open_n: int = 0
    open_bad: int = 0

    def add(self, at: float, n: int, bad: int) -> Bins:
        """Count ``bad`` of ``n`` new requests seen at ``at`` (seconds, any origin)."""
        n, bad = self.open_n + n, self.open_bad + bad
        if self.open_since is None:
            return self._replace(open_since=at)
        # A tenth of tolerance: a poll that comes a little early must not double the bin.
        if at - self.open_since < 0.9 * BIN:
            return self._replace(open_n=n, open_bad=bad)
        return Bins(
            self.bins + 1,
            self.n + n,
            self.bad + bad,
            self.n_n + n * n,
            self.n_bad + n * bad,
            self.bad_bad + bad * bad,
            at,
        )

    def cut(self) -> Bins:
        """Forget the open bin: what follows is not adjacent to it."""
        return self._replace(open_since=None, open_n=0, open_bad=0)

    def spread(self) -> tuple[float, float]:
        """Observed and, for independent requests, expected sum of squared deviations of the bad counts."""
        if self.bins < 2 or not 0 < self.bad < self.n:
            return 0.0, 0.0
        p = self.bad / self.n
        observed = self.bad_bad - 2 * p * self.n_bad + p * p * self.n_n
        return observed * self.bins / (self.bins - 1), self.n * p * (1 - p)


def dispersion(*bins: Bins, usual: float = USUAL) -> float:
    """The design effect, 1 to 10: observed over expected variance of the bad counts in these bins.

    It starts from ``usual`` and leaves it as bad requests are seen, since ten errors say little about clusters.
    """
    observed, expected = WEIGHT * usual, WEIGHT
    for each in bins:
        seen, independent = each.spread()
        observed += seen
        expected += independent
    return min(MOST, max(1.0, observed / expected))


def measured(live: Bins) -> float:
    """The design effect that the live color alone shows, 1 to 10; 1 while it has fewer than ten bad requests."""
    observed, expected = live.spread()
    return min(MOST, max(1.0, observed / expected)) if live.bad >= 10 and expected else 1.0
