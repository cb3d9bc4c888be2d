"""What a PagerDuty of our own answers, and what it insists on."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from lab.answering import Asked, Raw, page

if TYPE_CHECKING:
    from lab.pagerduty import Incident, PagerDuty

ACCEPT = "application/vnd.pagerduty+json;version=2"
A_MINUTE = 120
LARGEST = 512 * 1024
SEVERITIES = ("critical", "error", "warning", "info")
MONTH = timedelta(days=30)
STAMP = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?(Z|[+-]\d\d:?\d\d)$")


def answer(lab: PagerDuty, asked: Asked) -> Any:
    """The answer to one request."""
    with lab.lock:
        if lab.trouble is not None and (found := lab.trouble(asked)) is not None:
            return found
        for limit in lab.limits:
            if asked.path.startswith(limit.path) and limit.times:
                limit.times -= 1
                return said(limit.status, limit.body, **limit.headers)
        if asked.path in ("/v2/enqueue", "/v2/change/enqueue"):
            return _event(lab, asked)
        return _rest(lab, asked)


def said(status: int, body: Any, **headers: str) -> Raw:
    return page(status, json.dumps(body), "application/json", **{k.replace("-", "_"): v for k, v in headers.items()})


# -- REST ------------------------------------------------------------------------------------------------------------


def _refused(lab: PagerDuty, status: int, message: str, *errors: str, code: int = 2001) -> Raw:
    lab.broken.append(f"{status}: {message}: {', '.join(errors)}")
    return said(status, {"error": {"message": message, "code": code, **({"errors": list(errors)} if errors else {})}})


def _rest(lab: PagerDuty, asked: Asked) -> Any:
    if asked.headers.get("accept") != ACCEPT:
        lab.broken.append(f"Accept: {asked.headers.get('accept')}")
    token = asked.headers.get("authorization", "")
    if not token.startswith("Token token="):
        return _refused(lab, 401, "Unauthorized", "Authorization: Token token=…", code=2006)
    may = lab.tokens.get(token.removeprefix("Token token="))
    if may is None:
        return _refused(lab, 401, "Unauthorized", code=2006)
    parts = asked.path.strip("/").split("/")
    if parts[0] in ("services", "incidents") and parts[0] not in may:
        return _refused(lab, 403, "Access Denied", code=2010)
    match parts:
        case ["services", service]:
            if service not in lab.services:
                return said(404, {"error": {"message": "Not Found", "code": 2100}})
            return {"service": {"id": service, "type": "service", "name": lab.services[service]}}
        case ["incidents"]:
            return _incidents(lab, asked)
        case ["incidents", which, "alerts"]:
            return _alerts(lab, asked, which)
    return said(404, {"error": {"message": "Not Found", "code": 2100}})


def _incidents(lab: PagerDuty, asked: Asked) -> Any:
    query = asked.query
    known = {
        "statuses[]", "urgencies[]", "service_ids[]", "date_range", "since", "until", "limit", "offset", "sort_by",
        "total", "incident_key", "include[]", "team_ids[]", "user_ids[]", "time_zone",
    }  # fmt: skip
    lab.broken += [f"incidents: no such parameter: {name}" for name in query.keys() - known]
    if "urgencies[]" in query and not lab.has_urgencies:
        return _refused(lab, 402, "Account does not have the abilities to perform the action", "urgencies", code=2012)
    limit, offset = int(query.get("limit", ["25"])[0]), int(query.get("offset", ["0"])[0])
    if not 1 <= limit <= 100 or offset + limit > 10_000:
        return _refused(lab, 400, "Invalid Input Provided", "offset and limit together are 10000 at most")
    found = [one for one in lab.incidents if _matches(one, query)]
    if query.get("date_range") != ["all"]:
        found = [one for one in found if one.at > datetime.now(UTC) - MONTH]
    shown = [_shown(lab, one) for one in found[offset : offset + limit]]
    return {
        "incidents": shown,
        "limit": limit,
        "offset": offset,
        "total": None,
        "more": offset + limit < len(found),
    }


def _matches(one: Incident, query: dict[str, list[str]]) -> bool:
    wanted = {"statuses[]": one.status, "urgencies[]": one.urgency, "service_ids[]": one.service}
    return all(name not in query or value in query[name] for name, value in wanted.items())


def _shown(lab: PagerDuty, one: Incident) -> dict[str, Any]:
    counts = [alert.status for alert in one.alerts]
    shown = {
        "id": one.id,
        "type": "incident",
        "summary": f"[#{one.number}] {one.title}",
        "self": f"https://api.pagerduty.com/incidents/{one.id}",
        "html_url": f"https://octo.pagerduty.com/incidents/{one.id}",
        "incident_number": one.number,
        "title": one.title,
        "created_at": f"{one.at:%Y-%m-%dT%H:%M:%SZ}",
        "status": one.status,
        "incident_key": None if one.alerts else one.key,
        "service": {"id": one.service, "type": "service_reference", "summary": lab.services.get(one.service)},
        "alert_counts": {
            "all": len(counts),
            "triggered": counts.count("triggered"),
            "resolved": counts.count("resolved"),
        },
        "priority": None,
    }
    return shown if one.urgency is None else {**shown, "urgency": one.urgency}


def _alerts(lab: PagerDuty, asked: Asked, which: str) -> Any:
    found = next((one for one in lab.incidents if one.id == which), None)
    if found is None:
        return said(404, {"error": {"message": "Incident Not Found", "code": 2100}})
    statuses = asked.query.get("statuses[]", ["triggered", "resolved"])
    alerts = [
        {"id": alert.id, "type": "alert", "status": alert.status, "alert_key": alert.key, "severity": alert.severity}
        for alert in found.alerts
        if alert.status in statuses
    ]
    return {"alerts": alerts, "limit": 100, "offset": 0, "total": None, "more": False}


# -- events ----------------------------------------------------------------------------------------------------------


def _event(lab: PagerDuty, asked: Asked) -> Any:
    try:
        event = json.loads(asked.body)
    except ValueError:
        event = None
    wrong = list(_wrong(lab, asked, event))
    if wrong:
        lab.broken += wrong
        return said(400, {"status": "invalid event", "message": "Event object is invalid", "errors": wrong})
    key = event["routing_key"]
    sent = lab.sent.setdefault(key, [])
    sent[:] = [at for at in sent if at > time.monotonic() - 60]
    if len(sent) >= A_MINUTE:
        return said(429, {"status": "throttle exceeded", "message": "Requests for this service are arriving too fast"})
    sent.append(time.monotonic())
    if asked.path == "/v2/change/enqueue":
        lab.changes.append(event)
        return said(202, {"status": "success", "message": "Change event processed", "links": []})
    event = {"dedup_key": f"made-{len(lab.events)}", **event}
    lab.take(event, lab.keys[key])
    return said(202, {"status": "success", "message": "Event processed", "dedup_key": event["dedup_key"]})


def _wrong(lab: PagerDuty, asked: Asked, event: Any) -> Iterator[str]:
    if asked.method != "POST" or not isinstance(event, dict):
        yield "an object is posted"
        return
    if len(asked.body) > LARGEST:
        yield "Event object is larger than 512 KB"
    if event.get("routing_key") not in lab.keys:
        yield "Invalid routing key"
    elif asked.path == "/v2/change/enqueue" and event["routing_key"].startswith("R"):
        yield "Change events cannot be sent to ruleset integration keys"
    if "authorization" in asked.headers:
        yield "the Events API takes no Authorization"
    payload = event.get("payload") or {}
    if asked.path == "/v2/change/enqueue":
        allowed = {"summary", "source", "timestamp", "custom_details"}
        yield from (f"'{name}' is not allowed" for name in event.keys() - {"routing_key", "payload", "links", "images"})
        yield from _wrong_payload(payload, ("summary",), allowed)
    else:
        yield from _wrong_alert(event, payload)
    for link in event.get("links", []):
        if not str(link.get("href", "")).startswith("http"):
            yield "'href' is needed in a link"


def _wrong_alert(event: dict[str, Any], payload: dict[str, Any]) -> Iterator[str]:
    known = {"routing_key", "event_action", "dedup_key", "payload", "links", "images", "client", "client_url"}
    yield from (f"'{name}' is not allowed" for name in event.keys() - known)
    action = event.get("event_action")
    if action not in ("trigger", "acknowledge", "resolve"):
        yield "'event_action' must be trigger, acknowledge or resolve"
    if action != "trigger" and not event.get("dedup_key"):
        yield "'dedup_key' is missing or blank"
    if len(event.get("dedup_key") or "") > 255:
        yield "'dedup_key' is longer than 255 characters"
    if action == "trigger":
        allowed = {
            "summary", "source", "severity", "timestamp", "component", "group", "class", "custom_details",
        }  # fmt: skip
        yield from _wrong_payload(payload, ("summary", "source", "severity"), allowed)
        if payload.get("severity") not in SEVERITIES:
            yield "'payload.severity' is invalid"


def _wrong_payload(payload: dict[str, Any], needed: tuple[str, ...], allowed: set[str]) -> Iterator[str]:
    yield from (f"'payload.{name}' is missing or blank" for name in needed if not payload.get(name))
    yield from (f"'payload.{name}' is not allowed" for name in payload.keys() - allowed)
    if len(payload.get("summary") or "") > 1024:
        yield "'payload.summary' is longer than 1024 characters"
    if "timestamp" in payload and not STAMP.match(str(payload["timestamp"])):
        yield "'payload.timestamp' is no ISO 8601 instant"
    if not isinstance(payload.get("custom_details", {}), dict):
        yield "'payload.custom_details' is no object"
