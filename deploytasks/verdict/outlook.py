"""What people want to see of a rollout while it runs: a course, shown."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from ..ports import COLORS, Color, NoData, Totals
from .course import Course
from .evidence import Evidence
from .judge import BASELINE_LEAST, Verdict, milliseconds
from .ladder import NOTHING, quantile
from .rules import MEASURES, Rules


class Numbers(NamedTuple):
    """One color since the stage began: requests, errors, their share, P95 and P99 in seconds (``None``: no request).

    What a source does not give (``gives``) means nothing here, and is left out of the JSON.
    """

    requests: int
    errors: int
    rate: float
    p95: float | None
    p99: float | None
    gives: tuple[str, ...] = MEASURES


class Outlook(NamedTuple):
    """Where a rollout stands.

    ``stage`` counts from 1 (0: baseline) to ``stages``; ``percent`` is the target's share; ``seconds_left`` until the
    phase may end, ``hold_left`` and ``pause_left`` until patience does (``None``: not on hold, not paused).
    ``evidence`` says per test how near it is to rolling back: 0 nothing, 1 there. ``notes`` say what is switched off.
    ``levels`` has each reading of the database and the hosts with the limit from which it warns. Where several sources
    count users' requests, ``users`` is what the one called ``counted_by`` says, and ``more`` what the others do.
    ``paused_by`` and ``paused_why`` say who pauses it, and why. ``worse``: by who counts, from how many seconds on a
    request is slow beside the live color's.
    """

    phase: str
    stage: int
    stages: int
    percent: int
    seconds_left: float
    hold_left: float | None
    pause_left: float | None
    users: Mapping[Color, Numbers]
    probes: Mapping[Color, Numbers] | None
    evidence: Mapping[str, float]
    verdicts: tuple[Verdict, ...]
    warnings: tuple[Verdict, ...]
    notes: tuple[str, ...]
    levels: Mapping[str, tuple[float, float]] = {}
    counted_by: str = ""
    more: Mapping[str, Mapping[Color, Numbers]] = {}
    paused_by: str = ""
    paused_why: str = ""
    worse: Mapping[str, float] = {}

    def to_json(self) -> dict[str, Any]:
        """All fields by name, as JSON values; a quantile above the ladder is ``None``."""
        shown: dict[str, Any] = {
            **self._asdict(),
            "users": _shown(self.users),
            "probes": None if self.probes is None else _shown(self.probes),
            "evidence": dict(self.evidence),
            "levels": {name: list(pair) for name, pair in self.levels.items()},
        }
        for name in ("counted_by", "more", "paused_by", "paused_why", "worse"):  # only where there is something to say
            if not shown[name]:
                del shown[name]
        if self.more:
            shown["more"] = {name: _shown(numbers) for name, numbers in self.more.items()}
        return (
            shown
            | {name: [each.to_json() for each in shown[name]] for name in ("verdicts", "warnings")}
            | {"notes": list(self.notes)}
        )


def outlook(rules: Rules, course: Course, at: datetime) -> Outlook:
    """The course as people see it at ``at``."""

    def left(began: datetime | None, length: float) -> float | None:
        return None if began is None else max(0.0, length - (at - began).total_seconds())

    return Outlook(
        phase=_phase(rules, course),
        stage=course.stage + 1,
        stages=len(rules.path),
        percent=course.split.share if course.split else 0,
        seconds_left=0.0 if course.ended else max(0.0, (course.due(rules) - at).total_seconds()),
        hold_left=left(course.held, rules.hold),
        pause_left=left(course.paused, rules.pause),
        users=_numbers(course.users),
        probes=_numbers(course.probes) if course.probes else None,
        evidence=_evidence(course),
        verdicts=course.verdicts,
        warnings=course.warnings,
        notes=(*_notes(rules, course), *_unknown(course)),
        levels=_levels(rules, course),
        counted_by=course.users.name,
        more={each.source: _numbers(each) for each in course.more},
        paused_by=course.pause.who if course.pause else "",
        paused_why=course.pause.reason if course.pause else "",
        worse={
            each.name or each.source: limit for each in course.sources if (limit := each.relative_limit) is not None
        },
    )


def _phase(rules: Rules, course: Course) -> str:
    if course.ended:
        return {"Finish": "done", "TurnBack": "turned back", "Stop": "stopped"}[type(course.ended).__name__]
    state = "paused at " if course.paused else "hold at " if course.held else ""
    return state + course.title(rules)


def _numbers(source: Evidence) -> Mapping[Color, Numbers]:
    return {color: _counted(source.stage.get(color, NOTHING), source.gives) for color in COLORS}


def _counted(totals: Totals, gives: tuple[str, ...]) -> Numbers:
    rate = totals.errors / totals.requests if totals.requests else 0.0
    return Numbers(totals.requests, totals.errors, rate, quantile(totals, 0.95), quantile(totals, 0.99), gives)


def _evidence(course: Course) -> Mapping[str, float]:
    return {
        each.titled(track.name): track.stream.evidence
        for each in course.sources
        for track in each.tracks
        if not track.warns
    }


def _notes(rules: Rules, course: Course) -> tuple[str, ...]:
    if rules.home is None:
        return ("first deployment: absolute limits only",)
    if rules.worse is None:
        return ("latency is not compared with the live color: switched off",)
    if course.stage < 0:
        return ()
    timed = [each for each in course.sources if each.has("latency")]
    if not timed:
        return ("nothing says how long requests take: latency is not judged",)
    off = [each for each in timed if each.relative_limit is None]
    return tuple(
        f"latency of {each.name or each.source} is not compared: "
        f"{max(each.baseline.requests, each.concurrent.requests)} requests "
        f"to {rules.home}, {BASELINE_LEAST} are needed (absolute limit {milliseconds(rules.p99)} holds)"
        for each in off
    )


def _levels(rules: Rules, course: Course) -> Mapping[str, tuple[float, float]]:
    found, limits = course.levels, rules.warn_levels
    return {} if isinstance(found, NoData) else {name: (found[name], limits[name]) for name in limits if name in found}


def _unknown(course: Course) -> tuple[str, ...]:
    found = course.levels
    return (f"database and hosts are unknown: {found.why}",) if isinstance(found, NoData) else ()


def _shown(numbers: Mapping[Color, Numbers]) -> dict[str, dict[str, Any]]:
    def finite(value: float | None) -> float | None:
        return None if value == float("inf") else value

    def shown(each: Numbers) -> dict[str, Any]:
        errors = {"errors": each.errors, "rate": each.rate} if "errors" in each.gives else {}
        slow = {"p95": finite(each.p95), "p99": finite(each.p99)} if "latency" in each.gives else {}
        return {"requests": each.requests, **errors, **slow}

    return {color: shown(each) for color, each in numbers.items()}
