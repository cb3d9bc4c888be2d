"""How well software is delivered, as a page: four measures, their weeks as charts, what failed, what is counted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ... import redaction
from .page import rendered
from .trends import measures, trends


def page(answer: Mapping[str, Any]) -> str:
    """The answer of ``operations.measuring`` as one file of HTML."""
    answer = redaction.clean(answer)
    return rendered("metrics.html", answer=answer, metrics=section(answer))


def section(answer: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """What the part of a page needs that is about delivery."""
    return {**answer, "told": measures(answer), "trends": trends(answer)} if answer else None
