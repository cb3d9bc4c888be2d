"""Several sources of metrics at once, through the fold: each is judged by itself, and none may fall silent."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from deploytasks.ports import Color, Counts, Health, NoData, Reading, Split, Totals
from deploytasks.rollout import (
    Finish,
    Move,
    Rules,
    Shift,
    TurnBack,
    Wait,
    advance,
    again,
    outlook,
    reading_from_json,
    reading_to_json,
    start,
)
from deploytasks.verdict import LADDER

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
BOTH = ("errors", "latency")
RULES = Rules(
    home="blue", target="green", writer="deploy:1", users="envoy", more=(("sentry", ("errors",)),), stages=(50, 100),
    watch=120.0, bake=60.0,
)  # fmt: skip
Came = tuple[int, int, float]
"""Requests, errors, and seconds that every request took, per poll."""
FINE: Came = (100, 0, 0.02)
WELL = Health(True, "200")


def plus(totals: Totals, came: Came) -> Totals:
    n, errors, seconds = came
    slower = {edge: totals.slower.get(edge, 0) + n * (edge < seconds) for edge in LADDER}
    return Totals(totals.requests + n, totals.errors + errors, {edge: count for edge, count in slower.items() if count})


@dataclass
class Drive:
    """A rollout whose users are counted by several sources; makes every move, and remembers."""

    rules: Rules = RULES
    split: Split = field(default_factory=lambda: Split.all_on("blue", None, "settled:0"))
    at: datetime = START
    moves: list[Move] = field(default_factory=list)
    readings: list[Reading] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.course = start(self.rules, self.at)
        self.counts: dict[str, dict[Color, Totals]] = {
            name: {"blue": Totals(900, 1, {}), "green": Totals(50, 2, {})} for name in ("users", "probes", *self.names)
        }

    @property
    def names(self) -> list[str]:
        return [name for name, _ in self.rules.more]

    def poll(self, probes: Came = FINE, **green: Came | NoData | None) -> Move:
        """One reading. ``green``: by source what came to green; ``FINE`` where nothing is said, to blue always. A
        source with ``None`` is not in the reading at all."""
        for name, counts in self.counts.items():
            came = probes if name == "probes" else green.get(name, FINE)
            if self.split.green and isinstance(came, tuple) and not isinstance(came, NoData):
                counts["green"] = plus(counts["green"], came)
            if self.split.blue:
                counts["blue"] = plus(counts["blue"], FINE)
        said: dict[str, Counts] = {}
        for name in ("users", *self.names):
            came = green.get(name, FINE)
            if came is not None:
                said[name] = came if isinstance(came, NoData) else dict(self.counts[name])
        users = said.pop("users")
        probed = dict(self.counts["probes"]) if self.rules.probes else None
        well: dict[Color, Health] = {"blue": WELL, "green": WELL}
        return self.read(Reading(self.at, self.split, users, probed, well, (), more=said))

    def read(self, reading: Reading) -> Move:
        self.course, move = advance(self.rules, self.course, reading)
        self.readings.append(reading)
        self.moves.append(move)
        if isinstance(move, Shift):
            self.split = Split.partly_on("green", move.percent, self.rules.home, self.rules.writer)
        self.at += timedelta(seconds=move.seconds if isinstance(move, Wait) else self.rules.poll)
        return move

    def until(self, *kinds: type, most: int = 600, **said: Any) -> Move:
        for _ in range(most):
            move = self.poll(**said)
            if isinstance(move, (*kinds, Finish, TurnBack)):
                return move
        raise AssertionError(f"no such move in {most} polls; the last one: {move}")

    def expose(self) -> Drive:
        assert isinstance(self.until(Shift), Shift)
        return self

    @property
    def warned(self) -> list[str]:
        return [warning.why for warning in self.course.warnings]


# --- each is judged by itself -----------------------------------------------------------------------------------------


def test_a_release_that_all_find_good_passes_and_each_is_named() -> None:
    """The pass says what each source has counted, and nothing of what it does not give."""
    drive = Drive()
    assert isinstance(drive.until(Finish), Finish)
    passed = next(move.why for move in drive.moves[1:] if isinstance(move, Shift) and move.percent == 100)
    told = "envoy: 0 errors in 800 requests (0 %, limit 2 %), P99 21 ms, limit 32 ms; sentry: 0 errors in 800 requests"
    assert f"stage 1 of 2, 50 % passed: {told} (0 %, limit 2 %)" == passed


def test_one_that_finds_it_bad_is_enough() -> None:
    """Sentry says so, the balancer does not: home, with what both say."""
    drive = Drive().expose()
    move = drive.until(sentry=(100, 8, 0.0))
    assert isinstance(move, TurnBack)
    assert (4, "errors of sentry") == (move.code, move.verdict.metric)
    assert move.verdict.why.startswith("errors of sentry: ")
    assert "; meanwhile envoy: 0 of " in move.verdict.why


def test_the_first_source_is_named_too() -> None:
    """Beside others, `errors` alone would not say whose."""
    move = Drive().expose().until(users=(100, 50, 0.02))
    assert isinstance(move, TurnBack)
    assert (4, "errors of envoy") == (move.code, move.verdict.metric)


def test_latency_of_a_further_source_takes_back() -> None:
    """The balancer times nothing; another one does, and its errors are not asked for."""
    rules = replace(RULES, measures=("errors",), more=(("newrelic", ("latency",)),))
    drive = Drive(rules).expose()
    assert isinstance(drive.poll(newrelic=(100, 100, 0.02)), Wait)
    move = drive.until(newrelic=(100, 100, 5.0))
    assert isinstance(move, TurnBack)
    assert (4, True) == (move.code, move.verdict.metric.startswith("p99"))
    assert move.verdict.metric.endswith(" of newrelic")


def test_what_a_source_does_not_give_is_not_judged() -> None:
    """Counts that it happens to have of it, whatever they say."""
    rules = replace(RULES, more=(("newrelic", ("latency",)),))
    assert isinstance(Drive(rules).until(Finish, newrelic=(100, 100, 0.02)), Finish)
    assert {"errors of envoy", "p99 of envoy", "p99_worse of envoy", "errors of sentry"} == set(
        outlook(RULES, Drive().course, START).evidence
    )


@pytest.mark.parametrize(("source", "code"), [("users", 4), ("sentry", 4)])
def test_the_literal_rule_looks_at_each_source(source: str, code: int) -> None:
    """One poll over the threshold, of any of them."""
    drive = Drive(replace(RULES, rule="threshold")).expose()
    drive.poll()
    move = drive.poll(**{source: (100, 3, 0.02)})
    assert isinstance(move, TurnBack)
    assert code == move.code
    assert move.verdict.why.startswith(f"errors of {'envoy' if source == 'users' else source}: 3 of 100 requests")


def test_a_single_source_reads_as_before() -> None:
    """No name anywhere, and not a word more in rules, reading and outlook."""
    rules = replace(RULES, users="users", more=())
    drive = Drive(rules).expose()
    drive.until(users=(100, 50, 0.02))
    assert not {"users", "measures", "more"} & rules.to_json().keys()
    assert "more" not in reading_to_json(drive.readings[-1])
    assert not {"more", "counted_by"} & outlook(rules, drive.course, START).to_json().keys()
    assert drive.course.verdicts[0].why.startswith("errors: ")
    assert drive.course.verdicts[0].why.endswith("false-alarm bound 0.5 %")


# --- the budget -------------------------------------------------------------------------------------------------------

MANY = [
    replace(RULES, more=()),
    RULES,
    replace(RULES, probes=True, more=(("sentry", ("errors",)), ("newrelic", BOTH), ("prometheus", ("latency",)))),
    replace(RULES, measures=("errors",), more=(("newrelic", ("latency",)),)),
    replace(RULES, measures=("errors",), more=()),
]


@pytest.mark.parametrize("rules", MANY)
def test_all_sources_share_one_budget(rules: Rules) -> None:
    """At most 0.5 % for errors and 0.25 % for either limit of latency: 1 % per deployment, however many there are."""
    spent: dict[str, float] = {}
    for each in start(rules, START).sources:
        for track in each.tracks:
            if not track.warns:
                spent[track.name] = spent.get(track.name, 0.0) + track.stream.alpha
    usual = {"errors": 0.005, "p99": 0.0025, "p99_worse": 0.0025}
    assert {name: pytest.approx(usual[name]) for name in spent} == spent
    assert "errors" in spent


def test_three_sources_at_the_limit_hardly_ever_take_a_release_back() -> None:
    """300 deployments that are exactly as bad as is allowed, each counted by three sources that err by themselves:
    judged bad no more often than the bound says, 0.5 % (of 300, more than 3 would be a surprise)."""
    rules = replace(RULES, more=(("sentry", ("errors",)), ("newrelic", ("errors",))), watch=600.0, min_requests=0)
    chance, bad = random.Random(4), 0
    for _ in range(300):
        course = start(rules, START)
        sources = course.counting
        for poll in range(40):
            counted = [sum(chance.random() < rules.errors for _ in range(30)) for _ in sources]
            sources = tuple(
                replace(
                    each,
                    tracks=tuple(t.add(15.0 * poll, (30, n), (0, 0), 1.0) for t in each.tracks if t.name == "errors"),
                )
                for each, n in zip(sources, counted, strict=True)
            )
        bad += any(each.failure("sequential") for each in sources)
    assert bad <= 3


# --- silence ----------------------------------------------------------------------------------------------------------


def test_a_source_that_cannot_be_read_holds_and_goes_home() -> None:
    """Never a pass: held, named, and after `missing` seconds home with code 6."""
    drive = Drive().expose()
    move = drive.until(sentry=NoData("429: slow down"))
    assert isinstance(move, TurnBack)
    assert (6, "missing data of sentry") == (move.code, move.verdict.metric)
    assert move.verdict.why.endswith("limit 300 s: sentry: 429: slow down")
    assert any(
        "hold at stage 1" in one.why and "sentry: 429" in one.why for one in drive.moves if isinstance(one, Wait)
    )


def test_a_source_that_was_not_asked_is_silent() -> None:
    """A deployment that goes on after the section was changed waits for what its plan judges by."""
    move = Drive().expose().until(sentry=None)
    assert isinstance(move, TurnBack)
    assert (6, True) == (move.code, "sentry: it was not asked" in move.verdict.why)


def test_a_source_to_which_nothing_comes_any_more_is_silent() -> None:
    """Users are there, as the balancer counts them; zeros of the other one are no good news."""
    drive = Drive().expose()
    for _ in range(4):
        drive.poll()
    move = drive.until(sentry=(0, 0, 0.0))
    assert isinstance(move, TurnBack)
    assert (6, True) == (move.code, "sentry: no new request reached green" in move.verdict.why)


def test_probes_excuse_quiet_users_and_no_source_that_lost_sight_of_them() -> None:
    """Where nobody counts anybody, probes are enough; where one does, the other has to."""
    rules = replace(RULES, probes=True)
    quiet: Came = (0, 0, 0.0)
    assert isinstance(Drive(rules).until(Finish, users=quiet, sentry=quiet), Finish)
    move = Drive(rules).until(sentry=quiet)
    assert isinstance(move, TurnBack)
    assert (6, True) == (move.code, "sentry: no new request" in move.verdict.why)
    move = Drive(rules).expose().until(users=quiet, sentry=NoData("down"))
    assert isinstance(move, TurnBack)
    assert 6 == move.code


def test_a_poll_is_good_when_all_could_be_read() -> None:
    """One in three without Sentry: too few polls say something."""
    drive = Drive().expose()
    for poll in range(9):
        drive.poll(sentry=NoData("429") if poll % 3 == 0 else FINE)
    assert any("of 9 polls brought data, 80 % are needed" in verdict.why for verdict in drive.course.verdicts)


def test_each_source_of_errors_needs_enough_requests() -> None:
    """The balancer has seen hundreds, Sentry a few of them: what the one knows does not speak for the other."""
    drive = Drive(replace(RULES, hold=60.0)).expose()
    move = drive.until(sentry=(1, 0, 0.0))
    assert isinstance(move, TurnBack)
    assert (6, "requests of sentry") == (move.code, move.verdict.metric)
    assert "inconclusive: sentry: " in move.verdict.why


def test_one_source_of_latency_with_enough_requests_is_enough() -> None:
    """A sample is slow to fill, and says nothing else; where nobody else times them, it has to."""
    few: Came = (1, 0, 0.02)
    beside = replace(RULES, hold=60.0, more=(("newrelic", ("latency",)),))
    assert isinstance(Drive(beside).until(Finish, newrelic=few), Finish)
    move = Drive(replace(beside, measures=("errors",))).until(newrelic=few)
    assert isinstance(move, TurnBack)
    assert (6, True) == (move.code, "nobody has timed enough: " in move.verdict.why)


# --- disagreement -----------------------------------------------------------------------------------------------------


def test_sources_that_disagree_are_shown_once_and_nothing_else_happens() -> None:
    """One finds hundreds of errors that are still fine, the other none: said once, for green, and it passes."""
    rules = replace(RULES, errors=0.5, warn_errors=0.5)
    drive = Drive(rules)
    assert isinstance(drive.until(Finish, sentry=(100, 8, 0.0)), Finish)
    (said,) = drive.warned
    assert said.startswith("sentry and envoy disagree about errors of green: 8 % of ")
    assert "requests against 0 % of" in said


def test_a_moment_is_no_disagreement() -> None:
    """One may be told later than the other: what does not last longer than that is not said."""
    rules = replace(RULES, errors=0.5, warn_errors=0.5, lag=120.0, stages=(50,), watch=90.0, bake=0.0)
    drive = Drive(rules).expose()
    for _ in range(6):
        drive.poll(sentry=(100, 8, 0.0))
    assert [] == drive.warned
    assert drive.course.apart


def test_few_requests_disagree_about_nothing() -> None:
    """Three of ten are not three in a hundred; and clusters count for less."""
    rules = replace(RULES, errors=0.9, warn_errors=0.9, stages=(50,))
    drive = Drive(rules).expose()
    for _ in range(6):
        drive.poll(sentry=(4, 2, 0.0))
    assert {} == drive.course.apart


def test_they_may_disagree_about_latency() -> None:
    """What is compared is who is slower than the limit that rolls back."""
    rules = replace(RULES, more=(("newrelic", ("latency",)),), worse=None)
    drive = Drive(rules).expose()
    for _ in range(4):
        drive.poll()
    found = {}
    for _ in range(2):
        drive.poll(newrelic=(100, 0, 5.0))
        found = dict(drive.course.apart)
    assert {"latency of green: newrelic and envoy"} == set(found)


# --- what is recorded, and shown --------------------------------------------------------------------------------------


def test_rules_of_several_sources_come_back_from_json() -> None:
    """And those that were recorded before there were several load as they were."""
    for rules in MANY:
        assert rules == Rules.from_json(json.loads(json.dumps(rules.to_json())))
    old = {name: value for name, value in RULES.to_json().items() if name not in ("users", "measures", "more")}
    assert replace(RULES, users="users", more=()) == Rules.from_json(old)


def test_a_replay_of_recorded_readings_gives_the_same_course() -> None:
    """All that was decided by is in the readings, also of further sources."""
    drive = Drive().expose()
    for poll in range(12):
        drive.poll(sentry=NoData("429") if poll % 4 == 0 else (100, 2, 0.0))
    course = start(RULES, START)
    for reading in drive.readings:
        course, _ = advance(RULES, course, reading_from_json(json.loads(json.dumps(reading_to_json(reading)))))
    assert course == drive.course
    assert again(RULES, course, drive.at).counting[1].tracks[0].stream == course.more[0].tracks[0].stream


def test_the_outlook_has_each_source_with_what_it_gives() -> None:
    """By its name; what it does not give is not there."""
    drive = Drive().expose()
    for _ in range(4):
        drive.poll(sentry=(100, 1, 0.0))
    shown = outlook(RULES, drive.course, drive.at).to_json()
    assert "envoy" == shown["counted_by"]
    assert {"requests", "errors", "rate", "p95", "p99"} == set(shown["users"]["green"])
    assert {"requests": 400, "errors": 4, "rate": 0.01} == shown["more"]["sentry"]["green"]
    json.dumps(shown, allow_nan=False)
    json.dumps(drive.course.summary(), allow_nan=False)


def test_without_anybody_who_times_requests_that_is_said() -> None:
    """It is no silent pass."""
    rules = replace(RULES, measures=("errors",), more=())
    drive = Drive(rules).expose()
    assert ("nothing says how long requests take: latency is not judged",) == outlook(rules, drive.course, START).notes
    assert "nothing says how long they take" in drive.moves[-1].why  # type: ignore[union-attr]  # a shift
