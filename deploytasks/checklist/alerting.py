"""Alerts: they can be read, and the rules behind them exist and were tested."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ..errors import Unreachable
from ..ports import NoData
from ..settings.several import named, parts
from .item import Found

if TYPE_CHECKING:
    from ..ports import AlertRule
    from .subject import Subject

_SUMMARY = 120
"""Characters of what an alert says of itself."""


def no_critical_alert(of: Subject) -> Found:
    """No critical alert of this service fires before the deployment begins.

    Who overrides it accepts those that had begun by then, each by its name and since when it fires: a rollout goes on
    in spite of them, and of no other.
    """
    world = of.world
    if world.alerts is None:
        return Found("not applicable", "no alerts are configured")
    firing = world.alerts.firing()
    if isinstance(firing, NoData):
        raise Unreachable(firing.why)
    critical = [alert for alert in firing if alert.severity == "critical"]
    if not critical:
        return Found("pass", "no critical alert fires")
    told = ", ".join(
        f"{alert.name} ({alert.summary[:_SUMMARY]})" if alert.summary else alert.name for alert in critical
    )
    return Found("fail", f"firing: {told}", began=tuple((alert.name, alert.since) for alert in critical))


def alerts_answer(of: Subject) -> Found:
    """Somebody would tell us: alerts are configured, and their source answers."""
    world = of.world
    kind = ", ".join(named(parts(world.settings.sections.get("alerts")))) or "alerts"
    if world.alerts is None:
        return Found("fail", "no alerts are configured: add an `alerts:` section, such as {kind: alertmanager, …}")
    firing = world.alerts.firing()
    if isinstance(firing, NoData):
        raise Unreachable(f"{kind}: {firing.why}")
    count = len(firing)
    fires = "nothing of this service fires" if not count else f"{count} alert{'s' * (count > 1)} of this service"
    return Found("pass", f"{kind} answer{'s' * (',' not in kind)}: {fires}")


def rules_were_tested(of: Subject) -> Found:
    """There are alert rules, none is broken, and a person has seen them fire within the time that counts."""
    ports = of.world.alerts, of.world.metrics
    each = [one for port in ports for one in getattr(port, "sources", (port,))]
    ask = next((found for one in each if (found := getattr(one, "alert_rules", None))), None)
    if ask is None:
        return Found("needs a signature", f"that alert rules exist and were tested: nobody here tells. {_for(of)}")
    rules: Sequence[AlertRule] = ask()
    if not rules:
        return Found("fail", "there is no alert rule: nothing would ever fire")
    broken = [f"{rule.name} ({rule.broken})" for rule in rules if rule.broken]
    if broken:
        return Found("fail", f"{len(broken)} of {_rules(len(rules))} cannot be evaluated: {'; '.join(broken)}")
    return Found("needs a signature", f"{_rules(len(rules))}{_own(of, rules)}; that they were tested. {_for(of)}")


def tested_within(of: Subject) -> float:
    """Seconds for which a signature that they were tested counts."""
    return of.gates.alerts_tested_within


def _own(of: Subject, rules: Sequence[AlertRule]) -> str:
    """How many rules give their alerts the labels of this service. The others may get them from their series."""
    sections = parts(of.world.settings.sections.get("alerts"))
    match: Mapping[str, str] = next((found for one in sections if (found := getattr(one, "match", None))), {})
    if not match:
        return ""
    own = sum(all(rule.labels.get(name) == value for name, value in match.items()) for rule in rules)
    return f", {own} with {', '.join(f'{name}={value}' for name, value in match.items())} of their own"


def _for(of: Subject) -> str:
    return f"A signature counts for {tested_within(of) / 86400:g} days"


def _rules(count: int) -> str:
    return "1 alert rule" if count == 1 else f"{count} alert rules"
