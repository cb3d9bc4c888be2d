"""What `inv watch` shows of a course, one line per reading."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..ports import NoData, Totals
from ..verdict.ladder import NOTHING, quantile
from .sentences import reading as reading_line
from .wording import clock, number

if TYPE_CHECKING:
    from ..ports import Reading
    from ..verdict.course import Course
    from ..verdict.judge import Verdict


def watched(course: Course, reading: Reading) -> str:
    """Time, numbers since the phase began, evidence, and what there is to say."""
    target = course.users.target
    tracks = [(each.source, track) for each in course.sources for track in each.tracks if not track.warns]
    outlook: dict[str, Any] = {
        "percent": course.weight,
        "users": {target: _numbers(course.users.stage.get(target, NOTHING))},
        "probes": {target: _numbers(course.probes.stage.get(target, NOTHING))} if course.probes else None,
        "evidence": {
            track.name if source == "users" else f"{track.name} of probes": track.stream.evidence
            for source, track in tracks
        },
        "levels": {} if isinstance(reading.levels, NoData) else _over(reading.levels, course.warnings),
    }
    facts = {
        "reading": {
            "totals": {"no_data": reading.totals.why} if isinstance(reading.totals, NoData) else {},
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


def _numbers(totals: Totals) -> dict[str, Any]:
    rate = totals.errors / totals.requests if totals.requests else 0.0
    return {
        "requests": totals.requests,
        "errors": totals.errors,
        "rate": rate,
        "p99": number(quantile(totals, 0.99)),
    }
