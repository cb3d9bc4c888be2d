"""What is known of how a deployment ended, of which its sentence is made. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ...ledger.facts import Facts, part, text
from ...ports import COLORS, other
from ..outlooks import verdicts
from ..wording import shares
from .findings import overridden, warned
from .series import Happened


class Known(NamedTuple):
    """What the sentence is made of."""

    application: str
    environment: str
    began: Facts
    ended: Facts
    """Empty while it has not ended."""
    ended_at: object
    previous: str
    """The version that was live before; empty: none, or unknown."""
    was_first: bool
    returned: Happened | None
    """The way back that took it away afterwards."""
    exposed: int
    """Percent of users' requests that it had, at most."""
    verdict: Facts
    """The one that ended the rollout."""
    warnings: int
    aside: int
    """Items of the checklist that were set aside."""
    at_work: Mapping[str, Any] | None
    is_open: bool

    @property
    def what(self) -> str:
        """``Version 1.2.3 of library``; of a task without a release its name."""
        version = text(self.began, "version")
        if version:
            return f"Version {version} of {self.application}"
        return f"`{text(self.began, 'task') or 'The task'}` of {self.application}"


def known(answer: Mapping[str, Any]) -> Known:
    """Out of the answer of ``operations.reporting``."""
    events, planned = list(answer.get("events") or ()), part(answer, "planned")
    began = next((part(event, "facts") for event in events if event["kind"] == "began"), {})
    last = [event for event in events if event["kind"] in ("began", "ended")][-1:]
    ended = part(last[0], "facts") if last and last[0]["kind"] == "ended" else {}
    split, target = shares(planned.get("split")), text(began, "color")
    return Known(
        application=str(answer.get("application")),
        environment=str(answer.get("environment")),
        began=began,
        ended=ended,
        ended_at=last[0].get("at") if ended else None,
        previous=previous(planned, target),
        was_first=split == (0, 0),
        returned=returned(answer),
        exposed=exposed(events, target),
        verdict=decisive(events),
        warnings=len(warned(events)),
        aside=len(overridden(events)),
        at_work=answer.get("at_work"),
        is_open=bool(answer.get("open")),
    )


def previous(planned: Facts, target: str) -> str:
    """The version that was live before."""
    live = other(target) if target in COLORS else ""
    return text(part(part(planned, "before"), live), "version") if live else ""


def returned(answer: Mapping[str, Any]) -> Happened | None:
    """The first way back after it went live; none, when nothing moved."""
    end = next((e["number"] for e in reversed(list(answer.get("events") or ())) if e["kind"] == "settled"), None)
    for event in answer.get("beside") or ():
        facts = part(event, "facts")
        moved = event["kind"] == "deadman-fired" or (
            event["kind"] == "rolled-back" and facts.get("from") != facts.get("to")
        )
        if moved and (end is None or event["number"] > end):
            return dict(event)
    return None


def exposed(events: Sequence[Happened], target: str) -> int:
    """Percent, at most."""
    place = COLORS.index(target) if target in COLORS else 0
    found = [split[place] for e in events if e["kind"] == "shifted" and (split := shares(e["facts"].get("split")))]
    return max(found, default=0)


def decisive(events: Sequence[Happened]) -> Facts:
    """The verdict of the reading with which the rollout was over; nothing, if there is none."""
    for event in reversed(events):
        if event["kind"] == "reading" and text(event["facts"], "move") in ("finish", "turn back", "turnback", "stop"):
            found = verdicts(part(event["facts"], "outlook"), "verdicts")
            return {**found[0], "at": event.get("at")} if found else {}
    return {}
