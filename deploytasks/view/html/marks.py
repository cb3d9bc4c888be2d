"""The moments of a rollout that its charts show. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from ...ledger.facts import part, text
from ...ports import COLORS
from ..wording import moment, shares
from .charts import Mark
from .series import Happened

MOST = 40
"""Of them, the last ones."""


def marks(events: Sequence[Happened], target: str) -> list[Mark]:
    """Where a stage began, what people asked for, and when it was decided."""
    made: list[Mark] = []
    for event in events:
        facts, at = part(event, "facts"), moment(event.get("at"))
        kind = text(event, "kind")
        if at is None:
            continue
        if kind == "shifted" and (split := shares(facts.get("split"))):
            made.append(Mark("stage", at, f"{split[COLORS.index(target)] if target in COLORS else 0} %"))
        elif kind == "asked":
            made.append(Mark("asked", at, text(facts, "verb")))
        elif kind == "reading" and text(facts, "move") in ("finish", "turn back", "turnback", "stop"):
            made.append(Mark("good" if text(facts, "move") == "finish" else "bad", at, "verdict"))
    return made[-MOST:]


def home_at(events: Sequence[Happened]) -> datetime | None:
    """When traffic was taken home, if it was."""
    found = [event for event in events if _is_home(event)]
    return moment(found[-1].get("at")) if found else None


def _is_home(event: Happened) -> bool:
    facts = part(event, "facts")
    return (
        text(event, "kind") == "step"
        and text(facts, "step") in ("roll out", "hand over")
        and text(facts, "state") == "undone"
    )


def quiet(marks: Sequence[Mark]) -> list[Mark]:
    """The same moments; only the verdict is named a second time."""
    return [mark if mark.look in ("good", "bad") else mark._replace(label="") for mark in marks]
