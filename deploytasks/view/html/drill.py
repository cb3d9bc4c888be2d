"""How a drill went, as a page: each death and what came of it, or the times of a rollback."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ... import redaction
from .page import rendered


def page(answer: Mapping[str, Any]) -> str:
    """The answer of ``operations.drilling`` as one file of HTML."""
    return rendered("drill.html", answer=redaction.clean(answer))
