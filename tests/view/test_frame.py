"""The picture of a deployment, at any size."""

from __future__ import annotations

from datetime import timedelta
from functools import reduce
from typing import Any

import pytest
from view.story import BEGINNING, Story, plan, until

from deploytasks.engine.plan import to_json
from deploytasks.ports import Event
from deploytasks.steps import Arm, Settle
from deploytasks.view import scene as scenes
from deploytasks.view.desk import NOBODY, Desk, Life
from deploytasks.view.frame import final, frame
from deploytasks.view.scene import Scene, follow

GOOD, BAD, SILENT = Story().tell(), Story(errors=0.06).tell(), Story(silent=True).tell()
HELD = BAD[:-5]
"""Up to the last hold; then it goes home."""
SIZES = [(80, 23), (120, 39), (74, 13), (200, 60), (40, 8), (20, 3)]


def seen(events: list[Event]) -> Scene:
    """What these events add up to."""
    return reduce(follow, events, Scene())


LIFE = Life("ann@laptop", 7, 60.0, lambda: 3.0, 10.0, "library", "development")
AT_WORK = Desk(has_keys=True, life=LIFE, beat=3.0)


def picture(events: list[Event], width: int = 80, height: int = 23, later: float = 3.0, desk: Desk = NOBODY) -> str:
    """The screen, ``later`` seconds after the last event."""
    return "\n".join(line.plain for line in frame(seen(events), width, height, _after(events, later), desk))


def _after(events: list[Event], seconds: float) -> Any:
    return events[-1].at + timedelta(seconds=seconds)


@pytest.mark.parametrize(("width", "height"), SIZES)
@pytest.mark.parametrize("events", [GOOD, BAD, SILENT], ids=["good", "bad", "silent"])
def test_it_fits(events: list[Event], width: int, height: int) -> None:
    """After each event, on any terminal, no line overflows and no more lines are drawn than fit."""
    scene = Scene()
    for event in events:
        scene = follow(scene, event)
        lines = frame(scene, width, height, event.at + timedelta(seconds=3))
        assert len(lines) <= height
        assert max(line.cell_len for line in lines) <= width
        assert max(line.cell_len for line in final(scene, width, event.at)) <= width


@pytest.mark.parametrize(("width", "height"), [(80, 23), (120, 39)])
def test_what_matters_is_visible(width: int, height: int) -> None:
    """In the middle of a rollout everything that a person asks for is on the screen."""
    shown = picture(list(until(GOOD, "reading", 12)), width, height, desk=AT_WORK)
    for fact in (
        "library deploy 1.2.3 → development → green",
        "✓ arm the dead-man's switch 1.5 s",
        "▸ roll out",
        "· settle",
        " stage 2 of 3, 50 % ━━━━",
        "─ 12 s left ─",
        "  blue  1.2.2 ",
        " 50 %",
        "  green users     20.0      900         0 (0 %)      21 ms      47 ms    ",
        "  green probes       –       45         0 (0 %)      21 ms      47 ms",
        "0 %   limit 2 %",
        "47 ms   limit 71 ms (vs blue), 2000 ms",
        "0 %   toward rolling back",
        "waiting for the next reading, in 12 s",
        "lease ann@laptop, beat  3 s ago  switch ● armed: home after 10 s of silence",
        "p pause  c continue  a abort  f promote now  ? help  Ctrl-C takes it back",
    ):
        assert fact in shown, fact


def test_every_step_has_a_tick() -> None:
    """The plan is there before anything is done, and what is done is ticked off, with its time."""
    shown = picture(list(until(GOOD, "step", 7)), 120, 39)
    for step in plan().steps:
        assert step.label in shown
    assert "✓ check the gates 1.5 s" in shown
    assert "▸ install 3 s" in shown
    assert "· roll out" in shown
    assert "waiting for: install, 3 s so far" in shown


def test_clocks_go_on_between_readings() -> None:
    """The time left counts down although nothing is told."""
    events = list(until(GOOD, "reading", 12))
    assert "─ 8 s left ─" in picture(events, later=7.0)
    assert "━ 0 s left ─" in picture(events, later=60.0)


def test_a_hold_says_why_and_how_long() -> None:
    """On hold: what is doubted, in full, how near the test is to rolling back, and when patience ends."""
    shown = picture(HELD)
    assert "━━ hold at stage 1 of 3, 10 % " in shown
    assert " goes home in 13 min 57 s ──" in shown
    assert " ON HOLD  ambiguous: errors: 24 of 480 requests to green (5 %) were errors," in shown
    assert "against a limit of 2 %: not beyond chance, but too many to go on" in shown
    assert "88 %!! toward rolling back (errors)" in shown
    assert "! warn_errors: 9 of 180 requests" in shown


def test_errors_over_the_limit_are_red() -> None:
    """A number above its limit is red; one above its warning is yellow, one below neither."""
    lines = frame(seen(HELD), 120, 39, _after(HELD, 0.0))
    (green,) = [line for line in lines if line.plain.startswith("  green users")]
    (blue,) = [line for line in lines if line.plain.startswith("  blue  users")]
    assert "bold red" in {str(span.style) for span in green.spans}
    assert "bold red" not in {str(span.style) for span in blue.spans}


def test_no_data_is_not_zero() -> None:
    """Without numbers there is a reason instead of a table of zeros."""
    shown = picture(list(until(SILENT, "reading", 2)))
    assert "no data: the balancer's statistics page does not answer" in shown
    assert "0 (0 %)" not in shown


def test_the_end_stays_on_the_terminal() -> None:
    """What is left there: outcome, ticks, and where traffic is, after a rollback: at home."""
    good = "\n".join(line.plain for line in final(seen(GOOD), 80, _after(GOOD, 99)))
    assert "deploy 1.2.3 → green: done" in good
    assert "✓ settle 1.5 s" in good
    assert "traffic: blue 0 % / green 100 %" in good
    bad = "\n".join(line.plain for line in final(seen(BAD), 80, _after(BAD, 99)))
    assert "deploy 1.2.3 → green: taken back" in bad
    assert "↩ roll out" in bad
    assert "traffic: blue 100 % / green 0 %" in bad


def test_the_switch() -> None:
    """The dead-man's switch is shown as armed from its step on until it is settled or undone."""
    assert Arm.name == scenes.ARM
    assert Settle.name == scenes.SETTLE
    armed = [seen(GOOD[:count]).armed for count in range(1, len(GOOD) + 1)]
    steps = [(each.facts.get("step"), each.facts.get("state")) for each in GOOD]
    first, last = steps.index((Arm.name, "done")), steps.index((Settle.name, "done"))
    assert [first <= at < last for at in range(len(GOOD))] == armed
    assert not seen(BAD).armed


def test_where_traffic_is_when_the_way_home_failed() -> None:
    """A shift that could not be undone leaves the split unknown, and says nothing else."""
    events = [each._replace(facts={**each.facts, "state": "not undone"}) if _undoes(each) else each for each in BAD]
    assert seen(events).split is None
    assert "traffic:" not in "\n".join(line.plain for line in final(seen(events), 80, _after(BAD, 0)))


def _undoes(event: Event) -> bool:
    return event.facts.get("step") == "roll out" and event.facts.get("state") == "undone"


def test_a_resumed_deployment_ticks_what_was_done_before() -> None:
    """The steps before the first one that begins are done, though nobody tells it again."""
    began = GOOD[0]
    events = [began, Event(99, BEGINNING, "step", {"step": "roll out", "state": "began"}, "ann", 1, "", "")]
    states = {step.label: step.state for step in seen(events).steps}
    assert ("done", "began", "waiting") == (states["install"], states["roll out"], states["settle"])


def test_a_plan_of_another_version() -> None:
    """Steps that this code does not know are shown by their recorded names."""
    recorded = to_json(plan())
    steps = [{"step": "prepare the balancer"}, {"step": "fly to the moon", "fuel": 3}]
    facts: Any = {"task": "deploy", "plan": {**recorded, "steps": steps}}
    assert ["prepare the balancer", "fly to the moon"] == [
        step.label for step in follow(Scene(), Event(1, BEGINNING, "began", facts, "ann", 1, "", "")).steps
    ]


def test_rates_are_those_of_the_last_poll() -> None:
    """Requests per second come from two readings a poll apart; two in quick succession change nothing."""
    events = list(until(GOOD, "reading", 12))
    assert {"blue": 20.0, "green": 20.0} == seen(events).rates
    soon = events[-1]._replace(at=events[-1].at + timedelta(milliseconds=5))
    assert {"blue": 20.0, "green": 20.0} == seen([*events, soon]).rates


def test_a_counter_that_was_reset_has_no_rate() -> None:
    """A count that fell is not a negative rate, and not zero."""
    events = list(until(GOOD, "reading", 12))
    reading: Any = {"totals": {"blue": [5, 0, []], "green": [99999, 0, []]}}
    reset = events[-1]._replace(at=events[-1].at + timedelta(seconds=15), facts={"reading": reading, "outlook": {}})
    assert ["green"] == list(seen([*events, reset]).rates)


def test_the_threshold_rule_has_no_evidence() -> None:
    """Where each reading is judged by the limits alone, no test is on its way to anything."""
    scene = seen(list(until(GOOD, "reading", 12)))
    literal = Scene(
        began=scene.began, steps=scene.steps, rules={**scene.rules, "rule": "threshold"}, reading=scene.reading
    )
    shown = "\n".join(line.plain for line in frame(literal, 80, 23, BEGINNING))
    assert "judged by these limits alone" in shown
    assert "toward rolling back" not in shown


def test_nothing_told_yet() -> None:
    """Before the first event there is little to show, and no error."""
    assert frame(Scene(), 80, 23, BEGINNING)
    assert final(Scene(), 80, BEGINNING)
