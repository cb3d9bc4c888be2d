"""Numbers, times and texts as people read them. Pure; a value that is missing reads ``–``."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from ..spans import span

MISSING = "–"
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")
"""What could move a cursor, forge a line or turn text around: never shown, whoever wrote it."""


def duration(seconds: float | None) -> str:
    """``40 ms``, ``0.3 s``, ``12 s``, ``1 min 12 s``, ``2 h 5 min``, ``3 d 4 h``."""
    if seconds is None or not math.isfinite(seconds):
        return MISSING
    if seconds < 0.0005:
        return "0 s"
    if seconds < 9.95:
        return f"{seconds:.1f} s" if seconds >= 0.095 else f"{1000 * seconds:.0f} ms"
    return span(seconds)


def seconds(given: float | None) -> str:
    """A time that is still to come, in whole seconds: ``9 s``, ``1 min 12 s``."""
    if given is None or not math.isfinite(given):
        return MISSING
    return duration(float(round(given))) if given >= 9.5 else f"{max(0, round(given))} s"


def moment(given: object) -> datetime | None:
    """An aware instant in UTC from an instant or its ISO 8601 text."""
    try:
        found = given if isinstance(given, datetime) else datetime.fromisoformat(str(given))
    except ValueError:
        return None
    return None if found.tzinfo is None else found.astimezone(UTC)


def clock(given: object) -> str:
    """``10:15:42``, in UTC."""
    found = moment(given)
    return f"{found:%H:%M:%S}" if found else "--:--:--"


def instant(given: object) -> str:
    """``2026-11-23 10:15 UTC``."""
    found = moment(given)
    return f"{found:%Y-%m-%d %H:%M} UTC" if found else MISSING


def number(given: object) -> float | None:
    """A finite number, or ``None`` for anything else."""
    if isinstance(given, bool) or not isinstance(given, int | float):
        return None
    return float(given) if math.isfinite(given) else None


def whole(given: object) -> str:
    """``1,204``."""
    found = number(given)
    return MISSING if found is None else f"{found:,.0f}"


def share(given: object) -> str:
    """A fraction as ``2 %`` or ``0.083 %``."""
    found = number(given)
    return MISSING if found is None else f"{100 * found:.3g} %"


def milliseconds(given: object) -> str:
    """Seconds as ``45 ms``; as ``0.5 ms`` below one."""
    found = number(given)
    return MISSING if found is None else f"{1000 * found:.{0 if found >= 0.001 else 1}f} ms"


def slow(numbers: Mapping[str, Any], name: str) -> str:
    """A quantile of an outlook's numbers; it is ``None`` without requests and above the ladder's end, and is not there
    when nobody times them."""
    if name not in numbers:
        return MISSING
    found = number(numbers.get(name))
    return "over 30 s" if found is None and number(numbers.get("requests")) else milliseconds(found)


def size(given: object) -> str:
    """Bytes as ``3.2 MB``."""
    found = number(given)
    if found is None:
        return MISSING
    for unit in ("B", "kB", "MB", "GB"):
        if found < 1000:
            return f"{found:.3g} {unit}"
        found /= 1000
    return f"{found:.3g} TB"


def weights(split: object) -> str:
    """A split's JSON (``[blue, green, …]`` or its fields by name) as ``blue 90 % / green 10 %``."""
    found = shares(split)
    if found is None:
        return "unknown"
    blue, green = found
    return f"blue {blue} % / green {green} %" if blue + green else "nothing exposed"


def shares(split: object) -> tuple[int, int] | None:
    """Percent on blue and green, from a split's JSON."""
    if isinstance(split, Mapping):
        split = [split.get("blue"), split.get("green")]
    if not isinstance(split, Sequence) or isinstance(split, str) or len(split) < 2:
        return None
    blue, green = number(split[0]), number(split[1])
    return None if blue is None or green is None else (int(blue), int(green))


def counted(count: int, noun: str) -> str:
    """``1 step``, ``14 steps``."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def clean(text: object) -> str:
    """The text without control characters; its lines stay."""
    return _CONTROL.sub("", str(text))


def one_line(text: object, most: int = 0) -> str:
    """All of it on one line; ``most``: characters, after which it is cut with an ellipsis."""
    flat = " ".join(clean(text).split())
    return flat if not most or len(flat) <= most else flat[: most - 1].rstrip() + "…"


def cleaned(value: Any) -> Any:
    """The same plain data, every text in it without control characters."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, Mapping):
        return {clean(key): cleaned(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [cleaned(item) for item in value]
    return value
