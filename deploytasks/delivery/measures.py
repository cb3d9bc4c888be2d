"""DORA's measures of an environment over a period, as plain data. Pure: what git knows is given."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any, NamedTuple

from ..ledger.deployment import Deployment
from . import levels
from .definitions import DEFINITIONS, FEW, SOURCE
from .failures import Failure, failures
from .spread import likely, spread

Answer = dict[str, Any]
SCHEMA = 1
WEEK = timedelta(days=7)
ENOUGH_DAYS = 28
"""Of a shorter period, how often is no habit."""
DAY = 86400.0


class Changes(NamedTuple):
    """When the commits were made that a deployment brought; ``is_all``: whether git knew all of them."""

    at: Sequence[datetime]
    is_all: bool


class Period(NamedTuple):
    """From ``since`` on and before ``until``. ``begins``: of the ledger's first event, which may be later."""

    since: datetime
    until: datetime
    begins: datetime | None = None

    @property
    def first(self) -> datetime:
        """From when on anything could have been recorded."""
        return max(self.since, self.begins) if self.begins and self.begins < self.until else self.since

    @property
    def days(self) -> float:
        """How long it is."""
        return max((self.until - self.first).total_seconds() / DAY, 0.0)

    def has(self, at: datetime | None) -> bool:
        """Whether an instant lies in it."""
        return at is not None and self.since <= at < self.until


class Lead(NamedTuple):
    """How long a commit took."""

    at: datetime
    """When it was out."""
    seconds: float


def measured(
    deployments: Sequence[Deployment], period: Period, changes: Callable[[Deployment], Changes | None]
) -> Answer:
    """All measures, with their numbers, their trend by week, and each failure.

    ``changes``: what a deployment brought; ``None`` where that was live before, or nobody knows.
    """
    settled = [one for one in deployments if period.has(one.settled)]
    tried = [one for one in deployments if period.has(one.exposed) and not one.is_open]
    failed = [one for one in failures(deployments) if period.has(one.began) and not one.deployment.is_open]
    brought = {one.deployment: changes(one) for one in settled}
    leads = _leads(settled, brought)
    return {
        "schema": SCHEMA,
        "since": period.since.isoformat(),
        "until": period.until.isoformat(),
        "counted_from": period.first.isoformat(),
        "days": round(period.days, 2),
        "deployment_frequency": _frequency(settled, period),
        "lead_time": {**_lead_time(leads), **_coverage(settled, brought)},
        "change_failure_rate": _failure_rate(tried, failed),
        "time_to_restore": _restoring(failed),
        "rework_rate": _rework(settled),
        "weeks": _weeks(settled, tried, failed, leads, period),
        "failures": [_failure(one) for one in failed],
        "definitions": {name: one._asdict() for name, one in DEFINITIONS.items()},
        "source": SOURCE,
        "levels_source": levels.LEVELS_SOURCE,
    }


def _leads(settled: Sequence[Deployment], brought: Mapping[str, Changes | None]) -> list[Lead]:
    """One for each commit. A clock that was ahead makes none negative."""
    return [
        Lead(one.settled, max(0.0, (one.settled - at).total_seconds()))
        for one in settled
        if one.settled and (found := brought[one.deployment])
        for at in found.at
    ]


def _frequency(settled: Sequence[Deployment], period: Period) -> Answer:
    per_day = len(settled) / period.days if period.days else 0.0
    times = sorted(one.settled for one in settled if one.settled)
    gaps = [(after - before).total_seconds() for before, after in pairwise(times)]
    is_few = len(settled) < FEW or period.days < ENOUGH_DAYS
    return {
        "n": len(settled),
        "per_day": round(per_day, 4),
        "per_week": round(7 * per_day, 3),
        "days_with_one": len({at.astimezone(UTC).date() for at in times}),
        "between": spread(gaps)._asdict(),
        "is_few": is_few,
        "level": "" if is_few else levels.of_frequency(per_day),
    }


def _lead_time(leads: Sequence[Lead]) -> Answer:
    found = spread([one.seconds for one in leads])
    level = "" if found.is_few or found.median is None else levels.of_lead_time(found.median)
    return {**found._asdict(), "level": level}


def _coverage(settled: Sequence[Deployment], brought: Mapping[str, Changes | None]) -> Answer:
    """Of how many deployments which commits are known."""
    known = [found for one in settled if (found := brought[one.deployment])]
    whole = sum(found.is_all for found in known)
    return {"deployments": len(known), "with_all_commits": whole, "without_commits": len(settled) - len(known)}


def _failure_rate(tried: Sequence[Deployment], failed: Sequence[Failure]) -> Answer:
    n, hits = len(tried), len(failed)
    between = likely(hits, n)
    taken = [one for one in failed if one.how == "taken back"]
    return {
        "n": n,
        "failed": hits,
        "rate": hits / n if n else None,
        "likely": list(between) if between else None,
        "rolled_back": sum(one.how == "rolled back" for one in failed),
        "taken_back": len(taken),
        "taken_back_at_most": max((one.deployment.most for one in taken), default=None),
        "hotfix_followed": sum(one.how == "hotfix followed" for one in failed),
        "automatic": sum(one.is_automatic for one in failed),
        "is_few": n < FEW,
    }


def _restoring(failed: Sequence[Failure]) -> Answer:
    found = spread([one.seconds for one in failed if one.seconds is not None])
    level = "" if found.is_few or found.median is None else levels.of_restoring(found.median)
    return {**found._asdict(), "open": sum(one.restored is None for one in failed), "level": level}


def _rework(settled: Sequence[Deployment]) -> Answer:
    n, hotfixes = len(settled), sum(one.hotfix for one in settled)
    return {"n": n, "hotfixes": hotfixes, "rate": hotfixes / n if n else None, "is_few": n < FEW}


def _failure(one: Failure) -> Answer:
    of = one.deployment
    return {
        "deployment": of.deployment,
        "version": of.version,
        "how": one.how,
        "began": one.began.isoformat(),
        "restored": one.restored.isoformat() if one.restored else None,
        "seconds": one.seconds,
        "most_percent": of.most,
        "automatic": one.is_automatic,
        "why": next((back.why for back in of.backs), ""),
    }


# -- by week ---------------------------------------------------------------------------------------------


def _weeks(
    settled: Sequence[Deployment],
    tried: Sequence[Deployment],
    failed: Sequence[Failure],
    leads: Sequence[Lead],
    period: Period,
) -> list[Answer]:
    """Weeks of seven days that end with the period; the first may be shorter."""
    weeks: list[Answer] = []
    until = period.until
    while until > period.since and len(weeks) < 520:
        week = Period(max(period.since, until - WEEK), until)
        mine = [one for one in failed if week.has(one.began)]
        weeks.append(
            {
                "since": week.since.isoformat(),
                "until": week.until.isoformat(),
                "is_whole": until - week.since == WEEK and (period.begins is None or period.begins <= week.since),
                "deployments": sum(week.has(one.settled) for one in settled),
                "tried": sum(week.has(one.exposed) for one in tried),
                "failed": len(mine),
                "lead_time": spread([one.seconds for one in leads if week.has(one.at)]).median,
                "time_to_restore": spread([one.seconds for one in mine if one.seconds is not None]).median,
            }
        )
        until = week.since
    return weeks[::-1]
