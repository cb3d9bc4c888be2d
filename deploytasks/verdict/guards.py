"""What must not happen, asked on every reading in every phase; and what must not be doubted before going on."""

from __future__ import annotations

from collections.abc import Iterator

from ..ports import Health, NoData, Reading
from .course import Course, Seen, Stop
from .evidence import Evidence
from .judge import Verdict
from .rules import Rules

GOOD_POLLS = 0.8
"""The share of polls in a stage that must have brought data."""
STALE_POLLS = 2
"""After so many polls without anything new, what is known does not cover the present."""


def check(rules: Rules, course: Course, reading: Reading) -> Verdict | None:
    """Why traffic must go home now: a FAIL (judged bad), or a HOLD (too little to judge by, for too long)."""
    guards = (_aborted, _unhealthy, _alarmed, _judged, _blind, _paused_long)
    return next((verdict for guard in guards if (verdict := guard(rules, course, reading))), None)


def seen(rules: Rules, reading: Reading) -> Seen:
    """The split of a reading, as far as a course cares."""
    return Seen(reading.split.share(rules.target), reading.split.writer)


def check_split(rules: Rules, course: Course, now: Seen) -> Stop | None:
    """Stop when the split is neither the one we left nor, after a resume, the one before a shift we never made.

    The first one that is seen is taken as it is, unless someone else gave the target a share already.
    """
    expected = course.split
    if expected is None and (now.share == 0 or now.writer == rules.writer):
        return None
    if expected is not None and (now == expected or (course.unsure and now == course.before)):
        return None
    ours = "nothing of ours" if expected is None else f"{expected.share} % by {expected.writer or 'nobody we know'}"
    return Stop(
        f"traffic was moved by someone else: {rules.target} has {now.share} %, "
        f"written by {now.writer or 'nobody we know'}; expected {ours}"
    )


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
    for alert in reading.alerts.heard if isinstance(reading.alerts, NoData) else reading.alerts:
        if alert.severity == "critical" and alert.since >= course.began:
            why = f"alert {alert.name}: critical, fires since {alert.since:%H:%M:%S} UTC: {alert.summary}"
            return Verdict("FAIL", "alert", 1, None, None, why)
    return None


def _judged(rules: Rules, course: Course, reading: Reading) -> Verdict | None:
    """The sequential test may be looked at whenever one likes; the literal rule is about a whole poll, and about what
    somebody wants to go on from."""
    command = reading.command
    if rules.rule == "threshold" and course.polled != reading.at and command and command.verb != "promote":
        return None
    return next((verdict for each in course.sources if (verdict := each.failure(rules.rule))), None)


def _blind(rules: Rules, course: Course, reading: Reading) -> Verdict | None:
    """Data or alerts that were missing for too long; never to be taken for zero errors."""
    alerts = reading.alerts.why if isinstance(reading.alerts, NoData) else ""
    counts = [(_data(each), course.heard[each.source].at, course.heard[each.source].why) for each in course.counting]
    for metric, at, why in (*counts, ("alerts", course.alerts_at, alerts)):
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


def doubts(rules: Rules, course: Course, reading: Reading, with_time: bool) -> tuple[Verdict, ...]:
    """Why not to go on now. A person who promotes waives what only more time could give, and nothing else."""
    found = [*_missing(rules, course, reading), *_unwell(rules, course, reading)]
    if with_time:
        found += [*_too_little(rules, course), *_elsewhere(rules, course)]
    if rules.rule == "sequential" and course.phase != "baseline":
        unclear = [doubt for each in course.sources for doubt in each.doubts()]
        found += [doubt._replace(why=f"ambiguous: {doubt.why}") for doubt in unclear]
    return tuple(found)


def _missing(rules: Rules, course: Course, reading: Reading) -> Iterator[Verdict]:
    """What this reading does not know, or has not known for too long."""
    for each in course.counting:
        heard = course.heard[each.source]
        silent = (reading.at - heard.at).total_seconds()
        if not heard.readable:
            yield _doubt(course, f"missing {_data(each)}", silent, None, f"missing: {heard.why}")
        elif heard.why and silent > rules.lag + STALE_POLLS * rules.poll:
            # A quiet poll is normal where few users come; a quiet minute might hide anything.
            yield _doubt(course, f"missing {_data(each)}", silent, None, f"missing: {heard.why} for {silent:.0f} s")
    if isinstance(reading.alerts, NoData):
        why = f"missing: alerts cannot be read: {reading.alerts.why}"
        yield _doubt(course, "missing alerts", None, None, why)


def _unwell(rules: Rules, course: Course, reading: Reading) -> Iterator[Verdict]:
    """A critical alert that was there before us, and was not accepted; or an answer of the health page that is not yet
    one too many."""
    alerts = () if isinstance(reading.alerts, NoData) else reading.alerts
    if critical := [alert.name for alert in alerts if alert.severity == "critical"]:
        yield _doubt(course, "alert", len(critical), 0, f"critical alerts fire: {', '.join(critical)}")
    health = reading.health.get(rules.target)
    if not (health and health.healthy):
        yield _doubt(course, "health", max(1, course.unhealthy), 0, f"{rules.target} is not healthy now")


def _too_little(rules: Rules, course: Course) -> Iterator[Verdict]:
    """What more time may bring: polls that succeed, and requests."""
    if course.good_polls < GOOD_POLLS * course.polls:
        why = f"missing: only {course.good_polls} of {course.polls} polls brought data, 80 % are needed"
        yield _doubt(course, "polls", course.good_polls / course.polls, GOOD_POLLS, why)
    if course.phase != "baseline":
        yield from _too_few(rules, course)


def _too_few(rules: Rules, course: Course) -> Iterator[Verdict]:
    """Each source that gives errors has seen enough, or the probes have: none of them alone knows what the others
    count. Of latencies one is enough, since those who time requests often time a sample of them."""

    def doubt(metric: str, n: int, by: str = "") -> Verdict:
        why = f"inconclusive: {by}{n} requests to {rules.target}, {rules.min_requests} are needed"
        return _doubt(course, metric, n, rules.min_requests, why)

    probed = 0 if course.probes is None else course.probes.seen
    for each in course.counting:
        if each.has("errors") and (n := max(each.seen, probed)) < rules.min_requests:
            yield doubt(each.titled("requests"), n, f"{each.name}: " if each.name else "")
    timed = [each.seen for each in course.sources if each.has("latency")]
    if course.more and timed and max(timed) < rules.min_requests:
        yield doubt("requests with latency", max(timed), "nobody has timed enough: ")


def _elsewhere(rules: Rules, course: Course) -> Iterator[Verdict]:
    """A split that was written and is not in force: what was watched is not this stage."""
    if rules.measured_share and course.phase == "watch" and (why := course.shares.doubt(course.weight)):
        total = course.shares.total
        yield _doubt(course, "share", total.own / total.all, course.weight / 100, f"share of {rules.target}: {why}")


def _data(source: Evidence) -> str:
    return source.titled("data")


def _doubt(course: Course, metric: str, value: float | None, limit: float | None, why: str) -> Verdict:
    return Verdict("HOLD", metric, course.requests, value, limit, why)
