"""PagerDuty: its open incidents as alerts, and deployments as events."""

from __future__ import annotations

from typing import Annotated, Any, Literal

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

    kind: Literal["pagerduty"] = "pagerduty"
    services: Annotated[tuple[ServiceId, ...], BeforeValidator(_several), Field(min_length=1)]
    """The ids of this application's services, as in the address of their pages."""
    token_from: VariableName = "PAGERDUTY_API_TOKEN"  # noqa: S105  the name of a variable
    """The environment variable that holds a key of the REST API; one that may only read is enough."""
    url: SafeUrl = "https://api.pagerduty.com"
    """The base URL of the REST API; ``https://api.eu.pagerduty.com`` for accounts in the EU."""
    critical: Annotated[tuple[Urgency, ...], Field(min_length=1)] = ("high",)
    """The urgency of incidents that take a release back; the others warn. One that has none is critical."""


class PagerDutySettings(SaasAccess):
    """``messages: {kind: pagerduty}``."""

    kind: Literal["pagerduty"] = "pagerduty"
    routing_key_from: VariableName = "PAGERDUTY_ROUTING_KEY"
    """The environment variable that holds the integration key of an "Events API v2" integration."""
    url: SafeUrl = "https://events.pagerduty.com"
    """The base URL of the Events API; ``https://events.eu.pagerduty.com`` for accounts in the EU."""
    severity: Severity = "warning"
    """The least severity that opens an incident: ``error`` leaves out environments that are not protected."""
    opens: tuple[Opening, ...] = ("taken-back", "switch-fired")
    """What opens an incident, beside a way back that failed."""
    rolled_back: Literal["critical", "error", "warning", "info"] | None = None
    """How severe these are; ``error`` where it is protected and ``warning`` elsewhere when nothing is said. A way back
    that failed is ``critical`` everywhere."""
    changes: bool = True
    """Whether every deployment and every rollback is sent as a change event."""
