"""What a rollout measured, as lines over time: from the readings that the ledger has. Pure.

What is drawn never grows with the length of a rollout. Counts only rise, so a value between two readings that are far
apart is of all requests between them: none is left out, however few points there are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from ...ledger.facts import Facts, number, part, text
from ...ports import COLORS, Color, Counts, NoData, Reading, Totals
from ...rollout import Course, Rules, advance, again, reading_from_json, start
from ...verdict.ladder import LADDER, quantile, since
from ..outlooks import evidence
from ..wording import moment

MOST = 300
"""Points of a line, at most."""
SPAN = 60.0
"""Seconds that a value is counted over, where stages take minutes."""
PROBES = "probes"
"""What requests of our own are called beside those of users."""
FOLDED = 2000
"""Readings through which the limit that follows the live color is computed; it hardly moves after so many."""

Happened = Mapping[str, Any]
"""An event as plain data: ``at``, ``kind``, ``facts``."""


class Measured(NamedTuple):
    """What users of one color met over a span: requests per second, the share of errors, P95 and P99 in seconds.
    ``None``: no request, or nobody measures it."""

    pace: float
    errors: float | None = None
    p95: float | None = None
    p99: float | None = None


class Sample(NamedTuple):
    """One moment of a rollout. ``share``: percent on the target; ``sources``: by who counts, then by color;
    ``evidence``: the nearest test and how near it is to rolling back (1: there); ``worse``: by who counts, from how
    many seconds on a request is slow beside the live color's."""

    at: datetime
    share: int
    phase: str
    sources: Mapping[str, Mapping[Color, Measured]]
    evidence: tuple[str, float] | None
    worse: Mapping[str, float]


def samples(events: Sequence[Happened], rules: Facts) -> list[Sample]:
    """At most ``MOST`` of them, in order. One that cannot be read, for another version wrote it, is left out."""
    seen = [event for event in events if event.get("kind") == "reading"]
    kept = {id(event) for event in thinned(seen, MOST)}
    read = [(event, found) for event in seen if id(event) in kept and (found := _read(event))]
    limits = _limits(events, rules, kept)
    target = text(rules, "target")
    at = [found.at.timestamp() for _, found in read]
    counted = span(rules)
    made = []
    first = 0
    for place, (event, found) in enumerate(read):
        while first + 1 < place and at[place] - at[first + 1] >= counted:
            first += 1
        outlook = part(event["facts"], "outlook")
        sources = _sources(read[first][1], found, outlook)
        share = found.split.share(target) if target in COLORS else 0
        made.append(
            Sample(found.at, share, text(outlook, "phase"), sources, evidence(outlook), limits.get(id(event), {}))
        )
    return made


def span(rules: Facts) -> float:
    """Seconds over which a value is counted: a minute; no more than a fifth of a stage, no less than two polls."""
    return max(2 * number(rules, "poll"), min(SPAN, number(rules, "watch") / 5))


def thinned(seen: Sequence[Happened], most: int) -> list[Happened]:
    """As many as ``most``, evenly: always the last, and those that moved traffic or ended the rollout."""
    if len(seen) <= most:
        return list(seen)
    told = [at for at, event in enumerate(seen) if not text(event.get("facts", {}), "move").startswith("wait")]
    places = {*told[-most // 3 :], len(seen) - 1}
    left = most - len(places)
    places |= {round(step * (len(seen) - 1) / max(1, left - 1)) for step in range(left)}
    return [seen[at] for at in sorted(places)]


def _read(event: Happened) -> Reading | None:
    try:
        return reading_from_json(event["facts"]["reading"])
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def _sources(then: Reading, now: Reading, outlook: Facts) -> Mapping[str, Mapping[Color, Measured]]:
    """By the names under which the outlook shows them."""
    passed = (now.at - then.at).total_seconds()
    first = text(outlook, "counted_by") or "users"
    before: Mapping[str, Counts] = {first: then.totals, **then.more}
    after: Mapping[str, Counts] = {first: now.totals, **now.more}
    shown = {first: part(outlook, "users"), **{name: part(part(outlook, "more"), name) for name in now.more}}
    if now.probes is not None:
        before, after = {**before, PROBES: then.probes or NoData("")}, {**after, PROBES: now.probes}
        shown[PROBES] = part(outlook, "probes")
    return {
        name: dict(_colors(before.get(name, NoData("")), counts, shown.get(name, {}), passed))
        for name, counts in after.items()
    }


def _colors(then: Counts, now: Counts, shown: Facts, passed: float) -> Iterator[tuple[Color, Measured]]:
    """Nothing of a color without numbers, or whose counter was reset."""
    if isinstance(then, NoData) or isinstance(now, NoData) or passed <= 0:
        return
    for color in COLORS:
        if color in now and (new := since(now[color], then.get(color, Totals(0, 0, {})))) is not None:
            yield color, _measured(new, part(shown, color), passed)


def _measured(new: Totals, shown: Facts, passed: float) -> Measured:
    pace = new.requests / passed
    if not new.requests:
        return Measured(pace)
    errors = new.errors / new.requests if "errors" in shown else None
    slow = [min(quantile(new, share) or 0.0, LADDER[-1]) for share in (0.95, 0.99)] if "p99" in shown else [None, None]
    return Measured(pace, errors, *slow)


def _limits(events: Sequence[Happened], rules: Facts, kept: set[int]) -> dict[int, Mapping[str, float]]:
    """The limit that follows the live color, by the reading: what the fold itself knew at that moment."""
    try:
        known = Rules.from_json(rules)
    except (KeyError, TypeError, ValueError):
        return {}
    found: dict[int, Mapping[str, float]] = {}
    last: Mapping[str, float] = {}
    folding = _fold(known, events)
    for event in (each for each in events if each.get("kind") == "reading"):
        course = next(folding, None)
        if course is not None:
            limits = {each.name or each.source: each.relative_limit for each in course.sources}
            last = {name: limit for name, limit in limits.items() if limit is not None}
        if id(event) in kept:
            found[id(event)] = last
    return found


def _fold(rules: Rules, events: Sequence[Happened]) -> Iterator[Course]:
    """The course after each reading, as far as they can be read."""
    course: Course | None = None
    count = 0
    for event in events:
        kind, at = event.get("kind"), moment(event.get("at"))
        if kind == "ended":
            course = None
        if kind == "watching again" and course and at:
            course = again(rules, course, at)
        if kind != "reading":
            continue
        reading, count = _read(event), count + 1
        if reading is None or count > FOLDED:
            return
        course, _ = advance(rules, course or start(rules, reading.at), reading)
        yield course
