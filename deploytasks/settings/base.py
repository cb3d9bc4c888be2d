"""What every settings value is made of: frozen, closed to unknown keys, with units that read like speech."""

from __future__ import annotations

import re
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


class Value(BaseModel):
    """A frozen settings value; an unknown key is a mistake, not a shrug.

    Its validator is built when it is first needed, and only then: parts of another value never need their own.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, defer_build=True)
    beside: ClassVar[tuple[str, ...]] = ()
    """Other parts of the environment without which this section cannot be opened."""
    means: ClassVar[dict[str, str]] = {}
    """Key → what it means here, where the sentence of a field that is inherited or shared says too little."""


def seconds(given: Any) -> Any:
    """``"90s"``, ``"5m"``, ``"24h"``, ``"250ms"``, ``"1h30m"`` or a bare number of seconds, as seconds."""
    if isinstance(given, bool):
        raise ValueError("a duration such as 90s, 5m or 24h is needed")
    if not isinstance(given, str):
        return given
    parts = re.findall(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)", given)
    if parts and not re.sub(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)|\s", "", given):
        return sum(float(number) * _SECONDS[unit] for number, unit in parts)
    try:
        return float(given)
    except ValueError:
        raise ValueError(f"{given!r} is not a duration: write 90s, 5m or 24h") from None


def fraction(given: Any) -> Any:
    """``"2%"`` or ``"2 %"`` or ``0.02``, as a fraction."""
    if isinstance(given, str):
        text = given.strip()
        try:
            return float(text[:-1]) / 100 if text.endswith("%") else float(text)
        except ValueError:
            raise ValueError(f"{given!r} is not a share: write 2% or 0.02") from None
    return given


Duration = Annotated[float, BeforeValidator(seconds)]
"""Seconds."""
Fraction = Annotated[float, BeforeValidator(fraction)]
"""0 to 1."""
Positive = Annotated[Duration, Field(gt=0, allow_inf_nan=False)]
"""Seconds, more than none."""
