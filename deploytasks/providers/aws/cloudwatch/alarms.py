"""Alarms of this service from CloudWatch, metric alarms and composite ones.

An alarm fires since its state changed last (``StateTransitionedTimestamp``): the time that AWS calls *updated* moves on
as well when only the evaluation or the reason changes, so that an alarm from before a deployment would look like a new
one. One whose actions are disabled or suppressed was silenced by somebody: it warns, and takes nothing back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from ....errors import DeployError, Unreachable
from ....ports import Alert, AlertRule, Finding, NoData
from .describing import Described, described

if TYPE_CHECKING:
    from ....settings.cloudwatch import AlarmSettings
    from ...site import Site

SUBJECT = "alerts: cloudwatch"
WARNING = "warning"
SILENCED = "silenced"
UNKNOWN = "insufficient data"
SKEW = 5.0
"""Seconds that clocks may differ without a word."""


class Alarms:
    """The ``Alerts`` of the alarms that are chosen by name or by tags."""

    def __init__(self, settings: AlarmSettings, site: Site) -> None:
        self._settings = settings
        self._site = site

    def firing(self) -> Sequence[Alert] | NoData:
        """What fires now, the oldest first. ``NoData`` also when there is no such alarm: nothing would ever fire."""
        try:
            return self._firing(self._described())
        except DeployError as error:
            return NoData(error.what)

    def alert_rules(self) -> Sequence[AlertRule]:
        """This service's alarms, with their tags where those were asked for."""
        return [AlertRule(alarm["AlarmName"], tags, broken(alarm)) for alarm, tags in self._read().alarms]

    def diagnose(self) -> Sequence[Finding]:
        """Whether there are alarms, what fires, which cannot tell, and whether the clock is right."""
        try:
            found = self._described()
            alerts = [_alert(alarm, tags, self._settings) for alarm, tags in found.alarms]
        except DeployError as error:
            return [Finding(SUBJECT, "fail", error.what, error.do)]
        findings = [_told([alert for alert in alerts if alert is not None], len(found.alarms))]
        if mute := [_name(alarm) for alarm, _ in found.alarms if not alarm.get("ActionsEnabled", True)]:
            detail = f"actions are disabled, so that they only warn: {_listed(mute)}"
            findings.append(Finding(SUBJECT, "warn", detail, "`aws cloudwatch enable-alarm-actions`"))
        if bad := [f"{_name(alarm)} ({why})" for alarm, _ in found.alarms if (why := broken(alarm))]:
            findings.append(Finding(SUBJECT, "warn", f"cannot be evaluated: {_listed(bad)}", "mend these alarms"))
        return [*findings, *_clock(found.date)]

    def _described(self) -> Described:
        """Raises ``Unreachable`` when there is none."""
        found = self._read()
        if not found.alarms:
            raise Unreachable(
                f"CloudWatch has no alarm {self._whose()}: nothing would ever fire",
                do="make one, or mend `alerts.prefix` or `alerts.tags`",
            )
        return found

    def _read(self) -> Described:
        return described(self._site, self._settings)

    def _whose(self) -> str:
        tags = ", ".join(f"{name}={value}" for name, value in self._settings.tags.items())
        prefix = self._settings.prefix
        said = [f"whose name begins with {prefix}" if prefix else "", f"with {tags}" if tags else ""]
        return " and ".join(filter(None, said))

    def _firing(self, found: Described) -> Sequence[Alert] | NoData:
        if self._settings.insufficient == "missing":
            silent = [_name(alarm) for alarm, _ in found.alarms if alarm["StateValue"] == "INSUFFICIENT_DATA"]
            if silent:
                return NoData(f"alarms have too little data to say anything: {_listed(silent)}")
        alerts = (_alert(alarm, tags, self._settings) for alarm, tags in found.alarms)
        return sorted((alert for alert in alerts if alert is not None), key=lambda alert: alert.since)


def broken(alarm: Mapping[str, Any]) -> str:
    """Why an alarm cannot be evaluated; empty when it can. Too little data alone may be a quiet night."""
    reasons = {
        "EVALUATION_ERROR": "its configuration is wrong",
        "EVALUATION_FAILURE": "CloudWatch has a problem",
        "PARTIAL_DATA": "it sees only a part of its data",
    }
    return reasons.get(alarm.get("EvaluationState", ""), "")


def severity(alarm: Mapping[str, Any], tags: Mapping[str, str], settings: AlarmSettings) -> str:
    """``critical`` unless its name or its tag says less."""
    name = _name(alarm)
    if any(fnmatchcase(name, pattern) for pattern in settings.warnings):
        return WARNING
    said = tags.get(settings.severity or "", "").strip().lower()
    if not said or said in map(str.lower, settings.critical):
        return "critical"
    return WARNING if said == "critical" else said


def _alert(alarm: Mapping[str, Any], tags: Mapping[str, str], settings: AlarmSettings) -> Alert | None:
    """``None``: it does not fire."""
    state, reason = alarm["StateValue"], str(alarm.get("StateReason", ""))
    if state == "INSUFFICIENT_DATA" and settings.insufficient == "warn":
        return Alert(_name(alarm), UNKNOWN, _since(alarm), "it has too little data to say anything")
    if state != "ALARM":
        return None
    summary = " ".join((str(alarm.get("AlarmDescription") or "") or reason).split())[:200]
    if not alarm.get("ActionsEnabled", True):
        return Alert(_name(alarm), SILENCED, _since(alarm), f"its actions are disabled: {summary}")
    if by := alarm.get("ActionsSuppressedBy"):
        return Alert(_name(alarm), SILENCED, _since(alarm), f"its actions are suppressed ({by}): {summary}")
    return Alert(_name(alarm), severity(alarm, tags, settings), _since(alarm), summary)


def _since(alarm: Mapping[str, Any]) -> datetime:
    at: datetime = alarm.get("StateTransitionedTimestamp") or alarm["StateUpdatedTimestamp"]
    return at.astimezone(UTC)


def _name(alarm: Mapping[str, Any]) -> str:
    return str(alarm["AlarmName"])


def _told(alerts: Sequence[Alert], count: int) -> Finding:
    alarms = f"{count} alarm{'s' * (count != 1)}"
    if not alerts:
        return Finding(SUBJECT, "ok", f"{alarms}, and none fires")
    names = _listed([f"{alert.name} ({alert.severity})" for alert in alerts])
    return Finding(SUBJECT, "warn", f"of {alarms}: {names}", "look after them before you deploy")


def _clock(date: str) -> list[Finding]:
    try:
        skew = parsedate_to_datetime(date).timestamp() + 0.5 - datetime.now(UTC).timestamp()
    except (TypeError, ValueError):
        return []
    if abs(skew) <= SKEW:
        return []
    way = "ahead of" if skew > 0 else "behind"
    detail = f"AWS's clock is {abs(skew):.0f} s {way} ours: whether an alarm began before us is unsure by so much"
    return [Finding(SUBJECT, "warn", detail, "let this machine keep its time by NTP")]


def _listed(names: Sequence[str], most: int = 8) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
