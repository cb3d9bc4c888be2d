"""Questions about an environment, answered as plain data: what ``--json`` prints and what people are shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ..errors import DeployError, HostsDown
from ..ports import COLORS, Color, Event, Finding, Installed, NoData
from .checklists import recorded_checklist, signatures
from .translating import readable

if TYPE_CHECKING:
    from ..ledger import Verification
    from ..smoke import Result
    from ..world import World

Answer = dict[str, Any]


@readable
def status(world: World) -> Answer:
    """What is live and idle, the way back, the switch, the lease, the last deployments.

    Each part that cannot be read says so in its place: ``{"unreadable": why}``.
    """
    return {
        "application": world.site.application,
        "environment": world.site.environment,
        "traffic": _tried(lambda: _traffic(world)),
        "colors": {color: _tried(lambda color=color: _color(world, color)) for color in COLORS},
        "maintenance": _tried(lambda: _maintenance(world)),
        "deadman": _tried(lambda: _switch(world)),
        "lease": _tried(lambda: _lease(world)),
        "ledger": _tried(lambda: _ledger(world)),
        "levels": _tried(lambda: _levels(world)),
        "outbox": _tried(lambda: _outbox(world)),
    }


def _outbox(world: World) -> Answer:
    """What waits for whom."""
    from .announcing import waiting

    return waiting(world)


def _tried(ask: Any) -> Any:
    try:
        return ask()
    except (DeployError, OSError) as error:
        return {"unreadable": str(getattr(error, "what", error))}


def _traffic(world: World) -> Answer:
    split = world.traffic.read()
    return {**split._asdict(), "live": split.live, "address": world.traffic.address()}


def _color(world: World, color: Any) -> Answer | None:
    found, silent = _installed(world, color)
    if found is None:
        return None
    health = world.fleet.health(color) if found.runs else None
    return {
        **found._asdict(),
        "silent": list(silent),
        "healthy": bool(health and health.healthy),
        "usable": bool(health and health.is_usable),
        "detail": health.detail if health else "does not run",
        "address": world.fleet.address(color),
    }


def _installed(world: World, color: Color) -> tuple[Installed | None, Sequence[str]]:
    """What stands on the hosts that answer, and those that do not. Raises ``HostsDown`` when none does."""
    try:
        return world.fleet.installed(color), ()
    except HostsDown as error:
        rest = set(world.fleet.hosts(color)) - set(error.hosts)
        if not rest:
            raise
        return world.fleet.only(rest).installed(color), error.hosts


def _maintenance(world: World) -> Answer | None:
    notice = world.maintenance.read() if world.maintenance else None
    if notice is None:
        return None
    disagreement = getattr(world.maintenance, "disagreement", lambda: "")()  # only several can
    return {**notice._asdict(), "since": notice.since.isoformat(), "disagreement": disagreement}


def _switch(world: World) -> Answer | None:
    if world.deadman is None:
        return None
    state = world.deadman.state()
    fired = state.fired_at.isoformat() if state.fired_at else None
    return {"armed": state.armed, "fired_at": fired, "detail": state.detail}


def _lease(world: World) -> Answer | None:
    from ..ledger import holding

    found = holding(world.store, world.scope)
    if found is None:
        return None
    by = found.holder
    from ..ledger import Holder
    from ..providers.identity import identity, is_alive

    dead = found.is_dead(Holder.here(world.site.who, identity, world.site.host), is_alive)
    return {
        "dead": dead,
        "who": by.who,
        "host": by.host,
        "pid": by.pid,
        "doing": found.doing,
        "since": _text(found.since),
    }


def _ledger(world: World) -> Answer:
    world.catch_up()
    head = world.ledger.head()
    standing = head.standing
    return {
        "events": head.number,
        "head": head.digest,
        "open": None if standing.open is None else _plain(standing.open._asdict()),
        "settled": None if standing.settled is None else _plain(standing.settled._asdict()),
        "recent": [_plain(ended._asdict()) for ended in standing.recent],
    }


def _levels(world: World) -> Answer:
    """Readings of database and hosts with the limits from which they warn. A mistake under ``metrics`` shows here,
    and spoils no other part."""
    from ..rules import rollout_rules
    from ..world import World
    from .opening import reloaded

    settings = reloaded(world, "metrics")
    if "metrics" not in settings.sections:
        return {}
    found = (world if settings is world.settings else World(settings, world.site)).levels()
    if isinstance(found, NoData):
        return {"unreadable": found.why}
    if not found:
        return {}
    limits = rollout_rules(reloaded(world, "rollout"), "status", None, "blue", (100,)).warn_levels
    return {name: {"value": value, "warns_above": limits.get(name)} for name, value in found.items()}


@readable
def history(world: World, limit: int | None = None) -> Answer:
    """The deployments and other events, readings left out, newest last."""
    world.spool.drain(world.ledger)
    shown = [_event(event) for event in world.ledger.events() if event.kind not in ("reading", "step")]
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
    """Everything the ledger knows about one deployment (default: the last one)."""
    world.spool.drain(world.ledger)
    events = list(world.ledger.events())
    names = [str(e.facts["deployment"]) for e in events if e.kind == "began" and e.facts.get("deployment")]
    wanted = deployment or (names[-1] if names else None)
    own = [event for event in events if wanted and event.facts.get("deployment") == wanted]
    return {
        "application": world.site.application,
        "environment": world.site.environment,
        "deployment": wanted if own else None,
        "known": names[-20:],
        "events": [_event(event) for event in own],
        "checklist": recorded_checklist(events, own),
        "signed": signatures(events, own),
    }


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
    found = _tried(lambda: _outbox(world)) if world.recipients else {}
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
        return [Finding(section, "warn", "not configured", f"add `{section}:` to the environment if you need it")]
    try:
        found: Sequence[Finding] = getattr(world, section).diagnose()
        return found
    except (DeployError, OSError) as error:
        return [Finding(section, "fail", str(getattr(error, "what", error)), getattr(error, "do", ""))]


def _plain(fields: Mapping[str, Any]) -> Answer:
    return {name: _text(value) for name, value in fields.items()}


def _text(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def maintenance(world: World) -> Answer:
    """Whether the site is closed, and what visitors read."""
    return {"environment": world.site.environment, "notice": _maintenance(world)}
