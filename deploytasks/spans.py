"""How long something takes, in words: the two largest units are enough."""

from __future__ import annotations

_UNITS = ((86400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s"))


def span(seconds: float) -> str:
    """``4 s``, ``2 min 5 s``, ``3 h 20 min``, ``3 d 4 h``; in whole seconds, none below zero."""
    whole = max(0, round(seconds))
    for size, unit, lesser, small in _UNITS:
        if whole >= size:
            rest = whole % size // lesser
            return f"{whole // size} {unit} {rest} {small}" if rest else f"{whole // size} {unit}"
    return f"{whole} s"
