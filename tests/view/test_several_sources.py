"""Each source of what users met, by its name, wherever people look."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from functools import reduce
from typing import Any

from deploytasks.ports import Color, Counts, Event, Health, NoData, Reading, Split, Totals
from deploytasks.rollout import Course, Rules, Shift, advance, outlook, reading_to_json, start
from deploytasks.view.frame import frame
from deploytasks.view.scene import Scene, follow
from deploytasks.view.sentences import sentence
from deploytasks.view.watching import watched

BEGINNING = datetime(2026, 11, 23, 10, 15, tzinfo=UTC)
MORE = (("prometheus 2", ("latency",)), ("sentry", ("errors",)))
RULES = Rules("blue", "green", "deploy:1", users="envoy", more=MORE, baseline=15.0)
WELL: dict[Color, Health] = {"blue": Health(True, "200"), "green": Health(True, "200")}


def told(sentry: NoData | None = None) -> tuple[Scene, dict[str, Any], Course, Reading]:
    """A deployment some readings into its first stage: 800 requests to green, by three sources."""
    split, course, events = Split.all_on("blue"), start(RULES, BEGINNING), []
    for poll in range(9):
        at = BEGINNING + timedelta(seconds=15 * poll)
        counts: dict[Color, Totals] = {
            "blue": Totals(900 * poll, 0, {0.02: 90 * poll}),
            "green": Totals(100 * poll * bool(split.green), 0, {}),
        }
        more: dict[str, Counts] = {"prometheus 2": counts, "sentry": sentry or bad(counts)}
        reading = Reading(at, split, counts, None, WELL, (), more=more)
        course, move = advance(RULES, course, reading)
        facts = {"reading": reading_to_json(reading), "outlook": outlook(RULES, course, at).to_json()}
        events.append(Event(poll, at, "reading", json.loads(json.dumps(facts)), "ann", 1, "", ""))
        if isinstance(move, Shift):
            split = Split.partly_on("green", move.percent, "blue", RULES.writer)
    return reduce(follow, events, Scene(rules=RULES.to_json())), dict(events[-1].facts), course, reading


def bad(counts: dict[Color, Totals]) -> dict[Color, Totals]:
    return {color: found._replace(errors=found.requests // 100) for color, found in counts.items()}


def screen(scene: Scene, height: int = 30) -> list[str]:
    return [line.plain for line in frame(scene, 100, height, BEGINNING + timedelta(seconds=120))]


def test_the_live_view_has_a_row_for_each_source_and_color() -> None:
    """What it does not give is a dash, and no number."""
    shown = screen(told()[0])
    rows = {tuple(line.split()[:2]): line for line in shown if line.startswith(("  blue ", "  green "))}
    assert "P99" in next(line for line in shown if "requests" in line)
    assert ("green", "envoy") in rows
    assert rows["green", "sentry"].split()[2:] == ["–", "800", "8", "(1", "%)", "–", "–"]
    assert rows["green", "prometheus"].split()[2:6] == ["2", "–", "800", "–"]
    assert 1 == len({line.index("800") for line in rows.values() if "   800 " in line})


def test_who_is_silent_says_why_and_the_others_stay() -> None:
    """One line for it, in the place of its numbers."""
    shown = screen(told(NoData("Sentry says 429"))[0])
    assert any(line.split() == ["sentry", "no", "data:", "Sentry", "says", "429"] for line in shown)
    assert any(line.startswith("  green envoy") for line in shown)


def test_a_line_of_the_log_names_each() -> None:
    """After both colors, as the first source counts them."""
    line = sentence("reading", told()[1])
    assert line.startswith("10 %, envoy: blue ")
    assert " | sentry: blue 6300 req 63 err (1 %), green 800 req 8 err (1 %) | " in line
    assert " | prometheus 2: blue 6300 req P99 " in line
    silent = sentence("reading", told(NoData("Sentry says 429"))[1])
    assert "| NO DATA from sentry: Sentry says 429 |" in silent


def test_a_watch_names_each() -> None:
    """`inv watch` looks at one color, as all sources count it."""
    _, _, course, reading = told()
    line = watched(course, reading)
    assert "10 %, envoy: green 800 req 0 err (0 %)" in line
    assert "sentry: green 800 req 8 err (1 %)" in line
