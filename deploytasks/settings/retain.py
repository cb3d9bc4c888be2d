"""What is kept of what deployments leave behind, and for how long."""

from __future__ import annotations

import re
from typing import Annotated, Any, NamedTuple

from pydantic import AfterValidator, BeforeValidator

from .base import Value, seconds


class Limit(NamedTuple):
    """How much is kept: the ``newest`` so many, or what is younger than ``age`` seconds; one of both."""

    newest: int | None = None
    age: float | None = None


def limit(given: str) -> Limit:
    """``20`` or ``90d`` as a limit. Raises ``ValueError`` for what is neither, or nothing."""
    if re.fullmatch(r"\d+", given):
        if int(given) < 1:
            raise ValueError("at least 1 is kept; null keeps all")
        return Limit(newest=int(given))
    try:
        age = float(seconds(given))
    except ValueError:
        age = 0.0
    if not 0 < age < float("inf"):
        raise ValueError(f"{given!r} is neither a number nor a time: write 20, or 90d")
    return Limit(age=age)


def _as_text(given: Any) -> Any:
    return str(given) if isinstance(given, int) and not isinstance(given, bool) else given


def _a_limit(given: str) -> str:
    limit(given)
    return given


Keep = Annotated[str, BeforeValidator(_as_text), AfterValidator(_a_limit)]
"""``20``: so many; ``90d``: so long."""


class Retain(Value):
    """``retain: {artifacts: 20, dumps: 30d, reports: 90d}``; what is not said is kept for ever."""

    artifacts: Keep | None = None
    """Built releases on this machine; all environments of an application share them."""
    dumps: Keep | None = None
    """Copies of the database, beside ``database.keep``: a copy stays only where both keep it."""
    reports: Keep | None = None
    """What analysis and scans have said, and pages of `inv report`: ``reports`` in the environment's state folder."""
