"""Which open incidents were opened by our own messages about this environment.

An incident has a key of its own (``incident_key``) only where its service makes no alerts. Otherwise its alerts have
them (``alert_key``), and have to be asked for: once for each incident, until it gets another alert. It is ours when
all of its alerts that are still open are.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ...errors import DeployError
from . import keys
from .service import patience

if TYPE_CHECKING:
    from ..site import Site
    from .service import Service

MOST = 20
"""Incidents whose alerts are asked for in one look; what is beyond that is taken for somebody else's."""
_ALERTS = 100


class Own:
    """Knows our own incidents. What cannot be found out is not ours: an incident that is open counts."""

    def __init__(self, service: Service, site: Site) -> None:
        self._service = service
        self._prefix = keys.prefix(site.application, site.environment)
        self._known: dict[str, bool] = {}
        self._looked: tuple[float, int] = (0.0, 0)
        """The end of a look, and how many incidents were asked for in it."""

    def has(self, incident: Mapping[str, Any], until: float) -> bool:
        """Whether it is ours. ``until``: on the monotonic clock, of the look that this is a part of."""
        if self._is_ours(incident.get("incident_key")):
            return True
        counts = incident.get("alert_counts")
        if isinstance(counts, Mapping) and counts.get("all") == 0:
            return False
        which = json.dumps([incident["id"], counts], sort_keys=True)
        if which not in self._known:
            if not self._may_ask(until):
                return False
            found = self._asked(str(incident["id"]), until)
            if found is None:
                return False
            self._known[which] = found
        return self._known[which]

    def _may_ask(self, until: float) -> bool:
        look, count = self._looked
        self._looked = (until, count + 1 if look == until else 1)
        return self._looked[1] <= MOST

    def _asked(self, incident: str, until: float) -> bool | None:
        """``None``: it could not be found out now."""
        path = f"/incidents/{incident}/alerts"
        query = [("statuses[]", "triggered"), ("limit", str(_ALERTS))]
        try:
            found = self._service.asked("GET", path, until, query=query, again=patience)
            alerts = found["alerts"]
            return bool(alerts) and not found.get("more") and all(self._is_ours(each["alert_key"]) for each in alerts)
        except (DeployError, KeyError, TypeError, AttributeError):
            return None

    def _is_ours(self, key: object) -> bool:
        return isinstance(key, str) and key.startswith(self._prefix)
