"""A PagerDuty of our own: incidents by the REST API, events and change events by the Events API v2, over HTTP.

    with pagerduty() as lab:
        lab.url           # for alerts (`url`) and messages (`url`); lab.token and lab.routing_key prove who we are
        lab.open_incident("The server is on fire", urgency="high")
        lab.incidents     # all of them, also those that an event opened; lab.resolve(incident) closes one
        lab.changes       # change events
        lab.events        # trigger, acknowledge and resolve events that were taken

It refuses what PagerDuty would refuse (``lab.pagerduty_api``). That, and what a careful client would not do, stands in
``lab.broken`` as well: a test ends with ``assert [] == lab.broken``.
"""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import Any

from lab.answering import Asked, answering

HIGH = frozenset(("critical", "error"))
"""Severities of events that are of high urgency, where a service goes by that."""


@dataclass
class Alert:
    """What an event made; ``status``: ``triggered`` or ``resolved``."""

    id: str
    key: str
    severity: str
    status: str = "triggered"


@dataclass
class Incident:
    """``key``: where it has no alerts. ``urgency``: ``None`` on an account without them."""

    id: str
    number: int
    title: str
    urgency: str | None
    service: str
    at: datetime
    status: str = "triggered"
    key: str | None = None
    alerts: list[Alert] = field(default_factory=list)

    @property
    def is_open(self) -> bool:
        return self.status != "resolved"


@dataclass
class Limit:
    """What the next requests to ``path`` are answered with: ``times`` of them."""

    path: str
    status: int
    body: Any
    headers: Mapping[str, str]
    times: int


class PagerDuty:
    """One account with services, keys, incidents and changes."""

    def __init__(self) -> None:
        self.url = ""
        self.token = "u+AyB2cD3eF4gH5iJ6kL"
        self.tokens: dict[str, frozenset[str]] = {self.token: frozenset(("incidents", "services"))}
        """Keys of the REST API, and what each may read."""
        self.routing_key = "e93facc04764012d7bfb002500d5d1a6"
        self.service = "PIJ90N7"
        self.services = {self.service: "library", "PSHOP01": "shop"}
        self.keys = {self.routing_key: self.service, "R0ULESET4764012d7bfb002500d5d1a6": self.service}
        """Integration keys → the services that their events go to; those that begin with R are of rulesets."""
        self.makes_alerts = True
        """Whether services make alerts and incidents, as they do nowadays; or incidents only."""
        self.by_severity = False
        """Whether the urgency goes by an event's severity; otherwise it is high."""
        self.has_urgencies = True
        """Whether the account has that ability."""
        self.incidents: list[Incident] = []
        self.changes: list[dict[str, Any]] = []
        self.events: list[dict[str, Any]] = []
        self.limits: list[Limit] = []
        self.trouble: Callable[[Asked], Any] | None = None
        """What is answered instead of everything, where it is anything."""
        self.broken: list[str] = []
        self.asked: list[Asked] = []
        self.lock = threading.Lock()
        self.sent: dict[str, list[float]] = {}
        """When events came, by key: so many a minute are taken."""
        self._numbers = count(1234)

    # -- incidents -------------------------------------------------------------------------------------------

    def open_incident(
        self,
        title: str,
        urgency: str | None = "high",
        *,
        service: str = "",
        at: datetime | None = None,
        key: str | None = None,
    ) -> Incident:
        """Somebody, or some monitor, opens one."""
        number = next(self._numbers)
        known = urgency if self.has_urgencies else None
        made = Incident(
            f"Q{number:013}", number, title, known, service or self.service, at or datetime.now(UTC), key=key
        )
        self.incidents.append(made)
        return made

    def resolve(self, incident: Incident) -> None:
        """A person resolves it, with all of its alerts."""
        incident.status = "resolved"
        for alert in incident.alerts:
            alert.status = "resolved"

    @property
    def open(self) -> list[Incident]:
        """Those that are not resolved."""
        return [incident for incident in self.incidents if incident.is_open]

    def limit(self, path: str = "/", times: int = 1, *, reset: int | None = None, status: int = 429) -> None:
        """The next requests get no answer but that: with ``ratelimit-reset`` (seconds), or without any such header."""
        headers = {} if reset is None else {"ratelimit-limit": "960", "ratelimit-remaining": "0"}
        if reset is not None:
            headers["ratelimit-reset"] = str(reset)
        body = {"error": {"message": "Rate Limit Exceeded", "code": 2020}}
        self.limits.append(Limit(path, status, body, headers, times))

    # -- events ----------------------------------------------------------------------------------------------

    def take(self, event: Mapping[str, Any], service: str) -> None:
        """A valid event. One that acknowledges or resolves what is not open is dropped without a word."""
        self.events.append(dict(event))
        incident, alert = self._known(event.get("dedup_key"), service)
        action = event["event_action"]
        if action == "trigger" and incident is None:
            self._opened(event, service)
        elif incident is not None and action == "acknowledge":
            incident.status = "acknowledged"
        elif incident is not None and action == "resolve":
            self._resolved(incident, alert)

    def _known(self, key: str | None, service: str) -> tuple[Incident | None, Alert | None]:
        for incident in self.open:
            if incident.service != service:
                continue
            if incident.key is not None and incident.key == key:
                return incident, None
            for alert in incident.alerts:
                if alert.key == key and alert.status == "triggered":
                    return incident, alert
        return None, None

    def _opened(self, event: Mapping[str, Any], service: str) -> None:
        severity = event["payload"]["severity"]
        urgency = "high" if severity in HIGH or not self.by_severity else "low"
        made = self.open_incident(event["payload"]["summary"], urgency, service=service)
        if self.makes_alerts:
            made.alerts.append(Alert(f"A{made.id}", event["dedup_key"], severity))
        else:
            made.key = event["dedup_key"]

    def _resolved(self, incident: Incident, alert: Alert | None) -> None:
        if alert is not None:
            alert.status = "resolved"
        if all(each.status == "resolved" for each in incident.alerts):
            incident.status = "resolved"


@contextmanager
def pagerduty(*, tls: ssl.SSLContext | None = None) -> Iterator[PagerDuty]:
    """One that runs, for both APIs."""
    from lab.pagerduty_api import answer

    lab = PagerDuty()
    with answering(lambda asked: answer(lab, asked), tls) as server:
        lab.url, lab.asked = server.url, server.asked
        yield lab
