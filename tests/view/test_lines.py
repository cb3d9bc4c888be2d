"""The log of a deployment, line by line."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st
from view.story import BEGINNING, Story

from deploytasks.ports import Event
from deploytasks.view.lines import Lines
from deploytasks.view.sentences import sentence


def log(events: list[Event]) -> list[str]:
    """What is written."""
    written: list[str] = []
    listener = Lines(written.append)
    for event in events:
        listener.tell(event)
    return written


@pytest.fixture(scope="module")
def good() -> list[str]:
    """The log of a deployment that goes well."""
    return log(Story().tell())


@pytest.fixture(scope="module")
def bad() -> list[str]:
    """The log of one whose release fails 6 % of the requests."""
    return log(Story(errors=0.06).tell())


def test_it_begins_with_what_and_who(good: list[str]) -> None:
    """The first line says what is deployed, where, by whom; then what people should know beforehand."""
    assert "10:15:00  began: deploy 1.2.3 on green, by ann@laptop, 14 steps" == good[0]
    assert "10:15:00  note: built from a work tree with changes" == good[1]


def test_every_line_has_its_time(good: list[str], bad: list[str]) -> None:
    """Each line is one line, and begins with a time."""
    for line in good + bad:
        assert "\n" not in line
        assert line[2] == line[5] == ":"
        assert "  " == line[8:10]


def test_steps_have_their_seconds(good: list[str]) -> None:
    """A step is told when it begins and when it is done."""
    at = good.index("10:15:04  step began: install")
    assert "10:15:06  installed: 1.2.3 on green (1.2.3-d1d1d1d1d1d1)" == good[at + 1]
    assert "10:15:06  step done: install, 1.5 s" == good[at + 2]


def test_shifts_are_told(good: list[str]) -> None:
    """Each shift is told before and after it is made."""
    shifts = [line[10:] for line in good if "shift" in line]
    assert ["shifting: to blue 90 % / green 10 %", "shifted: blue 90 % / green 10 %"] == shifts[:2]
    assert 6 == len(shifts)


def test_a_reading_on_one_line(good: list[str]) -> None:
    """The new color first: requests, errors, P99; then the live one, our own probes, time left, evidence."""
    expected = (
        "10:16:15  10 %: green 120 req 0 err (0 %) P99 47 ms | blue 1080 req 0 err (0 %) P99 47 ms | "
        "probes 30 req 0 err (0 %) P99 47 ms | 30 s left | evidence 0 %"
    )
    assert expected in good


def test_one_line_per_poll(good: list[str]) -> None:
    """There is never more than one reading within a poll; one that only begins a stage is told by its verdict."""
    times = [line[:8] for line in good if "evidence" in line]
    assert sorted(set(times)) == times
    assert not [line for line in good if "green 0 req | blue 0 req" in line and "10:15:15" not in line]


def test_each_pass_is_told_with_its_numbers(good: list[str]) -> None:
    """A stage that passed says by how many requests, at which value, against which limit."""
    passed = [line for line in good if "  pass: " in line]
    assert 5 == len(passed)
    stage = "pass: stage 1 of 3, 10 % passed: 0 errors in 240 requests (0 %, limit 2 %), P99 47 ms, limit 71 ms"
    assert passed[1].endswith(stage)


def test_it_ends_with_the_outcome(good: list[str], bad: list[str]) -> None:
    """The last line has outcome, code, duration, and the reason when there is one."""
    assert "10:19:49  ended: done, code 0 after 3 min 20 s" == good[-1]
    assert "ended: taken back, code 4 after 1 min 40 s: errors: 27 of 540 requests to green (5 %)" in bad[-1]


def test_why_it_went_back(bad: list[str]) -> None:
    """Warning, hold and rollback each say once why: how many of how many, against which limit."""
    said = [line[10:].partition(":")[0] for line in bad if line[10:].startswith(("warning", "hold", "roll back"))]
    assert ["warning", "hold", "roll back"] == said
    assert [line for line in bad if "roll back: errors: 27 of 540 requests to green (5 %) were errors" in line]


def test_what_is_undone(bad: list[str]) -> None:
    """Each step that is undone is told, traffic first."""
    undone = [line[10:].partition(" (")[0] for line in bad if "step undone" in line]
    assert ["step undone: roll out", "step undone: arm the dead-man's switch", "step undone: start green"] == undone


def test_no_data_is_said_aloud() -> None:
    """Readings without numbers say so, and why; a hold is told once, not with each reading."""
    written = log(Story(silent=True).tell())
    assert [line for line in written if "NO DATA: the balancer's statistics page does not answer" in line]
    assert 2 == len([line for line in written if "  hold: " in line])
    assert "ended: held, code 6" in written[-1]


def test_what_cannot_be_undone_stands_out() -> None:
    """A step that could not be undone, and what was left, are in capitals."""
    facts = {"step": "roll out", "state": "not undone", "why": "refused"}
    end = {"outcome": "stuck", "code": 8, "why": "bad", "left": ["roll out: refused"], "seconds": 2}
    written = log([event("step", facts), event("ended", end)])
    assert "step NOT undone: roll out: refused" in written[0]
    assert "ended: stuck, code 8 after 2.0 s: bad; NOT taken back: roll out: refused" in written[1]


def test_a_sick_color_is_told() -> None:
    """An unhealthy target shows in its reading."""
    facts = {"reading": {"health": {"green": [False, "500"]}}, "outlook": {"percent": 10, "users": {"green": {}}}}
    assert ["10:15:00  10 %: green 0 req | green UNHEALTHY: 500 | evidence 0 %"] == log([event("reading", facts)])


def event(kind: str, facts: Any, number: int = 1) -> Event:
    """One event."""
    return Event(number, BEGINNING, kind, facts, "ann@laptop", 7, "", "")


@pytest.mark.parametrize(
    ("kind", "facts", "text"),
    [
        ("deadman-fired", {"silence": 12.3, "why": "traffic went home"}, "fired after 12 s of silence: traffic went"),
        ("deadman-failed", {"why": "refused"}, "FAILED to take traffic home: refused"),
        ("rolled-back", {"from": [50, 50], "to": [100, 0], "by": "ann", "reason": "slow"}, "by ann: slow"),
        ("maintenance", {"on": True, "message": "soon"}, "maintenance: closed soon"),
        ("lease", {"state": "taken-over", "holder": "ann", "taken_from": "bob", "doing": "deploy"}, "from bob"),
        ("backup", {"name": "library-1", "size": 3200000}, "backup: library-1, 3.2 MB"),
        ("migrated", {"command": "migrate", "color": "green", "reverse": None}, "no command takes it back"),
        ("migrating", {"before": ["a.0001"], "preset": "django"}, "migrating: 1 migration applied before"),
        ("migrated", {"command": "migrate", "color": "green", "preset": "django"}, "migrated: `migrate` from green"),
        ("reversed", {"command": "x", "color": "green", "migrations": ["a.2", "a.1"]}, "from green: a.2, a.1"),
        ("restored", {"name": "library-1"}, "restored: library-1"),
        ("restored", {"name": "n", "kept": "old", "lost": ["a slot"]}, "kept as old; NOT carried over: a slot"),
        ("retired", {"color": "blue"}, "retired: blue"),
        ("note", {"text": "hello"}, "note: hello"),
        (
            "signed",
            {"act": "sign", "item": "people.oncall", "about": "c" * 40, "note": "Ben", "signer": "ann@example.org"},
            "signed: people.oncall for cccccccccccc, with the key of ann@example.org: Ben",
        ),
        ("signed", {"act": "override", "item": "a", "about": "c", "note": "why"}, "set aside: a for c: why"),
        ("signed", {"act": "approve", "about": "d" * 64}, "approved: the plan for dddddddddddd"),
        ("signed", {"act": "promote", "about": "1.2.0"}, "promote for 1.2.0"),
        ("signed", {}, ""),
        (
            "overridden",
            {"items": [["code.tests", "by ann"], ["a", "by b"]]},
            "in spite of: code.tests: by ann; a: by b",
        ),
        ("overridden", {"items": 3}, "in spite of:"),
        ("lesson", {"text": "watch the queue"}, "learned: watch the queue"),
        ("began", {"task": "deploy", "planned": {"by": ["ben", "cay"]}}, "its plan approved by ben, cay"),
        ("something-new", {"a": 1, "b": "x", "c": {}}, "something-new: a 1, b x"),
    ],
)
def test_each_kind_of_event(kind: str, facts: Any, text: str) -> None:
    """Every kind of event is told in a sentence, also one from a later version of this code."""
    (line,) = log([event(kind, facts)])
    assert text in line


def test_evidence_is_left_to_who_brings_it() -> None:
    """The checklist shows its items itself, and what it remembers beside them is for no eye."""
    assert [] == log([event("evidence", {"item": "tests", "ok": True}), event("checked", {}), event("secrets", {})])


@pytest.mark.parametrize(
    ("facts", "text"),
    [
        (
            {
                "version": "1.2.3",
                "level": "staging",
                "hotfix": True,
                "results": [["a.b", "pass", ""], ["c.d", "fail", ""], ["e.f", "pass", ""], "odd"],
            },
            "checklist of 1.2.3 as a hotfix, level staging: 2 pass, 1 fail",
        ),
        ({"version": "1.2.3", "level": "staging", "results": 5}, "checklist of 1.2.3, level staging: no items"),
    ],
)
def test_a_checklist_is_counted(facts: Any, text: str) -> None:
    """As the history tells it."""
    assert text == sentence("checked", facts)


def test_forged_lines_are_not_written() -> None:
    """A text from outside cannot make a line of its own, nor move the cursor."""
    (line,) = log([event("note", {"text": "a\n10:15:00  ended: done\x1b[2J\r"})])
    assert "10:15:00  note: a 10:15:00 ended: done[2J" == line


kinds = st.sampled_from(["began", "step", "shifting", "shifted", "reading", "ended", "settled", "rolled-back", "odd"])
names = st.sampled_from([
    "plan", "steps", "reading", "outlook", "users", "green", "evidence", "step", "state", "split", "verdicts",
    "warnings", "notes", "health", "totals", "probes", "seconds", "left", "why",
])  # fmt: skip
junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(kinds, st.dictionaries(names, junk, max_size=5)), max_size=5))
def test_garbage_is_survived(told: list[tuple[str, dict[str, Any]]]) -> None:
    """Whatever an event holds, telling it raises nothing."""
    log([event(kind, facts, number) for number, (kind, facts) in enumerate(told, 1)])


def test_readings_that_come_too_soon_are_skipped() -> None:
    """A reading shortly after another, with nothing new in it, is worth no line; with news it is."""
    events = Story().tell()
    at = max(number for number, each in enumerate(events) if each.kind == "reading" and "pass" not in str(each.facts))
    early = events[at]._replace(at=events[at].at + timedelta(seconds=1))
    before, after = log(events[: at + 1]), log([*events[: at + 1], early])
    assert before == after
