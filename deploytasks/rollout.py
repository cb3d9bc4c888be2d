"""The rollout as a pure fold: rules, the course so far and a reading in; the course and the next move out.

No clock, no I/O: the same readings give the same course, so a resumed deployment replays what was recorded, and
simulation, live view and report are this same function. Whoever calls it makes the moves and does the waiting.

A course goes through a baseline (the live color is read, nothing is shifted), the stages, and a bake. It goes on
only on an explicit pass; what must not happen is guarded on every reading, in every phase.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

from .ports import Command, Health, NoData, Reading
from .verdict.evidence import Evidence, gather
from .verdict.judge import BASELINE_LEAST, Verdict, milliseconds, percent
from .verdict.ladder import NOTHING, quantile
from .verdict.readings import reading_from_json, reading_to_json
from .verdict.rules import Rule, Rules, adequate

__all__ = [
    "Course", "Finish", "Move", "Rule", "Rules", "Shift", "Stop", "TurnBack", "Wait",
    "adequate", "advance", "again", "reading_from_json", "reading_to_json", "start",
]  # fmt: skip

Phase = Literal["baseline", "watch", "bake"]
_GOOD_POLLS = 0.8


class Shift(NamedTuple):
    """Give the target ``percent`` of the traffic."""

    percent: int
    why: str


class Wait(NamedTuple):
    """Look again after ``seconds``."""

    seconds: float
    why: str


class Finish(NamedTuple):
    """The course is through; ``verdict`` is a PASS."""

    verdict: Verdict


class TurnBack(NamedTuple):
    """All traffic home: ``code`` 4 when the target was judged bad, 6 when there was too little to judge by."""

    verdict: Verdict
    code: Literal[4, 6]


class Stop(NamedTuple):
    """Someone else moved the traffic: touch nothing more (code 5)."""

    why: str


Move = Shift | Wait | Finish | TurnBack | Stop


class Seen(NamedTuple):
    """A split as far as a course cares: the target's share in percent, and who wrote it."""

    share: int
    writer: str | None


@dataclass(frozen=True, slots=True)
class Course:
    """How far a rollout has come. Only this module makes one; ``deploytasks.verdict.outlook`` shows it to people."""

    began: datetime
    since: datetime
    """When this phase or stage began."""
    users: Evidence
    probes: Evidence | None
    phase: Phase = "baseline"
    stage: int = -1
    """Index into ``rules.path``; -1 in the baseline."""
    split: Seen | None = None
    """The split that must be in force; ``None`` before the first reading."""
    before: Seen | None = None
    """The one before our last shift."""
    unsure: bool = False
    """After a resume: our last shift may have been decided and not made."""
    unhealthy: int = 0
    polls: int = 0
    good_polls: int = 0
    data_at: datetime | None = None
    alerts_at: datetime | None = None
    no_data: str = ""
    held: datetime | None = None
    paused: datetime | None = None
    pause: Command | None = None
    verdicts: tuple[Verdict, ...] = ()
    """What the last reading was judged: the doubts that hold, or the pass or failure."""
    warnings: tuple[Verdict, ...] = ()
    """Every warning so far, once each, in order."""
    ended: Finish | TurnBack | Stop | None = None

    @property
    def sources(self) -> tuple[Evidence, ...]:
        """What users said and, with a prober, what probes said."""
        return (self.users,) if self.probes is None else (self.users, self.probes)


def start(rules: Rules, at: datetime) -> Course:
    """The beginning of a course, before anything was read or shifted."""
    sources = 2 if rules.probes else 1
    users = gather("users", rules.target, rules.limits, sources)
    probes = gather("probes", rules.target, rules.limits, sources) if rules.probes else None
    return Course(at, at, users, probes, data_at=at, alerts_at=at)


def again(rules: Rules, course: Course, at: datetime) -> Course:
    """The course after nobody was looking: this stage is watched anew, the gap is not judged, evidence is kept."""
    course = replace(course, unsure=True, unhealthy=0, data_at=at, alerts_at=at)
    course = _each(course, lambda evidence: evidence.cut())
    return course if course.ended else _enter(course, at, course.phase, course.stage)


def advance(rules: Rules, course: Course, reading: Reading) -> tuple[Course, Move]:
    """Fold one reading into the course and say what to do now. Once ended, a course repeats its last move."""
    if course.ended:
        return course, course.ended
    course, foreign = _check_split(rules, course, reading)
    if isinstance(foreign, Stop):
        return _end(course, foreign)
    course = _obey(_take_in(rules, course, reading), reading)
    for guard in _GUARDS:
        verdict = guard(rules, course, reading)
        if verdict:
            return _end(course, TurnBack(verdict, 4 if verdict.kind == "FAIL" else 6))
    if foreign:
        return course, foreign
    if course.paused and course.pause:
        return course, Wait(rules.poll, f"paused by {course.pause.who}: {course.pause.reason}")
    return _go_on(rules, course, reading)


# --- taking a reading in --------------------------------------------------------------------------------------


def _check_split(rules: Rules, course: Course, reading: Reading) -> tuple[Course, Stop | Shift | None]:
    """Whether the split is the one we left; the first one seen is taken as it is, unless the target has a share."""
    seen = Seen(reading.split.share(rules.target), reading.split.writer)
    if course.split is None and (seen.share == 0 or seen.writer == rules.writer):
        return replace(course, split=seen, unsure=False), None
    if course.split == seen:
        return (replace(course, unsure=False) if course.unsure else course), None
    if course.split is not None and course.unsure and seen == course.before:
        return course, Shift(course.split.share, "resumed: this shift was decided, but not made")
    ours = "nothing of ours" if course.split is None else f"{course.split.share} % by {course.split.writer}"
    return course, Stop(
        f"traffic was moved by someone else: {rules.target} has {seen.share} %, "
        f"written by {seen.writer or 'nobody we know'}; expected {ours}"
    )


def _take_in(rules: Rules, course: Course, reading: Reading) -> Course:
    """Counts, health and what could be read at all."""
    at = reading.at.timestamp()
    users, probes, no_data = course.users, course.probes, ""
    if isinstance(reading.totals, NoData):
        no_data = reading.totals.why
    else:
        users = users.add(at, reading.totals)
        # Without a share, or right after a cut, no new request is to be expected.
        quiet = course.split is not None and course.split.share > 0 and rules.target in course.users.last
        no_data = f"no new request reached {rules.target}" if quiet and not users.window.requests else ""
    if probes is not None:
        probes = probes.add(at, reading.probes or {})
        if probes.window.requests and not isinstance(reading.totals, NoData):
            no_data = ""
    health = reading.health.get(rules.target)
    readable = not isinstance(reading.totals, NoData)
    return replace(
        course,
        users=users,
        probes=probes,
        no_data=no_data,
        unhealthy=0 if health and health.healthy else course.unhealthy + 1,
        polls=course.polls + 1,
        good_polls=course.good_polls + readable,
        data_at=course.data_at if no_data else reading.at,
        alerts_at=course.alerts_at if isinstance(reading.alerts, NoData) else reading.at,
        warnings=_warn(course, users, reading),
        verdicts=(),
    )


def _warn(course: Course, users: Evidence, reading: Reading) -> tuple[Verdict, ...]:
    found = users.warnings()
    if not isinstance(reading.alerts, NoData):
        found += [
            Verdict("WARN", f"alert {a.name}", 1, None, None, f"alert {a.name} ({a.severity}) fires: {a.summary}")
            for a in reading.alerts
            if a.severity != "critical"
        ]
    known = {verdict.metric for verdict in course.warnings}
    return (*course.warnings, *(verdict for verdict in found if verdict.metric not in known))


def _obey(course: Course, reading: Reading) -> Course:
    """Pause and continue; ``abort`` is a guard, ``promote`` is seen where time is."""
    command = reading.command
    if command and command.verb == "pause" and not course.paused:
        return replace(course, paused=reading.at, pause=command)
    if command and command.verb in ("continue", "promote") and course.paused:
        # A hold does not run while a person holds.
        return replace(course, paused=None, pause=None, held=None)
    return course


# --- guards: what must not happen, on every reading -------------------------------------------------------------


def _aborted(rules: Rules, course: Course, reading: Reading) -> Verdict | None:
    command = reading.command
    if command is None or command.verb != "abort":
        return None
    return Verdict("FAIL", "abort", 0, None, None, f"abort by {command.who}: {command.reason}")


def _unhealthy(rules: Rules, course: Course, reading: Reading) -> Verdict | None:
    count, limit = course.unhealthy, rules.health_failures
    if count < limit:
        return None
    detail = reading.health.get(rules.target, Health(False, "its health was not read")).detail
    why = f"health: {rules.target} was unhealthy in {count} readings in a row, limit {limit}: {detail}"
    return Verdict("FAIL", "health", count, count, limit, why)


def _alarmed(rules: Rules, course: Course, reading: Reading) -> Verdict | None:
    if isinstance(reading.alerts, NoData):
        return None
    for alert in reading.alerts:
        if alert.severity == "critical" and alert.since >= course.began:
            why = f"alert {alert.name}: critical, fires since {alert.since:%H:%M:%S} UTC: {alert.summary}"
            return Verdict("FAIL", "alert", 1, None, None, why)
    return None


def _judged(rules: Rules, course: Course, reading: Reading) -> Verdict | None:
    return next((verdict for each in course.sources if (verdict := each.failure(rules.rule))), None)


def _blind(rules: Rules, course: Course, reading: Reading) -> Verdict | None:
    """Data or alerts that were missing for too long; never to be taken for zero errors."""
    alerts = reading.alerts.why if isinstance(reading.alerts, NoData) else ""
    for metric, at, why in (("data", course.data_at, course.no_data), ("alerts", course.alerts_at, alerts)):
        gone = (reading.at - (at or course.began)).total_seconds()
        if why and gone > rules.missing:
            text = f"missing {metric} for {gone:.0f} s, limit {rules.missing:.0f} s: {why}"
            return Verdict("HOLD", f"missing {metric}", 0, gone, rules.missing, text)
    return None


def _paused_long(rules: Rules, course: Course, reading: Reading) -> Verdict | None:
    if course.paused is None or course.pause is None:
        return None
    length = (reading.at - course.paused).total_seconds()
    if length < rules.pause:
        return None
    why = f"paused by {course.pause.who} ({course.pause.reason}) for {length:.0f} s, limit {rules.pause:.0f} s"
    return Verdict("HOLD", "pause", 0, length, rules.pause, why)


_GUARDS: tuple[Callable[[Rules, Course, Reading], Verdict | None], ...] = (
    _aborted, _unhealthy, _alarmed, _judged, _blind, _paused_long,
)  # fmt: skip


# --- going on: only on an explicit pass ---------------------------------------------------------------------------


def due(rules: Rules, course: Course) -> datetime:
    """When this phase may end: its length has passed, and the data cover it."""
    length = {"baseline": rules.baseline, "watch": rules.watch, "bake": rules.bake}[course.phase]
    if course.phase == "baseline" and rules.home is None:
        length = 0.0
    return course.since + timedelta(seconds=length + rules.lag)


def _go_on(rules: Rules, course: Course, reading: Reading) -> tuple[Course, Move]:
    promoted = reading.command if reading.command and reading.command.verb == "promote" else None
    left = (due(rules, course) - reading.at).total_seconds()
    if left > 0 and not promoted:
        return course, Wait(min(rules.poll, left), _name(rules, course))
    doubts = _doubts(rules, course, reading, with_time=not promoted)
    if doubts:
        return _hold(rules, replace(course, verdicts=doubts), reading, is_due=left <= 0)
    if _is_last(rules, course) and not rules.finish_at_end and not promoted:
        return course, Wait(rules.poll, f"{_name(rules, course)}, until someone says promote or abort")
    return _next(rules, course, reading, promoted)


def _doubts(rules: Rules, course: Course, reading: Reading, with_time: bool) -> tuple[Verdict, ...]:
    """Why not to go on now. A person who promotes waives what only more time could give, and nothing else."""

    def hold(metric: str, value: float | None, limit: float | None, why: str) -> Verdict:
        return Verdict("HOLD", metric, _requests(course), value, limit, why)

    found: list[Verdict] = []
    if isinstance(reading.totals, NoData):
        found += [hold("missing data", None, None, f"missing: {reading.totals.why}")]
    if with_time and course.good_polls < _GOOD_POLLS * course.polls:
        text = f"missing: only {course.good_polls} of {course.polls} polls brought data, 80 % are needed"
        found += [hold("polls", course.good_polls / course.polls, _GOOD_POLLS, text)]
    if isinstance(reading.alerts, NoData):
        found += [hold("missing alerts", None, None, f"missing: alerts cannot be read: {reading.alerts.why}")]
    elif critical := [alert.name for alert in reading.alerts if alert.severity == "critical"]:
        found += [hold("alert", len(critical), 0, f"critical alerts fire: {', '.join(critical)}")]
    if course.unhealthy:
        found += [hold("health", course.unhealthy, 0, f"{rules.target} is not healthy now")]
    if course.phase != "baseline":
        if with_time and _requests(course) < rules.min_requests:
            text = f"inconclusive: {_requests(course)} requests to {rules.target}, {rules.min_requests} are needed"
            found += [hold("requests", _requests(course), rules.min_requests, text)]
        if rules.rule == "sequential":
            doubts = [doubt for each in course.sources for doubt in each.doubts()]
            found += [doubt._replace(why=f"ambiguous: {doubt.why}") for doubt in doubts]
    return tuple(found)


def _hold(rules: Rules, course: Course, reading: Reading, is_due: bool) -> tuple[Course, Move]:
    """Wait at the current weight, but not forever. A promotion that is refused before its time costs nothing."""
    first = course.verdicts[0]
    if not is_due:
        return course, Wait(rules.poll, f"promote refused: {first.why}")
    course = replace(course, held=course.held or reading.at)
    length = (reading.at - (course.held or reading.at)).total_seconds()
    if length < rules.hold:
        return course, Wait(min(rules.poll, rules.hold - length), f"hold at {_name(rules, course)}: {first.why}")
    why = f"held for {length:.0f} s, limit {rules.hold:.0f} s: " + "; ".join(each.why for each in course.verdicts)
    return _end(course, TurnBack(first._replace(why=why), 6))


def _next(rules: Rules, course: Course, reading: Reading, promoted: Command | None) -> tuple[Course, Move]:
    verdict = _passed(rules, course, promoted)
    course = replace(course, verdicts=(verdict,))
    if _is_last(rules, course):
        return _end(course, Finish(verdict))
    if course.stage + 1 == len(rules.path):
        return _enter(course, reading.at, "bake", course.stage), Wait(min(rules.poll, rules.bake), "bake begins")
    if course.phase == "baseline":
        course = _each(course, lambda evidence: evidence.expose())
    course = _enter(course, reading.at, "watch", course.stage + 1)
    share = rules.path[course.stage]
    return replace(course, before=course.split, split=Seen(share, rules.writer)), Shift(share, verdict.why)


def _passed(rules: Rules, course: Course, promoted: Command | None) -> Verdict:
    by = f"; promoted by {promoted.who}: {promoted.reason}" if promoted else ""
    if course.phase == "baseline":
        return Verdict("PASS", "baseline", course.users.baseline.requests, None, None, _baseline(rules, course) + by)
    best = max(course.sources, key=lambda each: each.stage.get(rules.target, NOTHING).requests)
    totals = best.stage.get(rules.target, NOTHING)
    rate = totals.errors / totals.requests if totals.requests else 0.0
    why = (
        f"{_name(rules, course)} passed: {totals.errors} errors in {totals.requests} requests ({percent(rate)}, "
        f"limit {percent(rules.errors)}), P99 {milliseconds(quantile(totals, 0.99))}, "
        f"limit {milliseconds(best.relative_limit and min(best.relative_limit, rules.p99) or rules.p99)}{by}"
    )
    return Verdict("PASS", "errors", totals.requests, rate, rules.errors, why)


def _baseline(rules: Rules, course: Course) -> str:
    """What the baseline says; out loud when it says too little for the relative latency test."""
    if rules.home is None:
        return "first deployment: absolute limits only"
    seen = max(each.baseline.requests for each in course.sources)
    usual = max((quantile(each.baseline, 0.99) or 0.0 for each in course.sources), default=0.0)
    if seen >= BASELINE_LEAST:
        return f"baseline: {seen} requests to {rules.home}, P99 {milliseconds(usual)}"
    return (
        f"baseline: {seen} requests to {rules.home}, {BASELINE_LEAST} are needed: "
        "the test for latency worse than the baseline is off until they are there"
    )


# --- small parts --------------------------------------------------------------------------------------------------


def _enter(course: Course, at: datetime, phase: Phase, stage: int) -> Course:
    """Begin a phase or stage, its counts at zero."""
    course = _each(course, lambda evidence: evidence.new_stage())
    return replace(course, phase=phase, stage=stage, since=at, polls=0, good_polls=0, held=None)


def _end(course: Course, move: Finish | TurnBack | Stop) -> tuple[Course, Move]:
    verdicts = course.verdicts if isinstance(move, Stop) else (move.verdict,)
    return replace(course, ended=move, verdicts=verdicts), move


def _each(course: Course, change: Callable[[Evidence], Evidence]) -> Course:
    probes = None if course.probes is None else change(course.probes)
    return replace(course, users=change(course.users), probes=probes)


def _requests(course: Course) -> int:
    """To the target since the stage began, from the source that saw most."""
    return max(each.stage.get(each.target, NOTHING).requests for each in course.sources)


def _is_last(rules: Rules, course: Course) -> bool:
    at_end = course.stage + 1 == len(rules.path)
    return course.phase == "bake" or (at_end and course.phase == "watch" and rules.bake <= 0)


def _name(rules: Rules, course: Course) -> str:
    """``stage 2 of 5, 25 %``."""
    if course.phase == "watch":
        return f"stage {course.stage + 1} of {len(rules.path)}, {rules.path[course.stage]} %"
    return course.phase


