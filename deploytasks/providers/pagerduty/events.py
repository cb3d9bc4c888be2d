"""Events for PagerDuty: what opens and resolves an incident, and what tells of a change. Made here, and sent."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

from ...bulletins import Bulletin
from ...errors import Undeliverable, Unreachable, UsageError
from ...redaction import clean, excerpt
from .service import Service

if TYPE_CHECKING:
    from ...settings.pagerduty import PagerDutySettings
    from ..site import Site

Level = Literal["critical", "error", "warning", "info"]
Event = Mapping[str, Any]

SUMMARY = 1024
"""Characters of a summary."""
_DETAIL = 2000
"""Characters of one detail: all of an event has to stay below 512 KB."""
_DETAILS, _LINKS = 40, 20
KEY = 32
"""Characters of an integration key."""


def trigger(bulletin: Bulletin, key: str, level: Level) -> Event:
    """Opens an incident, or says more about the one that has this key."""
    return {
        "event_action": "trigger",
        "dedup_key": key,
        "client": "deploytasks",
        **_client_url(bulletin),
        "payload": {
            **_payload(bulletin),
            "severity": level,
            "component": bulletin.application,
            "group": bulletin.environment,
            "class": "deployment",
        },
        **_links(bulletin),
    }


def resolve(key: str) -> Event:
    """Closes what has this key; nothing happens where nothing is open."""
    return {"event_action": "resolve", "dedup_key": key}


def change(bulletin: Bulletin) -> Event:
    """Tells of a change. It has no key: sent twice it is shown twice."""
    return {"payload": _payload(bulletin), **_links(bulletin)}


def _payload(bulletin: Bulletin) -> dict[str, Any]:
    told = f"{bulletin.headline}: {bulletin.why}" if bulletin.why else bulletin.headline
    return {
        "summary": _cut(told, SUMMARY) or bulletin.change,
        "source": f"{bulletin.application}/{bulletin.environment}",
        "timestamp": bulletin.at.isoformat(timespec="milliseconds"),
        "custom_details": _details(bulletin),
    }


def _details(bulletin: Bulletin) -> dict[str, str]:
    """What is known, in an order that people read it in."""
    known = {
        "what": bulletin.change,
        "version": bulletin.version,
        "previous": bulletin.previous,
        "environment": bulletin.environment,
        "who": bulletin.who,
        "why": bulletin.why,
        "traffic": bulletin.split,
        "color": bulletin.color or "",
        "task": bulletin.task,
        "deployment": bulletin.deployment,
        "commit": bulletin.commit,
        "approvals": bulletin.approvals,
        "took": "" if bulletin.seconds is None else f"{bulletin.seconds:.0f} s",
        "exit code": "" if bulletin.code is None else str(bulletin.code),
        **dict(bulletin.numbers),
    }
    return {name: _cut(value, _DETAIL) for name, value in list(known.items())[:_DETAILS] if value}


def _links(bulletin: Bulletin) -> dict[str, Any]:
    links = [{"href": url, "text": words} for words, url in bulletin.links.items() if _is_address(url)]
    return {"links": links[:_LINKS]} if links else {}


def _client_url(bulletin: Bulletin) -> dict[str, str]:
    url = bulletin.links.get("run", "")
    return {"client_url": url} if _is_address(url) else {}


def _is_address(url: str) -> bool:
    return url.startswith(("https://", "http://"))


def _cut(text: str, most: int) -> str:
    return excerpt(text, most)


class Events:
    """The Events API v2, for one integration key."""

    def __init__(self, settings: PagerDutySettings, site: Site) -> None:
        self._variable = settings.routing_key_from
        self._service = Service("PagerDuty", settings.url, settings, site)
        self._within = settings.within

    @property
    def url(self) -> str:
        return self._service.url

    def until(self, seconds: float) -> float:
        """When what is sent now has to be there, on the monotonic clock."""
        return time.monotonic() + min(seconds, self._within)

    def key(self) -> str:
        """The integration key. Raises ``UsageError`` for what cannot be one."""
        key = self._service.secret(self._variable)
        if len(key) != KEY or not key.isalnum():
            raise UsageError(
                f"PagerDuty: the value of {self._variable} is no integration key: {KEY} letters and digits are needed",
                do='take it from the service\'s integration "Events API v2"',
            )
        return key

    @property
    def takes_changes(self) -> bool:
        """Whether this key is one of a service: those of rulesets, which begin with R, take no change events."""
        return not self.key().startswith("R")

    def alert(self, event: Event, until: float) -> None:
        """Raises ``Undeliverable`` when it was refused for good, ``Unreachable`` when it has to wait."""
        self._send("/v2/enqueue", event, until)

    def change(self, event: Event, until: float) -> None:
        """Raises as ``alert`` does."""
        self._send("/v2/change/enqueue", event, until)

    def _send(self, path: str, event: Event, until: float) -> None:
        answer = self._service.ask("POST", path, until, json={"routing_key": self.key(), **event})
        if answer.status in (400, 413):
            raise Undeliverable(str(clean(self._service.refusal(answer).what)), do="see what it says about the event")
        if not 200 <= answer.status < 300:
            raise self._service.refusal(answer)
        found = self._service.understood(answer)
        if answer.status != 202 or not isinstance(found, dict) or found.get("status") != "success":
            raise Unreachable(
                f"PagerDuty at {self._service.url} did not say that it took the event: {excerpt(found, 200)}",
                do="check the URL of the Events API: https://events.pagerduty.com",
            )
