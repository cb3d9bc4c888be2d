"""Questions to a reading and to what it means, both as the ledger has them. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..ledger.facts import Facts, number, part, parts, text
from ..ports import COLORS
from .wording import number as finite


def requests(reading: Facts, color: str) -> float | None:
    """How many requests a reading counts on a color, since whenever the counter began."""
    counts = part(reading, "totals").get(color)
    return finite(counts[0]) if isinstance(counts, list | tuple) and counts else None


def no_data(reading: Facts) -> str:
    """Why a reading has no numbers; empty when it has."""
    return text(part(reading, "totals"), "no_data")


def streams(outlook: Facts) -> list[tuple[str, Facts]]:
    """What users met, by each source that counts them: its name, and its numbers by color. The first one is the one of
    ``totals`` in a reading; it is called ``users`` where there is no other."""
    more = part(outlook, "more")
    first = text(outlook, "counted_by") or "users"
    return [(first, part(outlook, "users")), *((name, part(more, name)) for name in more)]


def silences(reading: Facts, outlook: Facts) -> dict[str, str]:
    """Why a source of users' requests has no numbers, by the names of ``streams``; those that have some are absent."""
    more = part(reading, "more")
    found = {name: text(part(more, name), "no_data") for name in more}
    found = {text(outlook, "counted_by") or "users": no_data(reading), **found}
    return {name: why for name, why in found.items() if why}


def sick(reading: Facts) -> list[tuple[str, str]]:
    """The colors that a reading found unhealthy, each with the reason."""
    health = part(reading, "health")
    seen = [(color, found) for color in COLORS if isinstance(found := health.get(color), list | tuple)]
    return [(color, str(found[1])) for color, found in seen if len(found) > 1 and found[0] is not True]


def begins_stage(outlook: Facts) -> bool:
    """Whether a stage begins with this reading: its numbers are at zero, and its verdict tells of the one before."""
    passed = any(text(verdict, "kind") == "PASS" for verdict in verdicts(outlook, "verdicts"))
    users = part(outlook, "users")
    return passed and not any(number(part(users, color), "requests") for color in COLORS)


def is_over(outlook: Facts) -> bool:
    """Whether this reading was the last one: nothing is waited for any more."""
    return text(outlook, "phase") in ("done", "turned back", "stopped")


def evidence(outlook: Facts) -> tuple[str, float] | None:
    """The test that is nearest to rolling back, and how near: 0 nothing, 1 there."""
    tests = part(outlook, "evidence")
    found = [(name, value) for name in tests if (value := finite(tests[name])) is not None]
    return max(found, key=lambda each: each[1], default=None)


def verdicts(outlook: Facts, name: str) -> list[Mapping[str, Any]]:
    """``verdicts`` or ``warnings`` of an outlook."""
    return list(parts(outlook, name))
