"""Alerts from a file that something else keeps up to date: a webhook, a cron job.

The file has a JSON list of what fires now, empty when nothing does:

    [{"name": "db-down", "severity": "critical", "since": "2026-11-23T10:15:00+00:00", "summary": "no primary"}]

``name``, ``severity`` and ``since`` (ISO 8601 with its offset) are needed, other keys are allowed. Whoever writes it
should write beside it and rename. What cannot be understood, even in one entry, is ``NoData``: an alert that was
not read is not an alert that does not fire.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ..ports import Alert, Finding, NoData

if TYPE_CHECKING:
    from ..settings.alerts import AlertFileSettings
    from .site import Site


class AlertFile:
    """The ``Alerts`` that a file lists."""

    def __init__(self, settings: AlertFileSettings, site: Site) -> None:
        self._file = site.path(settings.path)
        self._required = settings.required
        self._stale_after = settings.stale_after

    def firing(self) -> Sequence[Alert] | NoData:
        """What fires now; ``NoData`` when the file is broken, stale, or absent though it is required."""
        try:
            age = time.time() - self._file.stat().st_mtime
            found = json.loads(self._file.read_bytes())
            alerts = [_alert(entry) for entry in _entries(found)]
        except FileNotFoundError:
            return NoData(f"{self._file} is not there") if self._required else ()
        except OSError as error:
            return NoData(f"{self._file} cannot be read: {error.strerror or error}")
        except (ValueError, RecursionError) as error:
            return NoData(f"{self._file} cannot be understood: {error}")
        if self._stale_after is not None and age > self._stale_after:
            return NoData(f"{self._file} was last written {age:.0f} s ago, more than {self._stale_after:g} s")
        return alerts

    def diagnose(self) -> Sequence[Finding]:
        """Whether the file can be read, and what it says."""
        firing = self.firing()
        if isinstance(firing, NoData):
            return [Finding("alerts", "fail", firing.why, "mend what writes this file")]
        if firing:
            names = ", ".join(alert.name for alert in firing)
            return [Finding("alerts", "warn", f"firing: {names}", "look after them before you deploy")]
        there = "nothing fires" if self._file.exists() else f"{self._file} is not there, which means: nothing fires"
        return [Finding("alerts", "ok", there)]


def _entries(found: object) -> Sequence[Any]:
    if not isinstance(found, list):
        raise ValueError("a list of alerts is needed")
    return found


def _alert(entry: Any) -> Alert:
    if not isinstance(entry, dict):
        raise ValueError(f"an alert is an object, not {entry!r}")
    texts = {key: entry.get(key) for key in ("name", "severity", "since")}
    for key, value in texts.items():
        if not isinstance(value, str) or not value.strip():
            raise ValueError(f"an alert without `{key}`: {entry!r}")
    summary = entry.get("summary") or ""
    return Alert(entry["name"], entry["severity"].strip().lower(), _instant(entry["since"]), str(summary))


def _instant(given: str) -> datetime:
    since = datetime.fromisoformat(given)
    if since.tzinfo is None:
        raise ValueError(f"`since: {given}` has no offset from UTC: write 2026-11-23T10:15:00+00:00")
    return since.astimezone(UTC)
