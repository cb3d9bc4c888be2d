"""What both colors met from poll to poll: the points of the lines that the live view draws. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from ..ledger.facts import Facts, part, whole
from ..ports import COLORS, Totals
from ..verdict.ladder import LADDER, quantile, since
from .wording import number as finite

LONGEST = 240
"""Points that are kept: an hour at the usual 15 s. No screen is wider."""


class Met(NamedTuple):
    """One color over one poll: requests per second, the share of errors, P99 in seconds (``None``: no request)."""

    pace: float
    errors: float | None
    p99: float | None


class Sample(NamedTuple):
    """One poll, by color: what users met by the first source, and what our own probes did."""

    at: datetime
    users: Mapping[str, Met]
    probes: Mapping[str, Met]


def longer(
    trail: tuple[Sample, ...], before: Facts, now: Facts, at: datetime, passed: float | None
) -> tuple[Sample, ...]:
    """The trail with what is new between two readings, ``passed`` seconds apart (``None``: there was none before)."""
    if not passed or passed <= 0:
        return trail
    users, probes = (_met(part(before, name), part(now, name), passed) for name in ("totals", "probes"))
    return (*trail[-LONGEST + 1 :], Sample(at, users, probes))


def line(trail: tuple[Sample, ...], color: str, what: str) -> list[float | None]:
    """``pace``, ``errors`` or ``p99`` of a color over time: of users where some came to it, else of probes."""
    is_used = any(each.users[color].pace for each in trail if color in each.users)
    found = [(each.users if is_used else each.probes).get(color) for each in trail]
    return [None if each is None else getattr(each, what) for each in found]


def _met(before: Facts, now: Facts, passed: float) -> dict[str, Met]:
    found: dict[str, Met] = {}
    for color in COLORS:
        last, new = _totals(before.get(color)), _totals(now.get(color))
        fresh = since(new, last) if last is not None and new is not None else None
        if fresh is not None:  # else there is no data, or the counter was reset
            found[color] = _of(fresh, passed)
    return found


def _of(fresh: Totals, passed: float) -> Met:
    rate = fresh.errors / fresh.requests if fresh.requests else None
    return Met(fresh.requests / passed, rate, quantile(fresh, 0.99))


def _totals(counts: object) -> Totals | None:
    """Recorded counts of one color: requests, errors, and those slower than each edge of the ladder."""
    if not isinstance(counts, list | tuple) or len(counts) < 2:
        return None
    facts: Facts = {"requests": counts[0], "errors": counts[1]}
    rungs = counts[2] if len(counts) > 2 and isinstance(counts[2], list | tuple) else ()
    slower = {edge: int(found) for edge, count in zip(LADDER, rungs, strict=False) if (found := finite(count))}
    return Totals(whole(facts, "requests"), whole(facts, "errors"), slower)
