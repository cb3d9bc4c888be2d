"""Readings of the database and the hosts: they warn, with number and threshold, and never roll back."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from deploytasks.ports import Health, NoData, Reading, Split, Totals
from deploytasks.rollout import Course, Finish, Move, Rules, Shift, TurnBack, Wait, advance, outlook, start
from deploytasks.verdict.levels import LEVELS, judge_levels, worded
from deploytasks.view.sentences import reading as sentence

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
RULES = Rules("blue", "green", "deploy:1", stages=(50, 100), watch=30, bake=0, baseline=15)
BUSY = {"query_time": 0.25, "pool": 0.85, "replication_lag": 6.0, "cpu": 0.9, "memory": 0.81, "disk": 0.95}


def rollout(levels: object, rules: Rules = RULES) -> tuple[Course, Move]:
    """A healthy one, during which the levels are always these."""
    course, at, count = start(rules, START), START, 0
    split = Split.all_on("blue", None, "settled:0")
    while True:
        count += 200
        well = {"blue": Health(True, "200"), "green": Health(True, "200")}
        totals = {"blue": Totals(count, 0, {}), "green": Totals(count, 0, {})}
        course, move = advance(rules, course, Reading(at, split, totals, None, well, (), None, levels))  # type: ignore[arg-type]
        match move:
            case Shift(percent=percent):
                split = Split.partly_on("green", percent, "blue", rules.writer)
            case Wait(seconds=seconds):
                at += timedelta(seconds=seconds)
            case _:
                return course, move


def test_levels_over_their_limits_warn_and_do_not_roll_back():
    """All of them over their defaults: a warning each, with number and limit, and the rollout passes."""
    course, move = rollout(BUSY)
    assert isinstance(move, Finish)
    assert list(LEVELS) == [verdict.metric for verdict in course.warnings]
    assert "pool: connections in use 85 %, over the warning limit of 80 %" == course.warnings[1].why
    assert "query_time: database query time 250 ms, over the warning limit of 100 ms" == course.warnings[0].why
    assert {"WARN"} == {verdict.kind for verdict in course.warnings}


@pytest.mark.parametrize("levels", [{}, dict.fromkeys(("cpu", "pool", "memory", "disk"), 0.5), {"pool": 0.8}])
def test_levels_within_their_limits_say_nothing(levels):
    """Nothing read, little read, exactly at the limit: no warning."""
    assert () == rollout(levels)[0].warnings


def test_limits_are_the_configured_ones():
    """A limit that is raised does not warn, one that is lowered does."""
    rules = replace(RULES, warn_cpu=0.95, warn_memory=0.1)
    assert ["memory"] == [verdict.metric for verdict in rollout({"cpu": 0.9, "memory": 0.2}, rules)[0].warnings]


def test_a_level_that_nobody_knows_is_passed_over():
    """A reading that a later version recorded can be replayed."""
    course, move = rollout({"humidity": 1.0})
    assert isinstance(move, Finish)
    assert () == course.warnings


def test_silent_levels_are_unknown_and_hold_nothing_up():
    """The rollout passes; people are told that database and hosts are unknown, and why."""
    course, move = rollout(NoData("no answer"))
    assert isinstance(move, Finish)
    assert "database and hosts are unknown: no answer" in outlook(RULES, course, START).notes


def test_the_last_levels_are_shown_with_their_limits():
    """In the outlook all of them; in a line of the log those that warn."""
    shown = outlook(RULES, rollout({"cpu": 0.9, "memory": 0.2})[0], START).to_json()
    assert {"cpu": [0.9, 0.7], "memory": [0.2, 0.8]} == shown["levels"]
    line = sentence({"reading": {}, "outlook": shown}, "green")
    assert "| CPU 90 % (warns above 70 %) |" in line
    assert "memory" not in line


def test_judged_once():
    """Of what was read: PASS or WARN each, for `check-…`."""
    found = judge_levels({"cpu": 0.9, "memory": 0.2}, RULES.warn_levels)
    assert [("cpu", "WARN"), ("memory", "PASS")] == [(each.metric, each.kind) for each in found]
    assert [] == judge_levels(NoData("silent"), RULES.warn_levels)


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("pool", 0.853, "connections in use 85.3 %"),
        ("query_time", 0.0042, "database query time 4 ms"),
        ("replication_lag", 75.0, "replication lag 75 s"),
        ("humidity", 3.0, "humidity 3 s"),
    ],
)
def test_values_are_worded_in_their_unit(name, value, text):
    """Shares in percent; times in milliseconds, from a second on in seconds."""
    assert text == worded(name, value)


def test_a_release_that_is_judged_bad_goes_back_all_the_same():
    """Busy levels change nothing about a health page that fails."""
    course, at = start(RULES, START), START
    split = Split.all_on("blue", None, "settled:0")
    for _ in range(20):
        sick = {"blue": Health(True, "200"), "green": Health(False, "503")}
        totals = {"blue": Totals(0, 0, {}), "green": Totals(0, 0, {})}
        course, move = advance(RULES, course, Reading(at, split, totals, None, sick, (), None, BUSY))
        if isinstance(move, TurnBack):
            break
        at += timedelta(seconds=15)
    assert isinstance(move, TurnBack)
    assert 4 == move.code
