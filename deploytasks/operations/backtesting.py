"""``inv backtest``: what the ledger remembers, judged by other rules. Reads the ledger, changes nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from .. import view
from ..errors import UsageError
from ..settings import plain
from ..settings.base import seconds
from ..simulation.recorded import Recording, recordings
from ..simulation.replaying import KNOWN, Would, compare, is_reproduced
from . import other_rules
from .opening import open_world
from .translating import readable

if TYPE_CHECKING:
    from invoke import Context

    from ..world import World
    from .other_rules import Others


def backtest(
    c: Context,
    env: str | None,
    wanted: Mapping[str, str],
    *,
    since: str | None,
    deployment: str | None,
    json: bool,
) -> None:
    """Show what recorded deployments would have become under other rules."""
    world = open_world(c, env, need=("store", "rollout"))
    name = world.settings.name
    said = plain(c.config.get("deploy", {}))["environments"][name] or {}
    others = other_rules.others(wanted, said, f"deploy.environments.{name}")
    after = since_when(since, world.clock.now())
    view.show("backtest", answer(world, others, wanted, after, deployment), json)


@readable
def answer(
    world: World, others: Others, wanted: Mapping[str, str], after: datetime | None, deployment: str | None
) -> dict[str, Any]:
    """Each deployment: what happened, what would have; and how many of which kind. Raises ``UsageError``."""
    known = recordings(world.ledger.events(_number_before(world, after)))
    found = [one for one in known if (after is None or one.began >= after) and deployment in (None, one.deployment)]
    if deployment and not found:
        raise UsageError(
            f"no rollout of a deployment {deployment!r} is recorded", do=f"`inv history --env {world.settings.name}`"
        )
    rows = [_row(one, others) for one in found]
    return {
        "application": world.site.application,
        "environment": world.site.environment,
        "since": after.isoformat() if after else None,
        "asked": dict(wanted),
        "settings": list(others.settings),
        "deployments": rows,
        "summary": summary(rows),
    }


def since_when(given: str | None, now: datetime) -> datetime | None:
    """``90d`` before now, or a day (UTC). Raises ``UsageError``."""
    if given is None:
        return None
    try:
        day = datetime.fromisoformat(given)
    except ValueError:
        return _ago(given, now)
    return day if day.tzinfo else day.replace(tzinfo=UTC)


def _ago(given: str, now: datetime) -> datetime:
    try:
        return now - timedelta(seconds=float(seconds(given)))
    except (ValueError, OverflowError):
        raise UsageError(f"--since: {given!r} is no time", do="write 90d, or 2026-09-01") from None


def _number_before(world: World, after: datetime | None) -> int:
    """The number of an event before which nothing is asked for; found by halving, since there may be many."""
    low, high = 0, world.ledger.head().number if after else 0
    while after and low < high:
        middle = (low + high + 1) // 2
        event = world.ledger.event(middle)
        if event is None or event.at >= after:
            high = middle - 1
        else:
            low = middle
    return low


def _row(one: Recording, others: Others) -> dict[str, Any]:
    """A recording and what other rules make of it; where it cannot be replayed, why."""
    reproduced = is_reproduced(one)
    why = one.unreadable or ("" if reproduced else "replayed under its own rules it ends otherwise: not compared")
    would = compare(one, others.over(one.rules)) if reproduced and one.rules is not None else None
    return {
        "deployment": one.deployment,
        "attempt": one.attempt,
        "task": one.task,
        "version": one.version,
        "began": one.began.isoformat(),
        "outcome": one.outcome,
        "code": one.code,
        "why": one.why,
        "seconds": (one.looks[-1].at - one.looks[0].at).total_seconds(),
        "regretted": one.regretted,
        "reproduced": reproduced,
        "unreadable": why,
        "would": None if would is None else _would(would),
    }


def _would(would: Would) -> dict[str, Any]:
    return {**would._asdict(), "known": would.kind in KNOWN}


def summary(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """How many would have gone how, and what users would have been spared of those that were bad."""
    judged = [row for row in rows if row["would"]]
    home = [row for row in judged if row["would"]["kind"] == "home earlier"]
    good = [row for row in home if row["code"] == 0 and not row["regretted"]]
    bad = [row for row in home if row["code"] in (4, 6) or row["regretted"]]
    kinds = [row["would"]["kind"] for row in judged]
    return {
        "rollouts": len(rows),
        "reproduced": len(judged),
        "same": kinds.count("same"),
        "bad_earlier": len(bad),
        "good_taken_home": len(good),
        "others_home": len(home) - len(bad) - len(good),
        "not_taken_home": kinds.count("goes on"),
        "another_course": len(kinds) - kinds.count("same") - kinds.count("goes on") - len(home),
        "seconds_earlier": sum(row["would"]["earlier"] for row in bad),
        "requests_spared": sum(row["would"]["requests"] for row in bad),
        "errors_spared": sum(row["would"]["errors"] for row in bad),
    }
