"""Many deployments of one kind, summed up."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from ..verdict.judge import wilson
from .playing import Run


class Figures(NamedTuple):
    """How ``runs`` deployments ended, and what users met of them. Times in seconds, quantiles by nearest rank."""

    runs: int
    taken_back: int
    held: int
    """Taken home for want of evidence."""
    finished: int
    median: float | None
    """From when users could meet the fault until it was judged bad, of those that were."""
    p95: float | None
    requests: float
    """Median of users' requests to the new release."""
    errors: float
    """Median of those that were answered with an error."""
    errors_p95: float

    @property
    def kept_out(self) -> float:
        """The share that did not finish, 0 to 1."""
        return (self.taken_back + self.held) / self.runs

    @property
    def most_taken_back(self) -> float:
        """What the share that is judged bad is at most, 95 % sure."""
        return wilson(self.taken_back, self.runs)[1]


def figures(runs: Sequence[Run]) -> Figures:
    """The sum of them, one at least."""
    codes = [run.code for run in runs]
    took = [run.took for run in runs if run.code == 4 and run.took is not None]
    return Figures(
        runs=len(runs),
        taken_back=codes.count(4),
        held=codes.count(6),
        finished=codes.count(0),
        median=quantile(took, 0.5),
        p95=quantile(took, 0.95),
        requests=quantile([run.requests for run in runs], 0.5) or 0,
        errors=quantile([run.errors for run in runs], 0.5) or 0,
        errors_p95=quantile([run.errors for run in runs], 0.95) or 0,
    )


def typical(runs: Sequence[Run]) -> Run:
    """The one in the middle of those that ended as most did: what it is like, not the luckiest."""
    codes = [run.code for run in runs]
    most = max(dict.fromkeys(codes), key=codes.count)
    alike = sorted((run for run in runs if run.code == most), key=lambda run: (run.ended, run.errors, run.seed))
    return alike[(len(alike) - 1) // 2]


def quantile(found: Iterable[float], q: float) -> float | None:
    """The smallest value that a share ``q`` of them does not exceed; ``None`` of none."""
    ordered = sorted(found)
    return ordered[min(len(ordered) - 1, max(0, -int(-q * len(ordered) // 1) - 1))] if ordered else None
