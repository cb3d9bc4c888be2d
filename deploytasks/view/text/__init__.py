"""Answers as text: one renderer per kind of answer, from the plain data that ``operations.answers`` makes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib import import_module
from typing import Any

from ..paint import Paint
from ..wording import cleaned, one_line

RENDERERS = {
    "validate": "checks:validate",
    "status": "status:status",
    "abreast": "abreast:abreast",
    "history": "past:history",
    "verification": "past:verification",
    "moved": "past:moved",
    "report": "report:report",
    "metrics": "metrics:metrics",
    "checklist": "checklist:checklist",
    "smoke": "checks:smoke",
    "verdicts": "judged:verdicts",
    "simulation": "simulation:simulation",
    "backtest": "backtest:backtest",
    "doctor": "checks:doctor",
    "maintenance": "checks:maintenance",
    "people": "people:people",
    "release-plan": "releases:planned",
    "released": "releases:released",
    "release-line": "releases:line",
    "release-notes": "releases:notes",
    "signed": "signing:signed",
    "approved": "signing:approved",
    "controlled": "controlled:controlled",
    "drill": "drilled:drill",
    "noted": "signing:noted",
    "notified": "told:notified",
    "to-be-told": "told:to_be_told",
}
"""Kind of answer → module and function; ``(answer, paint) -> lines``."""


def text(kind: str, answer: Mapping[str, Any], paint: Paint) -> str:
    """The answer as lines. One that has no renderer, or not the shape of its kind, is shown as it is."""
    given = cleaned(answer)
    try:
        module, _, function = RENDERERS[kind].partition(":")
        lines = getattr(import_module(f".{module}", __name__), function)(given, paint)
        return "\n".join(lines)
    except Exception as error:  # noqa: BLE001  an answer that looks odd is better than none in the middle of a chain
        shown = json.dumps(given, indent=2, default=str, ensure_ascii=False)
        return f"{kind}, as it is ({one_line(repr(error), 200)}):\n{shown}"
