"""What a deployment did, one after the other: its steps with their times. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from ...ledger.facts import part, text, texts
from ..sentences import sentence
from ..wording import moment, number as finite
from .series import Happened


@dataclass(frozen=True, slots=True)
class Step:
    """One step. ``begin`` and ``length``: its place between beginning and end, as percent; ``undone``: why."""

    label: str
    state: str = "not begun"
    at: datetime | None = None
    seconds: float | None = None
    undone_at: datetime | None = None
    undone: str = ""
    begin: float = 0.0
    length: float = 0.0

    @property
    def tone(self) -> str:
        """good, warn or bad; nothing for what is not begun."""
        return {"done": "good", "undone": "warn", "not undone": "bad", "failed": "bad"}.get(self.state, "")


def steps(answer: Mapping[str, Any]) -> list[Step]:
    """Those of the plan, in order, with what came of each; then those that only the events know."""
    events: Sequence[Happened] = answer.get("events") or ()
    found = {label: Step(label) for label in texts(part(answer, "planned"), "steps")}
    ended = False
    for event in events:
        facts, at = part(event, "facts"), moment(event.get("at"))
        if event["kind"] == "step" and at:
            label = text(facts, "step")
            found[label] = _next(found.get(label, Step(label)), facts, at)
        ended = event["kind"] == "ended" or (ended and event["kind"] != "began")
    if ended:
        found = {label: _broken_off(step) for label, step in found.items()}
    times = [at for event in events if (at := moment(event.get("at")))]
    return [_placed(step, times[0], times[-1]) for step in found.values()] if times else []


def _next(step: Step, facts: Mapping[str, Any], at: datetime) -> Step:
    state = text(facts, "state")
    if state == "began":
        return replace(step, state="began", at=at, undone_at=None, undone="")
    if state == "done":
        return replace(step, state="done", seconds=finite(facts.get("seconds")))
    if step.seconds is None and step.at is not None:
        step = replace(step, seconds=(at - step.at).total_seconds())
    return replace(step, state=state, undone_at=at, undone=text(facts, "why"))


def _broken_off(step: Step) -> Step:
    return replace(step, state="failed") if step.state == "began" else step


def _placed(step: Step, began: datetime, ended: datetime) -> Step:
    whole = (ended - began).total_seconds() or 1.0
    if step.at is None:
        return step
    begin = 100 * (step.at - began).total_seconds() / whole
    length = 100 * (step.seconds if step.seconds is not None else (ended - step.at).total_seconds()) / whole
    return replace(step, begin=round(min(begin, 99.5), 2), length=round(max(0.5, min(length, 100 - begin)), 2))


def happened(answer: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Everything but readings, also what others did, as sentences."""
    events = [*(answer.get("events") or ()), *(answer.get("beside") or ())]
    first = moment(events[0].get("at")) if events else None
    made = []
    for event in sorted(events, key=lambda each: (str(each.get("at")), int(each.get("number") or 0))):
        at = moment(event.get("at"))
        if event["kind"] == "reading":
            continue
        since = (at - first).total_seconds() if at and first else None
        said = sentence(str(event["kind"]), part(event, "facts"))
        made.append({**event, "since": since, "said": said})
    return made
