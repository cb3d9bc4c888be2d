"""What came of something that was asked of a running deployment, in one line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..paint import Paint
from .reading import word


def controlled(answer: Mapping[str, Any], paint: Paint) -> list[str]:
    """What it does now, and which deployment that is."""
    what = " ".join(filter(None, (word(answer, "version"), "in", word(answer, "environment"))))
    mark = paint.mark("ok" if answer.get("obeyed") else "fail")
    return [f"{mark} {what}: {word(answer, 'said')} ({word(answer, 'deployment')})"]
