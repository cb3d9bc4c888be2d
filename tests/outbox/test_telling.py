"""What people hear of a deployment: one bulletin for each change of state, whoever folds it and from where."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import memory
import pytest
from inboxes import ABOUT

from deploytasks import plans
from deploytasks.bulletins import Bulletin
from deploytasks.engine.plan import to_json as plan_to_json
from deploytasks.errors import DeployError
from deploytasks.operations.carrying_out import carry_out
from deploytasks.operations.recording import Recording
from deploytasks.operations.recovery import recover
from deploytasks.operations.returning import roll_back
from deploytasks.outbox import TELLING
from deploytasks.outbox.story import About, Story, from_json, to_json
from deploytasks.outbox.tape import Tape
from deploytasks.outbox.telling import told
from deploytasks.outbox.wording import numbers
from deploytasks.ports import Command, Event
from deploytasks.smoke import Result
from deploytasks.steps import smoke
from deploytasks.world import World

SHORT: dict[str, Any] = {"stages": [50, 100], "watch": "30s", "bake": "15s", "poll": "15s", "baseline": "15s"}


@pytest.fixture(autouse=True)
def smoke_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Smoke checks pass."""
    monkeypatch.setattr(smoke, "run_checks", lambda base, checks: [Result("health", True, "200", 0.0)])


def bulletins(events: Sequence[Event], about: About = ABOUT) -> Iterator[Bulletin]:
    """What these events tell, from the first on."""
    story = Story()
    for event in events:
        story, bulletin = told(about, story, event)
        if bulletin is not None:
            assert event.kind in TELLING
            yield bulletin


def changes(events: Sequence[Event], least: bool = True) -> list[str]:
    """The changes that people hear of; with ``least`` false the details, too."""
    return [one.change for one in bulletins(events) if one.severity != "detail" or not least]


def deploy(world: World, version: str, task: str = "deploy") -> None:
    wanted = partial(plans.deploy, release=memory.release(version), gates=False)
    with suppress(DeployError):
        carry_out(world, wanted, task=task)


def recorded(folder: Path) -> tuple[Event, ...]:
    return tuple(memory.world(folder).ledger.events())


def twice(folder: Path, **world: Any) -> tuple[Event, ...]:
    """Version 1.0.0 is live, then 1.1.0 is deployed while the world is as said; only the events of the second."""
    deploy(memory.world(folder, **SHORT), "1.0.0")
    memory.state_of(folder).set(**world)
    deploy(memory.world(folder, **SHORT), "1.1.0")
    events = recorded(folder)
    began = [event.number for event in events if event.kind == "began"][-1]
    return events[began - 1 :]


def test_a_deployment_that_goes_well_is_told_twice(tmp_path: Path) -> None:
    """That it began, and that it is live: with versions, who, numbers, and where traffic is; the way there is a
    detail."""
    events = twice(tmp_path)
    assert ["started", "finished"] == changes(events)
    assert ["started", "backed-up", "shifted", "shifted", "finished"] == changes(events, least=False)
    started, *_, finished = bulletins(events)
    assert ("library 1.1.0 is being deployed to test", "info") == (started.headline, started.severity)
    assert ("1.1.0", "1.0.0", "green") == (finished.version, finished.previous, finished.color)
    assert "ann@desk" == finished.who
    assert ("library 1.1.0 is live in test", "blue 0 % / green 100 %", 0) == (
        finished.headline,
        finished.split,
        finished.code,
    )
    assert "green" in dict(finished.numbers)
    assert finished.began == started.at


def test_what_was_judged_bad_is_told_with_the_verdict_that_decided(tmp_path: Path) -> None:
    """Its numbers, why, and that traffic is home."""
    *_, ended = bulletins(twice(tmp_path, errors={"green": 0.5}))
    assert ("taken-back", "error", 4) == (ended.change, ended.severity, ended.code)
    assert "errors" in dict(ended.numbers)
    assert ended.why.startswith("errors")
    assert "blue 100 % / green 0 %" == ended.split


def test_what_failed_for_another_reason_is_told_as_failed(tmp_path: Path) -> None:
    """Nothing was judged: the disk is full."""
    events = twice(tmp_path, install_fails=True)
    assert ["started", "failed"] == changes(events)
    assert list(bulletins(events))[-1].why == "the disk is full"


def test_silence_is_told_as_held_and_then_as_given_up(tmp_path: Path) -> None:
    """One bulletin for the hold, however many readings it lasts; one for the end."""
    events = twice(tmp_path, silent=True)
    assert ["started", "held", "gave-up"] == changes(events)
    held = next(one for one in bulletins(events) if one.change == "held")
    assert ("warning", True) == (held.severity, "silent" in held.why)


def test_a_hold_that_ends_is_a_detail(tmp_path: Path) -> None:
    """And the next one in the same stage as well: people heard of the first."""
    outlook: dict[str, Any] = {"stage": 1, "percent": 50, "verdicts": [], "users": {}, "warnings": []}
    held, free = {**outlook, "hold_left": 800.0}, {**outlook, "hold_left": None}
    readings = [
        _event("reading", number, outlook=each, move="wait 15 s") for number, each in enumerate((held, free) * 2, 2)
    ]
    events = [_event("began", 1, task="deploy", version="1.1.0"), *readings]
    found = list(bulletins(events))
    assert ["started", "held", "went-on", "held", "went-on"] == [one.change for one in found]
    assert ["info", "warning", "detail", "detail", "detail"] == [one.severity for one in found]


def controlled(folder: Path, *verbs: str) -> tuple[Event, ...]:
    """What is recorded of a deployment to which somebody says all of this when it has its first users."""
    deploy(memory.world(folder, **SHORT), "1.0.0")

    class Heard(memory.TestWorld):
        def note(self, kind: str, **facts: Any) -> Any:
            event = super().note(kind, **facts)
            if kind == "shifted" and facts["split"][:2] == [50, 50]:
                for verb in verbs:
                    self.orders.hear(Command(verb, "ben@desk", "a mail goes out"))
            return event

    deploy(memory.world(folder, kind=Heard, **SHORT), "1.1.0")
    events = recorded(folder)
    return events[[event.number for event in events if event.kind == "began"][-1] - 1 :]


def test_what_people_say_to_a_deployment_is_told(tmp_path: Path) -> None:
    """Who pauses it and why; that it goes on is a detail; a watch that was cut short is an override."""
    events = controlled(tmp_path, "pause", "continue", "promote")
    assert ["started", "held", "overridden", "finished"] == changes(events)
    assert "went-on" in changes(events, least=False)
    held, overridden = (one for one in bulletins(events) if one.change in ("held", "overridden"))
    assert ("library 1.1.0 in test is paused at 50 % by ben@desk", "a mail goes out") == (held.headline, held.why)
    assert "library 1.1.0 in test: the watch of stage 1 of 2, 50 % was cut short" == overridden.headline
    assert overridden.why.endswith("early by ben@desk: a mail goes out")


def test_an_abort_is_told_as_what_a_person_wanted(tmp_path: Path) -> None:
    """Nothing is wrong with the release, as far as anybody has judged: nobody is got out of bed."""
    *_, ended = bulletins(controlled(tmp_path, "abort"), ABOUT._replace(protected=True))
    assert ("interrupted", "warning", 4) == (ended.change, ended.severity, ended.code)
    assert "library 1.1.0 in test was aborted, and taken back" == ended.headline
    assert "abort by ben@desk: a mail goes out" == ended.why


def test_a_limit_that_warns_is_told_once(tmp_path: Path) -> None:
    """However often it is exceeded in one deployment."""
    warning = {"metric": "p95", "why": "p95: 600 ms against a limit of 500 ms"}
    outlook: dict[str, Any] = {"stage": 1, "percent": 50, "verdicts": [], "users": {}, "warnings": [warning]}
    events = [_event("began", 1, task="deploy", version="1.1.0")]
    events += [_event("reading", number, outlook=outlook, move="wait 15 s") for number in (2, 3)]
    assert ["started", "warned"] == changes(events)


def _event(kind: str, number: int, deployment: str = "d1", **facts: Any) -> Event:
    return Event(number, memory.BEGINNING, kind, {"deployment": deployment, **facts}, "ann@desk", 0, "", "")


def test_one_that_was_refused_says_that_nothing_was_changed(tmp_path: Path) -> None:
    """A gate refused: it says why, without the lines for a terminal."""
    why = "2 on the checklist stand in the way\n  state: nothing was changed\n  do:    mend it"
    events = [_event("began", 1, task="deploy"), _event("ended", 2, outcome="refused", code=3, why=why)]
    *_, ended = bulletins(events)
    assert ("refused", "warning", "2 on the checklist stand in the way") == (ended.change, ended.severity, ended.why)


@pytest.mark.parametrize(
    ("outcome", "code", "change", "severity"),
    [
        ("stopped", 5, "stopped", "warning"),
        ("interrupted", 130, "interrupted", "warning"),
        ("stuck", 8, "stuck", "critical"),
        ("closed", 8, "stuck", "critical"),
        ("recovered", 4, "failed", "error"),
        ("recovered", 8, "stuck", "critical"),
        ("taken back", 1, "failed", "error"),
        ("a word of tomorrow", 8, "stuck", "critical"),
        ("a word of tomorrow", 0, "finished", "info"),
        ("a word of tomorrow", 99, "failed", "error"),
    ],
)
def test_every_end_has_its_change(outcome: str, code: int, change: str, severity: str) -> None:
    """Also one that another version of this code recorded, and one whose beginning nobody saw."""
    end = _event("ended", 2, outcome=outcome, code=code, why="because")
    for events in ([_event("began", 1, task="deploy", version="1.1.0"), end], [end]):
        *_, ended = bulletins(events)
        assert (change, severity, code) == (ended.change, ended.severity, ended.code)


def test_where_nothing_is_protected_nobody_is_got_out_of_bed() -> None:
    """What is an error is a warning there, and what needs a person an error."""
    about = ABOUT._replace(protected=False)
    for outcome, code, severity in (("taken back", 4, "warning"), ("stuck", 8, "error"), ("held", 6, "warning")):
        (ended,) = bulletins([_event("ended", 1, outcome=outcome, code=code)], about)
        assert severity == ended.severity


def test_a_rollback_names_what_was_left_and_what_is_live_again(tmp_path: Path) -> None:
    """Who, why, where traffic is; its deployment is the one that was left. A second one changes nothing."""
    twice(tmp_path)
    world = memory.world(tmp_path)
    for _ in range(2):
        with Recording(world, patience=10.0) as recording:
            recording.record(roll_back(world), "checkout fails")
    found = [one for one in bulletins(recorded(tmp_path)) if one.change == "rolled-back"]
    (back,) = found
    assert ("1.1.0", "1.0.0", "green") == (back.version, back.previous, back.color)
    assert ("checkout fails", "ann@desk", "blue 100 % / green 0 %") == (back.why, back.who, back.split)
    assert "library in test was rolled back to 1.0.0" == back.headline
    ended = [one for one in bulletins(recorded(tmp_path)) if one.change == "finished"][-1]
    assert ended.deployment == back.deployment


def test_a_rollback_into_a_deployment_is_not_told_twice(tmp_path: Path) -> None:
    """The deployer stops because of it, and says so in detail only."""
    events = [
        _event("began", 1, task="deploy", version="1.1.0"),
        Event(2, memory.BEGINNING, "rolled-back", _back(), "ben@desk", 0, "", ""),
        _event("ended", 3, outcome="stopped", code=5, why="someone else moved traffic"),
    ]
    assert ["started", "rolled-back"] == changes(events)
    assert ["started", "rolled-back", "stopped"] == changes(events, least=False)


def test_a_rollback_leads_to_the_run_that_made_it() -> None:
    """Where none did, to that of the deployment."""
    began = _event("began", 1, task="deploy", version="1.1.0", run="https://ci.example/7")
    for run, expected in (("https://ci.example/8", "https://ci.example/8"), ("", "https://ci.example/7")):
        rolled = Event(2, memory.BEGINNING, "rolled-back", {**_back(), "run": run}, "ben@desk", 0, "", "")
        *_, back = bulletins([began, rolled])
        assert expected == back.links["run"]


def _back() -> dict[str, Any]:
    return {"reason": "slow", "from": [50, 50, "blue", "x"], "to": [100, 0, None, "y"], "by": "ben@desk"}


@pytest.mark.parametrize("deployer_first", [False, True])
def test_the_switch_that_fired_is_told_once(deployer_first: bool) -> None:
    """Whether its own note or the deployer that it stopped is recorded first."""
    fired = _event("deadman-fired", 2, split=[100, 0, None, "deadman:d1"], why="no beat for 12 s")
    why = "the dead-man's switch has fired: blue 100 % / green 0 %"
    ended = _event("ended", 3, outcome="stopped", code=5, why=why)
    events = [
        _event("began", 1, task="deploy", version="1.1.0"),
        *((ended, fired) if deployer_first else (fired, ended)),
    ]
    assert ["started", "switch-fired"] == changes(events)


def test_a_dead_deployer_whose_switch_fired_is_not_told_again_when_somebody_clears_up(tmp_path: Path) -> None:
    """``recovered``, some day, is a detail then; without a switch it is news."""
    began = _event("began", 1, task="deploy", version="1.1.0")
    fired = _event("deadman-fired", 2, split=[100, 0, None, "deadman:d1"], why="no beat for 12 s")
    recovered = _event("ended", 3, outcome="recovered", code=4, why="its deployer died")
    assert ["started", "switch-fired"] == changes([began, fired, recovered])
    assert ["started", "failed"] == changes([began, recovered])


def test_what_needs_a_person_is_told_as_critical() -> None:
    """A rollback that could not complete, a switch that could not."""
    failed = Event(1, memory.BEGINNING, "rollback-failed", {"reason": "slow", "why": "lb2 is silent"}, "ann", 0, "", "")
    switch = _event("deadman-failed", 2, why="the balancer is silent")
    found = list(bulletins([failed, switch]))
    assert [("stuck", "critical"), ("switch-failed", "critical")] == [(one.change, one.severity) for one in found]
    assert "lb2 is silent; it was begun because: slow" == found[0].why


def test_closing_the_site_is_told_when_it_changes() -> None:
    """Not when it is closed already, with the same words."""
    on = {"on": True, "message": "soon", "retry_after": 0}
    facts = [on, on, {**on, "message": "later"}, {"on": False, "message": ""}]
    events = [Event(at, memory.BEGINNING, "maintenance", each, "ann", 0, "", "") for at, each in enumerate(facts, 1)]
    found = list(bulletins(events))
    assert ["maintenance-on", "maintenance-on", "maintenance-off"] == [one.change for one in found]
    assert ["soon", "later", ""] == [one.why for one in found]


def test_a_copy_of_the_database_is_told_once(tmp_path: Path) -> None:
    """``inv backup-database``: that it began and ended are details; so is the copy that a deployment makes."""
    world = memory.world(tmp_path, **SHORT)
    deploy(world, "1.0.0")
    carry_out(memory.world(tmp_path, **SHORT), partial(plans.back_up, who="ann"), task="backup-database", hosts=False)
    events = recorded(tmp_path)
    began = [event.number for event in events if event.kind == "began"][-1]
    assert ["backed-up"] == changes(events[began - 1 :])
    assert ["started", "backed-up", "finished"] == changes(events[began - 1 :], least=False)


def test_a_restored_database_is_told_once() -> None:
    """And that it is being restored: everything written since then is set aside."""
    events = [
        _event("began", 1, task="restore-database"),
        _event("restored", 2, name="before", kept="kept-1", lost=["roles"]),
        _event("ended", 3, outcome="done", code=0),
    ]
    assert ["started", "restored"] == changes(events)
    restored = next(one for one in bulletins(events) if one.change == "restored")
    assert ("warning", True, True) == (restored.severity, "kept-1" in restored.why, "roles" in restored.why)


def test_overrides_and_hosts_that_are_left_out_are_told() -> None:
    """By name, with who and why."""
    events = [
        _event("began", 1, task="deploy", version="1.1.0"),
        _event("overridden", 2, items=[["code.reviewed", "set aside by ben: urgent"], ["window.open", "by ben"]]),
        _event("host-set-aside", 3, host="web3", step="install", why="it is silent"),
    ]
    _, overridden, aside = bulletins(events)
    assert "library 1.1.0 in test goes out in spite of code.reviewed and window.open" == overridden.headline
    assert ("warning", True) == (overridden.severity, "set aside by ben: urgent" in overridden.why)
    assert ("warned", True, "it is silent") == (aside.change, "web3" in aside.headline, aside.why)


def test_who_approved_and_what_is_new_go_along() -> None:
    """From the checklist about exactly this content, the plan that was approved, and the changelog."""
    checked = Event(
        1,
        memory.BEGINNING,
        "checked",
        {"digest": "dd", "results": [["code.reviewed", "pass", "#12 was approved by ben and cleo"]]},
        "ann",
        0,
        "",
        "",
    )
    facts = {"task": "deploy", "version": "1.1.0", "notes": "Fixed: the checkout", "planned": {"by": ["dora"]}}
    began = _event("began", 2, digest="dd", **facts)
    (started,) = bulletins([checked, began])
    assert "#12 was approved by ben and cleo; the plan was approved by dora" == started.approvals
    assert "Fixed: the checkout" == started.notes
    (other,) = bulletins([checked, _event("began", 2, digest="ee", task="deploy")])
    assert "" == other.approvals


def test_links_are_filled_in_as_far_as_they_can_be() -> None:
    """What is not known leaves its link out; what is in an address is quoted."""
    links = {"dashboard": "https://g.example/d?v={version}", "commit": "https://c.example/{commit}"}
    began = _event("began", 1, task="deploy", version="1.1.0+a b", run="https://ci.example/1")
    (started,) = bulletins([began], ABOUT._replace(links=links))
    assert {"run": "https://ci.example/1", "dashboard": "https://g.example/d?v=1.1.0%2Ba%20b"} == started.links


def test_pieces_are_details_unless_they_fail() -> None:
    """``install`` and ``retire``."""
    good = [_event("began", 1, task="install"), _event("ended", 2, outcome="done", code=0)]
    bad = [_event("began", 1, task="install"), _event("ended", 2, outcome="taken back", code=4, why="the disk is full")]
    assert ([], ["failed"]) == (changes(good), changes(bad))


@pytest.mark.parametrize(("word", "severity"), [("started", "info"), ("failed", "error"), ("rolled-back", "warning")])
def test_what_somebody_announces_is_as_severe_as_its_word(word: str, severity: str) -> None:
    """The version that is live, unless another one is meant."""
    settled = _event("settled", 1, color="blue", version="1.0.0")
    events = [settled, Event(2, memory.BEGINNING, "announced", {"event": word, "message": "m"}, "ann", 0, "", "")]
    (said,) = bulletins(events)
    assert ("announced", severity, "1.0.0", "m") == (said.change, said.severity, said.version, said.why)


def test_events_of_another_version_break_nothing() -> None:
    """Facts that are missing or of another kind, in any event, at any place."""
    odd: list[Any] = [None, 3, "x", [], {}, [1, 2], {"a": [None]}, True]
    more = ["version", "task", "color", "digest", "notes", "planned", "run", "code", "seconds", "left"]
    names = ["plan", "outlook", "split", "from", "to", "items", "results", *more]
    for kind in (*TELLING, "installed", "settled", "checked"):
        for value in odd:
            facts = {**dict.fromkeys(names, value), "plan": {"starts_from": value}}
            events = [
                Event(1, memory.BEGINNING, "began", facts, "ann", 0, "", ""),
                Event(2, memory.BEGINNING, kind, facts, "ann", 0, "", ""),
                Event(3, memory.BEGINNING, kind, {}, "ann", 0, "", ""),
            ]
            for one in bulletins(events):
                json.dumps(one._replace(at=None, began=None)._asdict())  # type: ignore[arg-type]  # all of it is plain


SCENES: dict[str, dict[str, Any]] = {
    "well": {},
    "bad": {"errors": {"green": 0.5}},
    "silent": {"silent": True},
    "failing": {"install_fails": True},
}


@pytest.mark.parametrize("scene", SCENES)
def test_it_is_the_same_bulletin_wherever_folding_begins(scene: str, tmp_path: Path) -> None:
    """Folded from the first event; from a story that lay in the store after any event; or rebuilt from the ledger."""
    twice(tmp_path, **SCENES[scene])
    world = memory.world(tmp_path)
    with suppress(DeployError), Recording(world, patience=10.0) as recording:
        recording.record(roll_back(world), "by hand")
    events = recorded(tmp_path)
    whole = list(bulletins(events))
    second = [event.number for event in events if event.kind == "began"][-1]
    story = Story()
    for event in events:
        stored = from_json(json.loads(json.dumps(to_json(story))))
        assert story == stored
        if event.number > second:
            rebuilt = Tape(world.ledger, ABOUT).story(event.number - 1)
            assert told(ABOUT, story, event)[1] == told(ABOUT, rebuilt, event)[1]
        story, _ = told(ABOUT, story, event)
    assert len({one.number for one in whole}) == len(whole)


def test_a_deployer_that_died_is_told_when_somebody_clears_up(tmp_path: Path) -> None:
    """By the next task: it was left unfinished."""
    deploy(memory.world(tmp_path, **SHORT), "1.0.0")

    before = recorded(tmp_path)
    world = memory.world(tmp_path, **SHORT)
    plan = plans.deploy(world.settings, world.situation(), "d2", release=memory.release("1.1.0"), gates=False)
    world.deployment = "d2"
    world.note("began", task="deploy", who="ann", host="desk", color="green", plan=plan_to_json(plan), first=0)
    recover(memory.world(tmp_path, **SHORT))
    assert ["started", "failed"] == changes(recorded(tmp_path)[len(before) :])
    assert "blue" == memory.world(tmp_path).traffic.read().live


def test_numbers_are_those_that_a_source_gives() -> None:
    """Of several sources each has its name; who measures latency alone has counted no errors, and not none."""
    outlook = {
        "counted_by": "sentry",
        "users": {"green": {"requests": 40, "errors": 4, "rate": 0.1}},
        "more": {"newrelic": {"green": {"requests": 50, "p95": 0.1, "p99": 0.2}}},
    }
    assert [
        ("green by sentry", "40 requests, 4 errors (10 %)"),
        ("green by newrelic", "50 requests, P95 100 ms, P99 200 ms"),
    ] == list(numbers(outlook, "green"))
