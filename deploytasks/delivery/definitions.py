"""What each measure means here, in words that are printed beside it; and what DORA calls by that name."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import NamedTuple

SOURCE = "DORA, https://dora.dev/guides/dora-metrics/"
HOTFIX_WITHIN = timedelta(hours=24)
"""How soon after a deployment a hotfix counts against it."""
FEW = 5
"""Fewer values than these are too few to say anything general; nothing is called by a level then."""
FEW_FOR_P90 = 10
"""Fewer than these have no 90th percentile worth the name."""


class Definition(NamedTuple):
    """``dora``: DORA's own words; ``here``: what is counted."""

    title: str
    dora: str
    here: str


DEFINITIONS: Mapping[str, Definition] = {
    "deployment_frequency": Definition(
        "deployment frequency",
        "the number of deployments over a given period or the time between deployments",
        "Deployments that settled: the new release had all traffic, through its bake. One that is rolled back later "
        "counts here as well. Calendar days, from the first event of the ledger if that is later than the period's "
        "beginning.",
    ),
    "lead_time": Definition(
        "change lead time",
        "the amount of time it takes for a change to go from committed to version control to deployed in production",
        "From the committer's date of each commit (merges left out) that a deployment brought over the release before, "
        "until it settled. Where git here does not know both commits: of the release's own commit only. A release that "
        "was live before brings no new change.",
    ),
    "change_failure_rate": Definition(
        "change failure rate",
        "the ratio of deployments that require immediate intervention following a deployment",
        "Of all deployments that any user could meet: those rolled back after they settled; those taken back while "
        "traffic moved, because the numbers were judged bad, a step failed, or a person said so; and those that were "
        "followed by a hotfix within 24 hours. Not counted as failed: what ended before a user could meet it, what was "
        "held for want of evidence, interrupted, or taken home because its deployer died.",
    ),
    "time_to_restore": Definition(
        "failed deployment recovery time",
        "the time it takes to recover from a deployment that fails and requires immediate intervention",
        "Of each failed deployment: from the moment the first user could meet it until all traffic was home again, or "
        "until the hotfix settled. Where the way back could not complete: until the next deployment settled.",
    ),
    "rework_rate": Definition(
        "deployment rework rate",
        "the ratio of deployments that are unplanned but happen as a result of an incident in production",
        "Of all deployments that settled: those that were made as a hotfix.",
    ),
}
