"""The rollout as a pure fold: rules, the course so far and a reading in; the course and the next move out.

No clock, no I/O: the same readings give the same course, so a resumed deployment replays what was recorded, and
simulation, live view and report are this same function. Whoever calls it makes the moves and does the waiting.

A course goes through a baseline (the live color is read, nothing is shifted), the stages, and a bake. It goes on
only on an explicit pass; what must not happen is guarded on every reading, in every phase.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from .ports import ACCEPTED, Alert, Color, Command, NoData, Reading, other
from .verdict.course import Course, Finish, Move, Phase, Seen, Shift, Stop, TurnBack, Wait
from .verdict.disagreement import apart, beside, lasting
from .verdict.evidence import Evidence
from .verdict.guards import check, check_split, doubts, seen
from .verdict.hearing import Heard, listen, said
from .verdict.judge import BASELINE_LEAST, Verdict, milliseconds, percent
from .verdict.ladder import NOTHING, quantile
from .verdict.levels import judge_levels
from .verdict.outlook import Outlook, outlook
from .verdict.readings import reading_from_json, reading_to_json
from .verdict.rules import Rule, Rules, adequate
from .verdict.share import NONE, Counted, Shares
from .verdict.streams import begin

__all__ = [
    "Course", "Finish", "Move", "Outlook", "Rule", "Rules", "Shift", "Stop", "TurnBack", "Wait",
    "adequate", "advance", "again", "outlook", "reading_from_json", "reading_to_json", "start",
]  # fmt: skip


def start(rules: Rules, at: datetime) -> Course:
    """The beginning of a course, before anything was read or shifted."""
    users, more, probes = begin(rules)
    heard = {each.source: Heard(at) for each in (users, *more)}
    return Course(at, at, users, probes, more, heard=heard, alerts_at=at)


def again(rules: Rules, course: Course, at: datetime) -> Course:
    """The course after nobody was looking: this stage is watched anew, the gap is not judged, evidence is kept."""
    heard = {source: each._replace(at=at) for source, each in course.heard.items()}
    paused = at if course.paused else None  # whoever resumes has as long to say `continue`
    course = replace(course, unsure=True, unhealthy=0, heard=heard, alerts_at=at, apart={}, polled=None, paused=paused)
    course = course.each(lambda evidence: evidence.cut())
    return course if course.ended else _enter(course, at, course.phase, course.stage)


def advance(rules: Rules, course: Course, reading: Reading) -> tuple[Course, Move]:
    """Fold one reading into the course and say what to do now. Once ended, a course repeats its last move."""
    if course.ended:
        return course, course.ended
    now = seen(rules, reading)
    foreign = check_split(rules, course, now)
    if foreign:
        return _end(course, foreign)
    course = _obey(_take_in(rules, course, reading), reading)
    bad = check(rules, course, reading)
    if bad:
        return _end(course, TurnBack(beside(course, bad), 4 if bad.kind == "FAIL" else 6))
    if course.split and course.split != now:
        return course, Shift(course.split.share, "resumed: this shift was decided, but not made")
    course = replace(course, split=now, unsure=False)
    if course.paused and course.pause:
        return course, Wait(course.pause_of(rules, reading.at), f"paused by {course.pause.who}: {course.pause.reason}")
    return _go_on(rules, course, reading)


# --- taking a reading in --------------------------------------------------------------------------------------


def _take_in(rules: Rules, course: Course, reading: Reading) -> Course:
    """Counts, health and what could be read at all."""
    is_between = course.is_between(rules, reading)
    after = _count(rules, course, reading, is_between)
    heard = _hear(rules, course, after, reading)
    health = reading.health.get(rules.target)
    found = list(apart(rules, after)) if after.more else []
    return replace(
        after,
        unhealthy=0 if health and health.healthy else course.unhealthy + (not is_between),
        polls=course.polls + (not is_between),
        good_polls=course.good_polls + (not is_between and all(each.readable for each in heard.values())),
        polled=course.polled if is_between else reading.at,
        shares=_shares(rules, course, after.users, reading),
        heard=heard,
        alerts_at=course.alerts_at if isinstance(reading.alerts, NoData) else reading.at,
        warnings=_warn(rules, after, reading, lasting(rules, course, found, reading.at)),
        apart={each.metric: course.apart.get(each.metric, reading.at) for each in found},
        verdicts=(),
        levels=reading.levels,
    )


def _count(rules: Rules, course: Course, reading: Reading, is_between: bool) -> Course:
    """What each source says, for itself; of one that cannot be read there is nothing new."""
    at, counts = reading.at.timestamp(), said(rules, reading)

    def add(source: Evidence) -> Evidence:
        found = (reading.probes or {}) if source.source == "probes" else counts[source.source]
        return replace(source, window=NOTHING) if isinstance(found, NoData) else source.add(at, found, is_between)

    return course.each(add)


def _hear(rules: Rules, course: Course, after: Course, reading: Reading) -> dict[str, Heard]:
    """Who says something new of users; ``after``: with this reading's counts."""
    streams = {old.source: (old, new) for old, new in zip(course.counting, after.counting, strict=True)}
    exposed = course.split is not None and course.split.share > 0
    probed = after.probes is not None and after.probes.window.requests > 0
    return listen(reading, said(rules, reading), course.heard, streams, exposed, probed)


def _shares(rules: Rules, course: Course, users: Evidence, reading: Reading) -> Shares:
    """What was counted of this stage, once what is counted is of this stage: numbers come late, and so may weights."""
    if not rules.measured_share or (reading.at - course.since).total_seconds() <= rules.lag + rules.poll:
        return course.shares
    before, after = course.users.stage, users.stage
    new = [after.get(color, NOTHING).requests - before.get(color, NOTHING).requests for color in _pair(rules)]
    return course.shares.add(Counted(*new))


def _pair(rules: Rules) -> tuple[Color, Color]:
    return rules.target, other(rules.target)


def _warn(rules: Rules, course: Course, reading: Reading, disagreements: Iterable[Verdict]) -> tuple[Verdict, ...]:
    found = [warning for each in course.counting for warning in each.warnings()]
    found += disagreements
    found += [verdict for verdict in judge_levels(reading.levels, rules.warn_levels) if verdict.kind == "WARN"]
    if not isinstance(reading.alerts, NoData):
        found += [
            Verdict("WARN", f"alert {a.name}", 1, None, None, f"alert {a.name} ({_as(a)}) fires: {a.summary}")
            for a in reading.alerts
            if a.severity != "critical"
        ]
    known = {verdict.metric for verdict in course.warnings}
    return (*course.warnings, *(verdict for verdict in found if verdict.metric not in known))


def _as(alert: Alert) -> str:
    return "critical, and accepted at the gate" if alert.severity == ACCEPTED else alert.severity


def _obey(course: Course, reading: Reading) -> Course:
    """Pause and continue; ``abort`` is a guard, ``promote`` is seen where time is."""
    command = reading.command
    if command and command.verb == "pause" and not course.paused:
        return replace(course, paused=reading.at, pause=command)
    if command and command.verb in ("continue", "promote") and course.paused:
        # A hold does not run while a person holds.
        return replace(course, paused=None, pause=None, held=None)
    return course


# --- going on: only on an explicit pass ---------------------------------------------------------------------------


def _go_on(rules: Rules, course: Course, reading: Reading) -> tuple[Course, Move]:
    promoted = reading.command if reading.command and reading.command.verb == "promote" else None
    left = (course.due(rules) - reading.at).total_seconds()
    if left > 0 and not promoted:
        return course, Wait(min(course.pause_of(rules, reading.at), left), course.title(rules))
    unclear = doubts(rules, course, reading, with_time=not promoted)
    if unclear:
        return _hold(rules, replace(course, verdicts=unclear), reading, is_due=left <= 0)
    if course.is_last(rules) and not rules.finish_at_end and not promoted:
        return course, Wait(
            course.pause_of(rules, reading.at), f"{course.title(rules)}, until someone says promote or abort"
        )
    return _next(rules, course, reading, promoted)


def _hold(rules: Rules, course: Course, reading: Reading, is_due: bool) -> tuple[Course, Move]:
    """Wait at the current weight, but not forever. A promotion that is refused before its time costs nothing."""
    first = course.verdicts[0]
    if not is_due:
        return course, Wait(course.pause_of(rules, reading.at), f"promote refused: {first.why}")
    course = replace(course, held=course.held or reading.at)
    length = (reading.at - (course.held or reading.at)).total_seconds()
    if length < rules.hold:
        pause = min(course.pause_of(rules, reading.at), rules.hold - length)
        return course, Wait(pause, f"hold at {course.title(rules)}: {first.why}")
    why = f"held for {length:.0f} s, limit {rules.hold:.0f} s: " + "; ".join(each.why for each in course.verdicts)
    return _end(course, TurnBack(first._replace(why=why), 6))


def _next(rules: Rules, course: Course, reading: Reading, promoted: Command | None) -> tuple[Course, Move]:
    verdict = _passed(rules, course, promoted)
    course = replace(course, verdicts=(verdict,))
    if course.is_last(rules):
        return _end(course, Finish(verdict))
    if course.stage + 1 == len(rules.path):
        return _enter(course, reading.at, "bake", course.stage), Wait(min(rules.poll, rules.bake), "bake begins")
    if course.phase == "baseline":
        course = course.each(lambda evidence: evidence.expose())
    course = _enter(course, reading.at, "watch", course.stage + 1)
    share = rules.path[course.stage]
    return replace(course, before=course.split, split=Seen(share, rules.writer)), Shift(share, verdict.why)


def _passed(rules: Rules, course: Course, promoted: Command | None) -> Verdict:
    by = f"; promoted by {promoted.who}: {promoted.reason}" if promoted else ""
    if course.phase == "baseline":
        return Verdict("PASS", "baseline", course.users.baseline.requests, None, None, _baseline(rules, course) + by)
    sources = course.sources if course.more else [max(course.sources, key=lambda each: each.seen)]
    counted = "; ".join(_told(rules, each, bool(course.more)) for each in sources)
    totals = max((each.stage.get(rules.target, NOTHING) for each in sources), key=lambda each: each.requests)
    rate = totals.errors / totals.requests if totals.requests else 0.0
    return Verdict(
        "PASS", "errors", totals.requests, rate, rules.errors, f"{course.title(rules)} passed: {counted}{by}"
    )


def _told(rules: Rules, source: Evidence, named: bool) -> str:
    """What one source counted in this stage, against its limits."""
    totals = source.stage.get(rules.target, NOTHING)
    rate = totals.errors / totals.requests if totals.requests else 0.0
    said = [f"{totals.requests} requests"]
    if source.has("errors"):
        said = [f"{totals.errors} errors in {said[0]} ({percent(rate)}, limit {percent(rules.errors)})"]
    if source.has("latency"):
        limit = milliseconds(min(source.relative_limit or rules.p99, rules.p99))
        said += [f"P99 {milliseconds(quantile(totals, 0.99))}, limit {limit}"]
    return f"{source.name}: " * named + ", ".join(said)


def _baseline(rules: Rules, course: Course) -> str:
    """What the baseline says; out loud when it says too little for the relative latency test."""
    if rules.home is None:
        return "first deployment: absolute limits only"
    timed = [each.baseline for each in course.sources if each.has("latency")]
    if not timed:
        return f"baseline: {course.users.baseline.requests} requests to {rules.home}; nothing says how long they take"
    count = max(each.requests for each in timed)
    usual = max(quantile(each, 0.99) or 0.0 for each in timed)
    if count >= BASELINE_LEAST:
        return f"baseline: {count} requests to {rules.home}, P99 {milliseconds(usual)}"
    return (
        f"baseline: {count} requests to {rules.home}, {BASELINE_LEAST} are needed: "
        "the test for latency worse than the baseline is off until they are there"
    )


# --- small parts --------------------------------------------------------------------------------------------------


def _enter(course: Course, at: datetime, phase: Phase, stage: int) -> Course:
    """Begin a phase or stage, its counts at zero."""
    course = course.each(lambda evidence: evidence.new_stage())
    return replace(course, phase=phase, stage=stage, since=at, polls=0, good_polls=0, shares=NONE, held=None)


def _end(course: Course, move: Finish | TurnBack | Stop) -> tuple[Course, Move]:
    verdicts = course.verdicts if isinstance(move, Stop) else (move.verdict,)
    return replace(course, ended=move, verdicts=verdicts), move
