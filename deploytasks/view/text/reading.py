"""Looking into answers whose parts may be missing, or unreadable (``{"unreadable": why}``)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..paint import Paint
from ..wording import MISSING, one_line


def fields(of: Any, name: str = "") -> Mapping[str, Any]:
    """The object called ``name`` in another (or the thing itself); an empty one when there is none."""
    found = of.get(name) if name and isinstance(of, Mapping) else of
    return found if isinstance(found, Mapping) else {}


def items(of: Any, name: str) -> Sequence[Mapping[str, Any]]:
    """The objects in the list called ``name``."""
    found = of.get(name) if isinstance(of, Mapping) else None
    return [each for each in found if isinstance(each, Mapping)] if isinstance(found, list | tuple) else []


def word(of: Any, name: str, missing: str = MISSING) -> str:
    """A value as one line of text."""
    found = of.get(name) if isinstance(of, Mapping) else None
    return missing if found is None or found == "" else one_line(found)


def unreadable(of: Any, paint: Paint) -> str:
    """``cannot be read: why``, or nothing when it can."""
    if isinstance(of, Mapping) and "unreadable" in of:
        return paint(f"cannot be read: {one_line(of['unreadable'])}", "bad")
    return ""


def title(*parts: str) -> str:
    """``library in development``."""
    return " in ".join(part for part in parts if part != MISSING)
