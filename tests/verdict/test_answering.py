"""What people are told about what they asked of a rollout."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from deploytasks.ports import Command, Health, Reading, Split, Totals
from deploytasks.rollout import Course, Move, Rules, Shift, advance, again, start
from deploytasks.verdict.answering import answer, cut_short, told

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
RULES = Rules(home="blue", target="green", writer="deploy:1", stages=(50, 100), watch=30, bake=0, baseline=15, poll=15)


def read(
    course: Course, verb: str = "", after: float = 0.0, split: Split | None = None
) -> tuple[Course, Move, Reading]:
    """One reading of a world in which all is well."""
    counts = Totals(100, 0, {})
    command = Command(verb, "ann", "because", 7) if verb else None
    well = {"blue": Health(True, "200"), "green": Health(True, "200")}
    split = split or Split.all_on("blue", None, "settled:0")
    at = START + timedelta(seconds=after)
    reading = Reading(at, split, {"blue": counts, "green": counts}, None, well, (), command)
    return *advance(RULES, course, reading), reading


def test_what_nobody_asked_has_no_answer() -> None:
    """A reading without a command is a mistake of whoever asks."""
    before = start(RULES, START)
    after, move, reading = read(before)
    with pytest.raises(ValueError, match="nobody asked"):
        answer(RULES, before, after, reading, move)
    assert cut_short(RULES, before, after, reading) is None


def test_a_pause_and_its_end() -> None:
    """Where, and until when; then what comes next."""
    before = start(RULES, START)
    paused, move, reading = read(before, "pause")
    found = answer(RULES, before, paused, reading, move)
    assert (7, "pause", True, "paused at baseline; goes home at 12:30:00 UTC unless continued") == found
    assert "paused at baseline by ann (because), goes home at 12:30:00 UTC" == told(RULES, paused)
    after, move, reading = read(paused, "continue", 10)
    assert "goes on: baseline, 5 s left" == answer(RULES, paused, after, reading, move).said
    assert "baseline" == told(RULES, after)
    after, move, reading = read(paused, "continue", 20)
    assert "goes on: 50 % next" == answer(RULES, paused, after, reading, move).said


def test_a_promotion_that_is_due_is_no_override() -> None:
    """Where the rules wait for a word, it skips nothing."""
    before = start(RULES, START)
    early, move, reading = read(before, "promote", 5)
    assert answer(RULES, before, early, reading, move).obeyed
    assert ("the watch of baseline", "promoted 10 s early by ann: because") == cut_short(RULES, before, early, reading)
    due, move, reading = read(before, "promote", 20)
    assert "promoted: baseline is over, stage 1 of 2, 50 % begins" == answer(RULES, before, due, reading, move).said
    assert cut_short(RULES, before, due, reading) is None


def test_traffic_that_somebody_else_moved_is_the_answer() -> None:
    """Whatever was asked."""
    before = start(RULES, START)
    after, move, reading = read(before, "pause", split=Split.partly_on("green", 50, "blue", "deploy:2"))
    found = answer(RULES, before, after, reading, move)
    assert not found.obeyed
    assert "traffic was moved by someone else" in found.said


def test_a_shift_that_is_still_to_be_made_comes_first() -> None:
    """After a resumption: a promotion is not obeyed with the reading that repeats it, and is told so."""
    shifted, _, _ = read(start(RULES, START), "promote", 5)
    before = again(RULES, shifted, START + timedelta(seconds=60))
    after, move, reading = read(before, "promote", 61)
    assert Shift(50, "resumed: this shift was decided, but not made") == move
    found = answer(RULES, before, after, reading, move)
    assert (False, "resumed: this shift was decided, but not made") == (found.obeyed, found.said)
