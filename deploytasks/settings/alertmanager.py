"""Alertmanager: what it says of this service."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from .prometheus import LabelName
from .web_access import BaseUrl, WebAccess


def _several(given: Any) -> Any:
    return (given,) if isinstance(given, str) else given


class AlertmanagerSettings(WebAccess):
    """``alerts: {kind: alertmanager, url: "http://127.0.0.1:9093", match: {service: library}}``."""

    kind: Literal["alertmanager"] = "alertmanager"
    url: Annotated[tuple[BaseUrl, ...], BeforeValidator(_several), Field(min_length=1)]
    """The base URL, alone or in a list; of a cluster all of them: the first that answers counts."""
    match: Annotated[Mapping[LabelName, str], Field(min_length=1)]
    """Labels that the alerts of this service have: ``{service: library}``."""
    severity: LabelName = "severity"
    """The label that says how bad it is."""
    critical: Annotated[tuple[str, ...], Field(min_length=1)] = ("critical", "page")
    """What that label says when a release must go back; anything else warns."""
    heartbeat: str | None = Field(default=None, min_length=1)
    """The name of an alert that always fires; when it does not, nothing is known."""
