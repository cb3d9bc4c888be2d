"""Questions about an environment, answered as plain data: what ``--json`` prints and what people are shown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..errors import DeployError
from ..ledger.projections import happened_at
from ..ports import Event, Finding
from . import periods
from .looking import page
from .reporting import reported
from .status import notice, status
from .translating import readable

if TYPE_CHECKING:
    from ..ledger import Verification
    from ..smoke import Result
    from ..world import World

Answer = dict[str, Any]

__all__ = ["doctor", "history", "maintenance", "report", "smoke", "status", "verification"]


def _tried(ask: Any) -> Any:
    try:
        return ask()
    except (DeployError, OSError) as error:
        return {"unreadable": str(getattr(error, "what", error))}


@readable
def history(world: World, limit: int | None = None, since: str | None = None, until: str | None = None) -> Answer:
    """The deployments and other events, readings left out, newest last. ``since``, ``until``: as they were typed."""
    now = world.clock.now()
    begin, end = periods.since(since, now), periods.until(until, now)
    periods.ordered(begin, end)
    world.spool.drain(world.ledger)
    told = (event for event in world.ledger.events() if event.kind not in ("reading", "step"))
    shown = [_event(event) for event in told if periods.has(happened_at(event), begin, end)]
    return {
        "application": world.site.application,
        "environment": world.site.environment,
        "head": world.ledger.head().digest,
        "events": shown[-limit:] if limit else shown,
    }


def _event(event: Event) -> Answer:
    facts = {key: value for key, value in event.facts.items() if key != "plan"}
    return {"number": event.number, "at": event.at.isoformat(), "kind": event.kind, "who": event.who, "facts": facts}


def verification(world: World, found: Verification) -> Answer:
    """What ``--verify`` found."""
    return {
        "application": world.site.application,
        "environment": world.site.environment,
        "ok": found.ok,
        "count": found.count,
        "head": found.head,
        "problems": list(found.problems),
    }


@readable
def report(world: World, deployment: str | None) -> Answer:
    """Everything that the ledger knows about one deployment (default: the last one)."""
    return reported(world, deployment)


def smoke(address: str, results: Sequence[Result]) -> Answer:
    """The smoke checks."""
    passed = all(result.passed for result in results)
    return {"address": address, "passed": passed, "checks": [result._asdict() for result in results]}


def doctor(world: World) -> Answer:
    """What is configured, reachable, missing, and how to mend it."""
    findings: list[Finding] = []
    for section in ("traffic", "fleet", "database", "metrics", "alerts", "maintenance", "store", "deadman", "reviews"):
        findings += _diagnosed(world, section)
    findings += _unfed(world)
    findings += _told(world)
    for section in ("secrets", "aws"):  # nobody misses what is not there
        findings += _diagnosed(world, section) if getattr(world, section, None) is not None else []
    return {"environment": world.site.environment, "findings": [finding._asdict() for finding in findings]}


_MISSED = ("metrics", "deadman")
"""Without them a bad release stays, or a dead deployer's traffic does."""
_MISSED_WHERE_PROTECTED = ("alerts", "maintenance", "reviews")


def _missed(world: World, section: str) -> Sequence[Finding]:
    """A word about a section that is not there, where somebody will miss it."""
    wanted = _MISSED + (_MISSED_WHERE_PROTECTED if world.settings.protected else ())
    if section not in wanted:
        return []
    return [Finding(section, "warn", "not configured", f"add `{section}:` to the environment")]


def _told(world: World) -> Sequence[Finding]:
    """Everybody who is told what happens: whether they could be now, and what they were not told yet."""
    findings: list[Finding] = []
    for name, one in world.recipients.items():
        if isinstance(one, DeployError):
            findings.append(Finding(name, "fail", one.what, one.do))
            continue
        try:
            findings += one.diagnose()
        except (DeployError, OSError) as error:
            findings.append(Finding(name, "fail", str(getattr(error, "what", error)), getattr(error, "do", "")))
    return [*findings, *_untold(world)]


def _untold(world: World) -> Sequence[Finding]:
    from .announcing import waiting

    found = _tried(lambda: waiting(world)) if world.recipients else {}
    if "unreadable" in found:
        return []  # the store has a finding of its own
    do = f"`inv notify-deployment --flush --env {world.site.environment}`"
    waits = [(name, each) for name, each in found.items() if each["waiting"]]
    return [
        Finding(name, "warn", f"{each['waiting']} not told yet, the first of {each['since']}: {each['why']}", do)
        for name, each in waits
    ]


def _unfed(world: World) -> Sequence[Finding]:
    """Limits that roll back, and that nothing could ever exceed: nobody measures them."""
    from ..checklist.feeding import feeds

    unfed = [feed for feed in feeds(world.settings) if not feed.source and feed.limit != "alerts"]
    return [Finding(f"limits: {feed.limit}", "fail", "nothing feeds it", feed.do) for feed in unfed]


def _diagnosed(world: World, section: str) -> Sequence[Finding]:
    if section not in world.settings.sections:
        return _missed(world, section)
    try:
        found: Sequence[Finding] = getattr(world, section).diagnose()
        return found
    except (DeployError, OSError) as error:
        return [Finding(section, "fail", str(getattr(error, "what", error)), getattr(error, "do", ""))]


def maintenance(world: World) -> Answer:
    """Whether the site is closed, and what visitors read."""
    return {"environment": world.site.environment, "notice": notice(page(world))}
