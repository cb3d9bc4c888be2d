"""Open incidents of this application's services, through PagerDuty's REST API.

One of high urgency is a critical alert. Those that our own messages opened (``own``) are told and judge nobody: the
next deployment is what mends them. The urgency is read of each incident and not asked for, since an account may have
no such filter.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from ...errors import DeployError, Unreachable
from ...ports import Alert, Finding, NoData
from ...redaction import excerpt
from ..clocks import clock_findings
from ..headers import seconds_ahead
from .own import Own
from .service import Service, patience

if TYPE_CHECKING:
    from ...settings.pagerduty import PagerDutyAlertSettings
    from ..saas import Saas
    from ..site import Site

SUBJECT = "alerts: pagerduty"
TYPE = "application/vnd.pagerduty+json;version=2"
PAGE = 100
FARTHEST = 10_000
"""``offset`` and ``limit`` together: beyond that it refuses."""
OWN, LOW = "our own", "low"
"""The severities of incidents that only warn."""
EFFECT = "which incident is older is unsure by so much"
_LONGEST = 200
"""Characters of a title that are recorded with each reading."""


class Seen(NamedTuple):
    """The open incidents, and by how many seconds the clock there is ahead of ours."""

    alerts: Sequence[Alert]
    skew: float


class Incidents:
    """The ``Alerts`` of some services of one account."""

    def __init__(self, settings: PagerDutyAlertSettings, site: Site) -> None:
        self._settings = settings
        self._service = Service("PagerDuty", settings.url, settings, site, self._authorization)
        self._own = Own(self._service, site)
        self._known: set[str] = set()
        """Services of which we know that they are there: for another id it would say that nothing is open."""

    def firing(self) -> Sequence[Alert] | NoData:
        """What is open now, the oldest first; ``NoData`` when that cannot be known."""
        try:
            return self._seen().alerts
        except DeployError as error:
            return NoData(error.what)

    def diagnose(self) -> Sequence[Finding]:
        """Whether it answers, knows the services, what is open, and whether its clock is right."""
        try:
            alerts, skew = self._seen()
        except DeployError as error:
            return [Finding(SUBJECT, "fail", error.what, error.do)]
        return [self._told(alerts), *clock_findings(SUBJECT, skew, EFFECT)]

    def _told(self, alerts: Sequence[Alert]) -> Finding:
        services = ", ".join(self._settings.services)
        if not alerts:
            return Finding(SUBJECT, "ok", f"no incident of {services} is open")
        names = ", ".join(f"{alert.name} ({alert.severity})" for alert in alerts)
        return Finding(SUBJECT, "warn", f"open: {names}", "look after them before you deploy")

    def _authorization(self, service: Saas) -> Mapping[str, str]:
        return {"Accept": TYPE, "Authorization": f"Token token={service.secret(self._settings.token_from)}"}

    # -- asking ----------------------------------------------------------------------------------------------

    def _seen(self) -> Seen:
        until = time.monotonic() + self._settings.within
        self._look_for_services(until)
        found, skew = self._open(until)
        try:
            alerts = [self._alert(incident, until) for incident in found]
        except (KeyError, TypeError, ValueError, AttributeError):
            raise self._odd(found) from None
        return Seen(sorted(alerts, key=lambda alert: alert.since), skew)

    def _look_for_services(self, until: float) -> None:
        """Once in each process. A key that may not read services is believed."""
        for service in self._settings.services:
            if service in self._known:
                continue
            answer = self._service.ask("GET", f"/services/{service}", until, again=patience)
            if answer.status == 404:
                raise Unreachable(
                    f"PagerDuty at {self._service.url} knows no service {service}",
                    do="mend `alerts.services`: the id is the last part of the address of the service's page",
                )
            if answer.status != 403 and not 200 <= answer.status < 300:
                raise self._service.refusal(answer)
            self._known.add(service)

    def _open(self, until: float) -> tuple[list[Any], float]:
        """All pages. Without ``date_range=all`` it would look one month back, and no further."""
        found: list[Any] = []
        skew = 0.0
        for offset in range(0, FARTHEST, PAGE):
            asked = time.time()
            answer = self._service.ask("GET", "/incidents", until, query=list(self._query(offset)), again=patience)
            if not 200 <= answer.status < 300:
                raise self._service.refusal(answer)
            skew = seconds_ahead(answer.headers, (asked + time.time()) / 2)
            page = self._service.understood(answer)
            incidents = page.get("incidents") if isinstance(page, dict) else None
            if not isinstance(incidents, list) or not isinstance(page.get("more"), bool):
                raise self._odd(page)
            found += incidents
            if not page["more"]:
                return found, skew
        raise Unreachable(
            f"PagerDuty at {self._service.url} has more than {FARTHEST} open incidents of these services",
            do="resolve what is no longer true: it lists no more than that",
        )

    def _query(self, offset: int) -> Iterator[tuple[str, str]]:
        yield from (("statuses[]", status) for status in ("triggered", "acknowledged"))
        yield from (("service_ids[]", service) for service in self._settings.services)
        yield from (("date_range", "all"), ("sort_by", "incident_number:asc"))
        yield from (("limit", str(PAGE)), ("offset", str(offset)))

    # -- understanding ---------------------------------------------------------------------------------------

    def _alert(self, incident: Mapping[str, Any], until: float) -> Alert:
        since = _instant(incident["created_at"])
        address = str(incident.get("html_url") or "")
        title = excerpt(incident.get("title") or "without a title", _LONGEST)
        summary = f"{title} {address}" if address.startswith("https://") else title
        number = int(incident["incident_number"])
        return Alert(f"incident #{number}", self._severity(incident, until), since, summary)

    def _severity(self, incident: Mapping[str, Any], until: float) -> str:
        if self._own.has(incident, until):
            return OWN
        urgency = incident.get("urgency")
        return "critical" if urgency in self._settings.critical or urgency not in ("high", "low") else str(urgency)

    def _odd(self, found: Any) -> Unreachable:
        return Unreachable(
            f"PagerDuty at {self._service.url} answered with something else than incidents: {excerpt(found, 200)}",
            do="check `alerts.url`: the REST API is needed, https://api.pagerduty.com",
        )


def _instant(given: str) -> datetime:
    """When an incident was opened. It tells whole seconds: the end of one, so that an incident that follows within it
    is not taken for one that was there before."""
    found = datetime.fromisoformat(given)
    if found.tzinfo is None:
        raise ValueError("an instant without its offset from UTC")
    return found.astimezone(UTC) if found.microsecond else found.astimezone(UTC).replace(microsecond=999_999)
