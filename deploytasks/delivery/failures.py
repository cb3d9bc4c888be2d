"""Which deployments failed, and when that was made good. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, NamedTuple

from ..ledger.deployment import Back, Deployment
from .definitions import HOTFIX_WITHIN

How = Literal["rolled back", "taken back", "hotfix followed"]
_OF_THE_CHANGE = ("verdict", "failure", "person")
"""Ways back during the rollout that are the release's fault, and not that of its deployer or of a lack of traffic."""


class Failure(NamedTuple):
    """A deployment that failed. ``restored`` is ``None`` while it lasts."""

    deployment: Deployment
    how: How
    began: datetime
    restored: datetime | None
    is_automatic: bool
    """Whether no person had to ask for the way back."""

    @property
    def seconds(self) -> float | None:
        """How long it took to restore."""
        return (self.restored - self.began).total_seconds() if self.restored else None


def failures(deployments: Sequence[Deployment]) -> list[Failure]:
    """Every deployment that failed, in the order in which users could meet them. See ``definitions``."""
    settled = sorted(((one.settled, one) for one in deployments if one.settled), key=lambda pair: pair[0])
    order = [one for _, one in settled]
    found = [failure for one in deployments if (failure := _failed(one, order)) is not None]
    return sorted(found, key=lambda each: (each.began, each.deployment.number))


def _failed(of: Deployment, settled: Sequence[Deployment]) -> Failure | None:
    if of.exposed is None:
        return None
    if (back := of.rolled_back) is not None:
        return Failure(of, "rolled back", of.exposed, back.at, back.is_automatic)
    if of.settled is None:
        back = _fault(of)
        return Failure(of, "taken back", of.exposed, _home(of, settled), back.is_automatic) if back else None
    fix = _hotfix_after(of, settled)
    return Failure(of, "hotfix followed", of.exposed, fix.settled, is_automatic=False) if fix else None


def _fault(of: Deployment) -> Back | None:
    return next((back for back in of.backs if back.by in _OF_THE_CHANGE), None)


def _home(of: Deployment, settled: Sequence[Deployment]) -> datetime | None:
    """When traffic was home; of a way back that could not complete, when the next deployment had settled."""
    assert of.exposed is not None  # it failed before users otherwise
    after = (one.settled for one in settled if one.settled and one.settled > of.exposed)
    return of.home or next(after, None)


def _hotfix_after(of: Deployment, settled: Sequence[Deployment]) -> Deployment | None:
    """The next deployment, if it is a hotfix and began soon enough."""
    at = settled.index(of)
    follower = settled[at + 1] if at + 1 < len(settled) else None
    if follower is None or not follower.hotfix or follower.began is None or of.settled is None:
        return None
    return follower if follower.began - of.settled <= HOTFIX_WITHIN else None
