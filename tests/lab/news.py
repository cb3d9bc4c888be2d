"""Bulletins as a deployment makes them, for whoever is told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from deploytasks.bulletins import Bulletin, Change, Severity

NOW = datetime(2026, 11, 23, 10, 15, tzinfo=UTC)
DEPLOYMENT = "20261123-101500-ab12cd"
NOTES = """\
### Added

- Search by **author** and year, [#412](https://github.com/octo/library/pull/412).
- `GET /api/books?since=…` for mirrors.

### Fixed

- Loans that end on a holiday are prolonged & reminders say so.
"""
NUMBERS = (
    ("errors", "8 of 36 requests (22.2 %), limit 2 %"),
    ("baseline", "3 of 1 214 requests (0.2 %)"),
    ("P99", "412 ms, limit 2 000 ms"),
)
LINKS = {
    "Run in CI": "https://github.com/octo/library/actions/runs/11223344",
    "Errors in Sentry": "https://octo.sentry.io/issues/?query=release%3Alibrary%401.4.1&statsPeriod=1h",
}


def bulletin(change: Change, severity: Severity = "info", number: int = 1, **said: Any) -> Bulletin:
    """One about the deployment of 1.4.1; ``said`` goes before what is common to all. ``minutes``: after it began."""
    minutes = said.pop("minutes", 0)
    common: dict[str, Any] = {
        "headline": f"library 1.4.1 in production: {change}",
        "protected": True,
        "deployment": DEPLOYMENT,
        "task": "deploy",
        "version": "1.4.1",
        "previous": "1.4.0",
        "commit": "4f2a9c1d7b3e",
        "color": "green",
        "who": "ann@desk",
        "approvals": "bob, carol (senior team)",
        "notes": NOTES,
        "links": LINKS,
        "began": NOW,
    }
    at = NOW + timedelta(minutes=minutes)
    return Bulletin(
        number, at, change, severity, **{"application": "library", "environment": "production", **common, **said}
    )


def _moves() -> list[Bulletin]:
    return [
        bulletin("started", number=3, headline="library 1.4.1 is being deployed to production", split="blue 100 %"),
        bulletin(
            "shifted", "detail", 9, minutes=2, split="blue 90 % / green 10 %",
            headline="library 1.4.1 has 10 % of the traffic in production",
        ),
        bulletin(
            "held", "warning", 12, minutes=7, split="blue 90 % / green 10 %",
            headline="library 1.4.1 in production is held at 10 %",
            why="9 requests are too few to judge by: 30 are needed",
            numbers=(("errors", "0 of 9 requests, too few to judge"),),
        ),
    ]  # fmt: skip


def taken_back() -> list[Bulletin]:
    """It begins, is held, goes on, and is taken back because of its errors."""
    return [
        *_moves(),
        bulletin(
            "went-on", "detail", 14, minutes=8, split="blue 90 % / green 10 %",
            headline="library 1.4.1 in production goes on at 10 %",
        ),
        bulletin(
            "taken-back", "error", 17, minutes=9, split="blue 100 %", code=4, seconds=547.0,
            headline="library 1.4.1 in production was taken back", numbers=NUMBERS,
            why="more requests fail than may: Sentry counts 22.2 % of 36 on green, and 2 % is the limit",
        ),
    ]  # fmt: skip


def finished() -> list[Bulletin]:
    """It begins, with something overridden, and ends well."""
    return [
        _moves()[0],
        bulletin(
            "overridden", "warning", 4, minutes=1, who="carol@laptop",
            headline="code.coverage was overridden for library 1.4.1 in production",
            why="two generated files were counted; mended in #413",
        ),
        bulletin(
            "finished", number=31, minutes=56, split="green 100 %", code=0, seconds=3360.0,
            headline="library 1.4.1 is live in production",
            numbers=(
                ("errors", "11 of 8 210 requests (0.1 %), limit 2 %"),
                ("P99", "388 ms, limit 2 000 ms; 376 ms before"),
            ),
        ),
    ]  # fmt: skip


def stuck() -> Bulletin:
    """A person must act now."""
    return bulletin(
        "stuck", "critical", 22, minutes=11, split="blue 90 % / green 10 %", code=8, seconds=663.0,
        headline="library 1.4.1 in production could not be taken back",
        why="the balancer at lb1:8404 did not answer when all traffic was to go back to blue",
    )  # fmt: skip


def others() -> list[Bulletin]:
    """What is told without a deployment."""
    alone: dict[str, Any] = {
        "deployment": "", "version": "", "previous": "", "commit": "", "approvals": "", "notes": "", "links": {},
    }  # fmt: skip
    return [
        bulletin(
            "maintenance-on", "warning", 40, headline="library in production is closed for maintenance",
            why="the database moves to new disks; back at 12:00", **alone,
        ),
        bulletin("maintenance-off", number=41, headline="library in production is open again", minutes=44, **alone),
        bulletin(
            "rolled-back", "error", 52, minutes=90, headline="library in production was rolled back to 1.4.0",
            who="dan@phone", why="checkout fails with saved cards", split="blue 100 %",
            **{**alone, "version": "1.4.0", "previous": "1.4.1"},
        ),
    ]  # fmt: skip
