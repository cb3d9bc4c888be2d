"""What is otherwise than it was a moment ago, as lines: for logs, and for whoever looks away."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..paint import Paint
from ..wording import clock
from .briefly import briefly, differences
from .reading import fields

Noted = Mapping[str, Mapping[str, str]]
"""Environment → label → what it said."""


def noted(answer: Mapping[str, Any]) -> Noted:
    """What of one environment, or of all of them, is worth a line when it changes."""
    several = fields(answer, "environments") or {str(answer.get("environment")): answer}
    return {name: _of(fields(each)) for name, each in several.items()}


def _of(answer: Mapping[str, Any]) -> Mapping[str, str]:
    return {**briefly(answer, Paint(False), is_timed=False), "astray": "; ".join(differences(answer))}


def changes(before: Noted, after: Noted, at: object) -> list[str]:
    """One line for each thing that changed: the time, the environment where there are several, and what it is now."""
    lines = []
    for name, labels in after.items():
        known = before.get(name, {})
        where = f"{name}  " if len(after) > 1 else ""
        for label in dict.fromkeys((*labels, *known)):
            was, now = known.get(label, ""), labels.get(label, "")
            if was != now:
                lines.append(f"{clock(at)}  {where}{label}: {now or 'nothing'}{f' (was {was})' if was and now else ''}")
    return lines
