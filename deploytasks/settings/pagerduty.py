"""PagerDuty: its open incidents as alerts, and deployments as events."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field

from ..bulletins import Severity
from .saas_access import SaasAccess, SafeUrl
from .web_access import VariableName

ServiceId = Annotated[str, Field(pattern=r"^[A-Z0-9]{4,32}$")]
Urgency = Literal["high", "low"]
Opening = Literal["taken-back", "switch-fired", "gave-up", "failed", "interrupted", "stopped", "rolled-back"]
"""What may open an incident, beside a way back that failed, which always does."""


def _several(given: Any) -> Any:
    return (given,) if isinstance(given, str) else given


class PagerDutyAlertSettings(SaasAccess):
    """``alerts: {kind: pagerduty, services: PIJ90N7}``."""

    means: ClassVar[dict[str, str]] = {
        "within": "For all that one look asks; less than `deadman.grace`.",
    }

    kind: Literal["pagerduty"] = "pagerduty"
    services: Annotated[tuple[ServiceId, ...], BeforeValidator(_several), Field(min_length=1)]
    """The ids of this application's services, one alone or a list: ``PIJ90N7``, the last part of the address of its
    page."""
    token_from: VariableName = "PAGERDUTY_API_TOKEN"  # noqa: S105  the name of a variable
    """The name of the environment variable that holds a key of the REST API; one that may only read is enough."""
    url: SafeUrl = "https://api.pagerduty.com"
    """The base URL of the REST API; in the EU ``https://api.eu.pagerduty.com``."""
    critical: Annotated[tuple[Urgency, ...], Field(min_length=1)] = ("high",)
    """The urgency of incidents that take a release back; the others warn. An incident that has none is critical."""


class PagerDutySettings(SaasAccess):
    """``messages: {kind: pagerduty}``."""

    means: ClassVar[dict[str, str]] = {
        "within": "For one message; at most 30 s.",
    }

    kind: Literal["pagerduty"] = "pagerduty"
    routing_key_from: VariableName = "PAGERDUTY_ROUTING_KEY"
    """The name of the environment variable that holds the integration key of an integration "Events API v2"."""
    url: SafeUrl = "https://events.pagerduty.com"
    """The base URL of the Events API; in the EU ``https://events.eu.pagerduty.com``."""
    severity: Severity = "warning"
    """The least severity that opens an incident: ``error`` leaves out environments that are not protected."""
    opens: tuple[Opening, ...] = ("taken-back", "switch-fired")
    """What opens an incident, beside a way back that failed, which always does: also ``gave-up``, ``failed``,
    ``interrupted``, ``stopped``, ``rolled-back``."""
    rolled_back: Literal["critical", "error", "warning", "info"] | None = None
    """How severe these are: ``critical``, ``error``, ``warning`` or ``info``; by default ``error`` where it is
    protected, and ``warning`` elsewhere."""
    changes: bool = True
    """Whether deployments and rollbacks are sent as change events."""
