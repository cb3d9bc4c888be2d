"""What `inv watch` shows of a course, one line per reading."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..ports import NoData
from ..verdict.ladder import NOTHING, quantile
from .sentences import reading as reading_line
from .wording import clock, number

if TYPE_CHECKING:
    from ..ports import Counts, Reading
    from ..verdict.course import Course
    from ..verdict.evidence import Evidence
    from ..verdict.judge import Verdict


def watched(course: Course, reading: Reading) -> str:
    """Time, numbers since the phase began, evidence, and what there is to say."""
    target = course.users.target
    outlook: dict[str, Any] = {
        "percent": course.weight,
        "users": {target: _numbers(course.users)},
        "counted_by": course.users.name,
        "more": {each.source: {target: _numbers(each)} for each in course.more},
        "probes": {target: _numbers(course.probes)} if course.probes else None,
        "evidence": {
            each.titled(track.name): track.stream.evidence
            for each in course.sources
            for track in each.tracks
            if not track.warns
        },
        "levels": {} if isinstance(reading.levels, NoData) else _over(reading.levels, course.warnings),
    }
    facts = {
        "reading": {
            "totals": _silence(reading.totals),
            "more": {name: _silence(counts) for name, counts in reading.more.items()},
            "health": {color: list(health) for color, health in reading.health.items()},
        },
        "outlook": outlook,
    }
    line = f"{clock(reading.at)}  {reading_line(facts, target)}"
    warned = [f"warned of {', '.join(verdict.metric for verdict in course.warnings)}"] if course.warnings else []
    return "; ".join([line, *warned, *(verdict.why for verdict in course.verdicts if verdict.kind != "PASS")])


def _over(levels: Mapping[str, float], warnings: Sequence[Verdict]) -> dict[str, list[float | None]]:
    """What was warned of, as it is now."""
    return {each.metric: [levels[each.metric], each.limit] for each in warnings if each.metric in levels}


def _silence(counts: Counts) -> dict[str, str]:
    return {"no_data": counts.why} if isinstance(counts, NoData) else {}


def _numbers(source: Evidence) -> dict[str, Any]:
    totals = source.stage.get(source.target, NOTHING)
    rate = totals.errors / totals.requests if totals.requests else 0.0
    errors = {"errors": totals.errors, "rate": rate} if source.has("errors") else {}
    slow = {"p99": number(quantile(totals, 0.99))} if source.has("latency") else {}
    return {"requests": totals.requests, **errors, **slow}
