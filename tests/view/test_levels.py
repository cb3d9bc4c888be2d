"""Readings of the database and the hosts, wherever people look."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import reduce

from view import answers
from view.story import Story, until

from deploytasks.ports import Health, NoData, Reading, Split, Totals
from deploytasks.rollout import Rules, advance, start
from deploytasks.verdict.levels import judge_levels
from deploytasks.view.frame import frame
from deploytasks.view.lines import Lines
from deploytasks.view.paint import Paint
from deploytasks.view.scene import Scene, follow
from deploytasks.view.text import text
from deploytasks.view.watching import watched

LEVELS = {"pool": 0.85, "cpu": 0.4}
PLAIN = Paint(False)


def test_the_live_view_has_them_on_one_line() -> None:
    """All that were read, the limit of what is above it, and the warning."""
    events = list(until(Story(levels=LEVELS).tell(), "reading", 12))
    scene = reduce(follow, events, Scene())
    shown = "\n".join(line.plain for line in frame(scene, 120, 39, events[-1].at))
    assert "  connections in use 85 % > 80 % !  CPU 40 %\n" in shown
    assert "! pool: connections in use 85 %, over the warning limit of 80 %" in shown


def test_without_levels_there_is_no_such_line() -> None:
    """An environment that reads none looks as before."""
    events = list(until(Story().tell(), "reading", 12))
    shown = "\n".join(line.plain for line in frame(reduce(follow, events, Scene()), 120, 39, events[-1].at))
    assert "CPU" not in shown


def test_the_log_says_once_that_it_warns_and_each_time_how_it_is() -> None:
    """One line of warning; beside each reading the number and its limit."""
    said: list[str] = []
    lines = Lines(said.append)
    for event in Story(levels=LEVELS).tell():
        lines.tell(event)
    assert 1 == sum("warning: pool: connections in use 85 %" in line for line in said)
    assert 3 < sum("| connections in use 85 % (warns above 80 %) |" in line for line in said)


def test_a_watch_shows_what_it_warned_of() -> None:
    """`inv watch` has the number and its limit in its line."""
    rules, at = Rules(None, "blue", "deploy:watch"), datetime(2026, 3, 1, tzinfo=UTC)
    well = {"blue": Health(True, "200"), "green": Health(True, "200")}
    course = start(rules, at)
    for levels in (LEVELS, NoData("silent")):
        reading = Reading(at, Split(0, 0, None, rules.writer), {"blue": Totals(9, 0, {})}, None, well, (), None, levels)
        course, _ = advance(rules, course, reading)
        at += timedelta(seconds=15)
        shown = watched(course, reading)
        assert ("connections in use 85 % (warns above 80 %)" in shown) == (levels is LEVELS)
        assert "warned of pool" in shown


def test_status_has_a_line_for_each() -> None:
    """With number and limit; why, when they cannot be read; nothing, when there are none."""
    levels = {"pool": {"value": 0.85, "warns_above": 0.8}, "query_time": {"value": 0.01, "warns_above": 0.1}}
    shown = text("status", {**answers.STATUS, "levels": levels}, PLAIN)
    assert "query_time   database query time 10 ms (warns above 100 ms)" in shown
    assert "connections in use 85 % (warns above 80 %)" in shown
    silent = {**answers.STATUS, "levels": {"unreadable": "no answer"}}
    assert "cannot be read: no answer" in text("status", silent, PLAIN)
    assert text("status", answers.STATUS, PLAIN) == text("status", {**answers.STATUS, "levels": {}}, PLAIN)


def test_a_check_has_them_among_its_verdicts() -> None:
    """In their unit, without a count of requests."""
    judged = [verdict.to_json() for verdict in judge_levels(LEVELS, Rules(None, "blue", "x").warn_levels)]
    shown = text("verdicts", {**answers.VERDICTS, "verdicts": judged}, PLAIN).splitlines()
    assert ["WARN", "pool", "85", "%", "80", "%"] == shown[2].split()
    assert ["PASS", "cpu", "40", "%", "70", "%"] == shown[3].split()
