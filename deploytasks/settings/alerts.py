"""Alerts that something else writes into a file: a webhook, a cron job."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from .base import Duration, Value


class AlertFileSettings(Value):
    """``alerts: {kind: file, path: .deploy/alerts.json}``."""

    kind: Literal["file"] = "file"
    path: Annotated[str, Field(min_length=1)]
    """The file."""
    required: bool = False
    """Whether an absent file means that nothing is known (``true``) or that nothing fires (``false``)."""
    stale_after: Annotated[Duration, Field(gt=0)] | None = None
    """For a writer that rewrites the file regularly: an older file means that nothing is known."""
