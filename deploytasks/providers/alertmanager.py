"""Alerts of this service from Alertmanager, through its API v2.

Only those that would be told: neither silenced nor inhibited. Several of one name and severity (one per instance) are
one here, since the newest of them: a rollout is taken back by what began to fire after it began, and each reading is
recorded, so that a hundred instances must not make a hundred entries.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from .. import redaction
from ..errors import DeployError, Unreachable
from ..ports import Alert, Finding, NoData
from .clocks import clock_findings
from .headers import seconds_ahead
from .web_service import WebService

if TYPE_CHECKING:
    from ..settings.alertmanager import AlertmanagerSettings
    from .site import Site

OTHER = "other"
"""The severity of an alert that says none, or says ``critical`` where that is not configured to be critical."""


class Alertmanager:
    """The ``Alerts`` of one Alertmanager, or of the first of a cluster that answers."""

    def __init__(self, settings: AlertmanagerSettings, site: Site) -> None:
        self._settings = settings
        self._services = [WebService("Alertmanager", url, settings, site.root, site.vault) for url in settings.url]

    def firing(self) -> Sequence[Alert] | NoData:
        """What fires now; ``NoData`` when nobody answers, or when the heartbeat is not among it."""
        try:
            return self._firing()[0]
        except DeployError as error:
            return NoData(error.what)

    def diagnose(self) -> Sequence[Finding]:
        """Whether it answers, what fires, and whether its clock is right."""
        try:
            alerts, skew = self._firing()
        except DeployError as error:
            return [Finding("alerts: alertmanager", "fail", error.what, error.do)]
        findings = [self._told(alerts)]
        effect = "whether an alert began before us is unsure by so much"
        return [*findings, *clock_findings("alerts: alertmanager", skew, effect)]

    def _told(self, alerts: Sequence[Alert]) -> Finding:
        labels = ", ".join(f"{name}={value}" for name, value in self._settings.match.items())
        if not alerts:
            return Finding("alerts: alertmanager", "ok", f"nothing with {labels} fires")
        names = ", ".join(f"{alert.name} ({alert.severity})" for alert in alerts)
        return Finding("alerts: alertmanager", "warn", f"firing: {names}", "look after them before you deploy")

    def _firing(self) -> tuple[list[Alert], float]:
        """The alerts, and by how many seconds the clock there is ahead of ours. Each member of a cluster gets its
        share of the time that is left."""
        until, failed = time.monotonic() + self._settings.within, []
        for at, service in enumerate(self._services):
            left = until - time.monotonic()
            share = time.monotonic() + left / (len(self._services) - at)
            try:
                return self._ask(service, share)
            except Unreachable as error:
                failed.append(error)
        raise Unreachable("; ".join(error.what for error in failed), do=failed[0].do)

    def _ask(self, service: WebService, until: float) -> tuple[list[Alert], float]:
        asked = time.time()
        found, headers = service.get("/api/v2/alerts", self._query(self._settings.match), until)
        skew = seconds_ahead(headers, (asked + time.time()) / 2)
        alerts = _understood(service, found, self._settings)
        if self._settings.heartbeat is not None:
            beat, _ = service.get("/api/v2/alerts", self._query({"alertname": self._settings.heartbeat}), until)
            if not beat:
                raise Unreachable(
                    f"{service.name} at {service.url}: {self._settings.heartbeat} does not fire, which always should",
                    do="see whether Prometheus runs, evaluates its rules and reaches Alertmanager",
                )
        return alerts, skew

    def _query(self, match: Mapping[str, str]) -> list[tuple[str, str]]:
        state = [("active", "true"), ("silenced", "false"), ("inhibited", "false")]
        return [*state, *(("filter", f"{name}={quoted(value)}") for name, value in match.items())]


def quoted(value: str) -> str:
    """A matcher's value; these three escapes are all there are."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def _understood(service: WebService, found: Any, settings: AlertmanagerSettings) -> list[Alert]:
    """One for each name and severity, the oldest first."""
    try:
        each = sorted((_alert(entry, settings) for entry in _entries(found)), key=lambda alert: alert.since)
    except (KeyError, TypeError, ValueError, AttributeError):
        said = redaction.excerpt(found, 200)
        raise Unreachable(
            f"{service.name} at {service.url} answered with something else than alerts: {said}",
            do="check the URL: API v2 is needed, which Alertmanager has since 0.16",
        ) from None
    groups: dict[tuple[str, str], list[Alert]] = {}
    for alert in each:
        groups.setdefault((alert.name, alert.severity), []).append(alert)
    return [_one(group) for group in groups.values()]


def _entries(found: Any) -> Sequence[Any]:
    if not isinstance(found, list):
        raise TypeError("a list of alerts is needed")
    return found


def _one(group: Sequence[Alert]) -> Alert:
    newest = group[-1]
    more = f" (and {len(group) - 1} more)" if len(group) > 1 else ""
    return newest._replace(summary=f"{newest.summary}{more}".strip())


def _alert(entry: Mapping[str, Any], settings: AlertmanagerSettings) -> Alert:
    labels, notes = entry["labels"], entry.get("annotations") or {}
    said = str(labels.get(settings.severity, "")).strip().lower()
    severity = "critical" if said in map(str.lower, settings.critical) else OTHER if said in ("", "critical") else said
    since = datetime.fromisoformat(entry["startsAt"])
    if since.tzinfo is None:
        raise ValueError("an instant without its offset from UTC")
    name, summary = labels.get("alertname", "unnamed"), notes.get("summary") or notes.get("description") or ""
    return Alert(str(name), severity, since.astimezone(UTC), " ".join(str(summary).split()))
