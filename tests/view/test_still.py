"""The live view stays still: what is where does not depend on what happens, and nothing too long breaks it."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from functools import reduce
from typing import Any

import pytest
from rich.cells import cell_len
from view.story import BEGINNING, Story, until

from deploytasks.ports import Event
from deploytasks.view.desk import Desk, Life
from deploytasks.view.dialog import Dialog
from deploytasks.view.frame import frame
from deploytasks.view.scene import Scene, StepSeen, follow

STORIES = {"good": Story().tell(), "bad": Story(errors=0.06).tell(), "silent": Story(silent=True).tell()}
SIZES = [(80, 23), (120, 39), (74, 13), (200, 60)]
LIFE = Life("ann@laptop", 7, 60.0, lambda: 3.0, 10.0)
DESK = Desk(has_keys=True, life=LIFE, beat=3.0)
LANDMARKS = ("  blue ", "  green ", "  errors ", "  P99 ", "  evidence ", "lease ", "p pause")


def places(scene: Scene, width: int, height: int, later: float, desk: Desk = DESK) -> list[tuple[str, int]]:
    """Where the fixed words are among the lines, and how many lines there are."""
    lines = [line.plain for line in frame(scene, width, height, BEGINNING + timedelta(seconds=later), desk)]
    found = [(mark, at) for mark in LANDMARKS for at, line in enumerate(lines) if line.startswith(mark)]
    return [*found, ("end", len(lines))]


@pytest.mark.parametrize(("width", "height"), SIZES)
@pytest.mark.parametrize("name", STORIES)
def test_nothing_jumps(name: str, width: int, height: int) -> None:
    """From the beginning to the end, in any order of events, each part is where it was."""
    scene, seen = Scene(), set()
    for at, event in enumerate(STORIES[name]):
        scene = follow(scene, event)
        found = places(scene, width, height, 3.0 + at)
        # without numbers, a reason stands in their rows
        seen.add(tuple(each for each in found if name != "silent" or each[0] not in ("  blue ", "  green ")))
    assert 1 == len(seen)


@pytest.mark.parametrize("mode", ["watching", "help", "abort?", "abort", "promote"])
def test_a_question_moves_nothing(mode: Any) -> None:
    """Neither a question nor the page of help makes the screen longer or shorter."""
    scene = reduce(follow, until(STORIES["good"], "reading", 12), Scene())
    asking = replace(DESK, dialog=Dialog(mode, "because", ""))
    assert places(scene, 80, 23, 160)[-1] == places(scene, 80, 23, 160, asking)[-1]


@pytest.mark.parametrize("seconds", [0.0, 1.0, 7.0, 14.0, 59.0])
def test_numbers_keep_their_columns(seconds: float) -> None:
    """Each row of numbers ends where it ended, whatever the numbers are."""
    ends = set()
    for count in (4, 8, 12):
        events = list(until(STORIES["good"], "reading", count))
        scene = reduce(follow, events, Scene())
        lines = frame(scene, 80, 23, events[-1].at + timedelta(seconds=seconds), DESK)
        (row,) = [line.plain for line in lines if line.plain.startswith("  blue  users")]
        ends.add(row.index("ms", 60) + 2 if "ms" in row[60:] else row.index("–", 60) + 1)
    assert len(ends) == 1


def long_ones() -> list[Event]:
    """A deployment whose every name is as long and as wide as names get."""
    wide = "リリース" * 12 + "🚀"
    found = []
    for event in until(STORIES["bad"], "reading", 9):
        facts: dict[str, Any] = {**event.facts, "who": wide + "@" + "h" * 200, "deployment": "20261123-" + "9" * 80}
        found.append(
            event._replace(facts={**facts, "version": wide, "application": wide} if event.number == 1 else facts)
        )
    return found


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_long_and_wide_names_fit(width: int, height: int) -> None:
    """Double-width characters, emoji and endless hosts: no line is wider than the terminal."""
    scene = reduce(follow, long_ones(), Scene())
    life = LIFE._replace(holder="ホスト" * 50)
    asking = replace(DESK, life=life, dialog=Dialog("promote", "ｗ" * 150), said="ｗ" * 300)
    for desk in (replace(DESK, life=life, said="ｗ" * 300), asking):
        lines = frame(scene, width, height, BEGINNING + timedelta(minutes=2), desk)
        assert len(lines) <= height
        assert max(cell_len(line.plain) for line in lines) <= width


@pytest.mark.parametrize("place", [0, 1, 7, 15, 28, 29])
def test_thirty_steps(place: int) -> None:
    """A long plan shows the step at work and its neighbors by name, and counts the others."""
    steps = tuple(
        StepSeen(f"step {at}", "done" if at < place else "began" if at == place else "waiting", BEGINNING, 1.0)
        for at in range(30)
    )
    scene = replace(reduce(follow, until(STORIES["good"], "reading", 3), Scene()), steps=steps)
    shown = "\n".join(line.plain for line in frame(scene, 80, 23, BEGINNING, DESK))
    assert f"▸ step {place} " in shown
    named = len(re.findall(r"step \d+ ", shown))
    hidden = sum(int(count) for count in re.findall(r"(\d+) (?:more )?steps?\b", shown))
    assert 30 == named + hidden


def test_paused_says_by_whom_and_why_and_until_when() -> None:
    """A pause is a badge, so it is seen in any color and in none; the rule says when traffic goes home."""
    events = list(until(STORIES["good"], "reading", 12))
    last = events[-1]
    outlook: Any = {**last.facts["outlook"], "phase": "paused at stage 2 of 3, 50 %", "pause_left": 1790.0}  # type: ignore[dict-item]
    outlook |= {"paused_by": "bob@desk", "paused_why": "the graphs look odd"}
    events[-1] = last._replace(facts={**last.facts, "outlook": outlook})
    scene = reduce(follow, events, Scene())
    lines = frame(scene, 80, 23, last.at + timedelta(seconds=10), DESK)
    shown = "\n".join(line.plain for line in lines)
    assert "━━ paused at stage 2 of 3, 50 % " in shown
    assert " goes home in 29 min 40 s " in shown
    assert " PAUSED  by bob@desk: the graphs look odd; it is watched on" in shown
    (badge,) = [line for line in lines if line.plain.startswith(" PAUSED")]
    assert "bold reverse" in {str(span.style) for span in badge.spans}


def test_what_is_over_a_limit_is_marked_without_color() -> None:
    """The number, the gauge and the line over time say it by their shapes."""
    scene = reduce(follow, until(STORIES["bad"], "reading", 9), Scene())
    shown = "\n".join(line.plain for line in frame(scene, 80, 23, BEGINNING, DESK))
    assert "(5 %)!!" in shown
    assert re.search(r"errors   █+┃█", shown)
    assert re.search(r"limit 2 % .*█████$", shown, re.MULTILINE)


ASKED = {"verb": "promote", "reason": "x", "deployment": "d"}


def asked(scene: Scene, kind: str, **facts: Any) -> str:
    """The line about what was asked, after one more event."""
    after = follow(scene, Event(900 + len(facts), BEGINNING, kind, facts, "bob@desk", 1, "", ""))
    lines = frame(after, 80, 23, BEGINNING, DESK)
    return lines[-3].plain


def test_the_answer_to_a_key_is_shown() -> None:
    """Asked, then answered: by an event of its own, or by the reading that carries it."""
    scene = reduce(follow, until(STORIES["good"], "reading", 12), Scene())
    assert "promote by bob@desk: asked  10:15:00" == asked(scene, "asked", **ASKED)
    no = {"verb": "promote", "obeyed": False, "said": "too late: the rollout is over"}
    assert "promote: no: too late: the rollout is over  10:15:00" == asked(scene, "answered", asked=1, **no)
    reading: Any = {**scene.reading["reading"], "command": ["pause", "bob@desk", "odd", 12]}  # type: ignore[dict-item]
    facts = {**scene.reading, "reading": reading}
    assert asked(scene, "reading", **facts).startswith("pause by bob@desk: paused: watched on, but no more traffic")
