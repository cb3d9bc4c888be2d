"""Reading what may be missing or of another kind: events outlive the code that wrote them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from ..ports import Color, Json

Facts = Mapping[str, Json]


def text(facts: Facts, name: str) -> str:
    """A text, or the empty one."""
    found = facts.get(name)
    return found if isinstance(found, str) else ""


def whole(facts: Facts, name: str) -> int:
    """A whole number, or 0."""
    found = facts.get(name)
    return found if isinstance(found, int) and not isinstance(found, bool) else 0


def number(facts: Facts, name: str) -> float:
    """A number, or 0."""
    found = facts.get(name)
    return float(found) if isinstance(found, int | float) and not isinstance(found, bool) else 0.0


def truth(facts: Facts, name: str) -> bool:
    """Whether it is there and ``true``."""
    return facts.get(name) is True


def color(facts: Facts, name: str) -> Color | None:
    """A color, or ``None``."""
    found = facts.get(name)
    return "blue" if found == "blue" else "green" if found == "green" else None


def instant(facts: Facts, name: str) -> datetime | None:
    """An aware instant from its ISO 8601 text, or ``None``."""
    try:
        found = datetime.fromisoformat(text(facts, name))
    except ValueError:
        return None
    return None if found.tzinfo is None else found


def part(facts: Facts, name: str) -> Facts:
    """An object inside, or an empty one."""
    found = facts.get(name)
    return found if isinstance(found, Mapping) else {}


def parts(facts: Facts, name: str) -> Sequence[Facts]:
    """The objects in a list inside; none, if there is no such list."""
    found = facts.get(name)
    items = found if isinstance(found, Sequence) and not isinstance(found, str) else ()
    return [item for item in items if isinstance(item, Mapping)]


def lists(facts: Facts, name: str) -> Sequence[Sequence[Json]]:
    """The lists in a list inside; none, if there is no such list."""
    found = facts.get(name)
    items = found if isinstance(found, Sequence) and not isinstance(found, str) else ()
    return [item for item in items if isinstance(item, Sequence) and not isinstance(item, str)]


def texts(facts: Facts, name: str) -> Sequence[str]:
    """The texts in a list inside; none, if there is no such list."""
    found = facts.get(name)
    items = found if isinstance(found, Sequence) and not isinstance(found, str) else ()
    return [item for item in items if isinstance(item, str)]
