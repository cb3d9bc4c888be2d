"""What people ask of a deployment while it runs: heard once, obeyed in order, answered; on the virtual clock."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import memory
import pytest
import stories
from lab.house import House

from deploytasks import interrupt, plans
from deploytasks.checklist import governing
from deploytasks.engine.clock import SystemClock
from deploytasks.errors import Aborted, DeployError, GateRefused, NotEnoughEvidence, TakenBack, Unreachable, UsageError
from deploytasks.operations import answers, controls, listening, promoting
from deploytasks.operations.carrying_out import carry_out
from deploytasks.operations.opening import leased
from deploytasks.operations.resuming import resume
from deploytasks.orders import Orders
from deploytasks.ports import Command, Event
from deploytasks.steps import Smoke
from deploytasks.view.paint import Paint
from deploytasks.view.text import text
from deploytasks.world import World

Happening = Callable[[World], None]
Answers = list[tuple[str, bool, str]]


class Line:
    """How people reach the deployer: they ask in the ledger, where it looks right then, in the thread of the test."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.ears: Any = None
        self.asked: list[Event] = []
        monkeypatch.setattr(listening._Ears, "start", lambda ears: setattr(self, "ears", ears))
        monkeypatch.setattr(listening._Ears, "stop", lambda ears: None)

    def say(self, *verbs: str, who: World | None = None) -> Happening:
        """Somebody asks for all of this, once something happens."""

        def happen(world: World) -> None:
            for verb in verbs:
                self.record(verb, who or memory.world(self.folder))
            self.hear(world)

        return _once(happen)

    def record(self, verb: str, who: World) -> None:
        with suppress(Unreachable):  # nobody answers while this very thread asks
            controls.ask(who, verb, "because", wait=0)

    def hear(self, world: World) -> None:
        self.ears._read_on(world.another_ledger())


def _once(happen: Happening) -> Happening:
    done: list[bool] = []

    def once(world: World) -> None:
        if not done:
            done.append(True)
            happen(world)

    return once


@pytest.fixture
def line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Line:
    """1.0.0 is live on blue."""
    made = Line(tmp_path, monkeypatch)
    stories.deploy(stories.world(tmp_path), "1.0.0")
    return made


def events(folder: Path, kind: str) -> list[Event]:
    return [event for event in memory.world(folder).ledger.events() if event.kind == kind]


def said(folder: Path) -> Answers:
    """What came of all that was asked, in order."""
    found: Answers = []
    for event in memory.world(folder).ledger.events():
        facts: Any = event.facts.get("answer") if event.kind == "reading" else event.facts
        if facts and event.kind in ("reading", "answered"):
            found.append((facts["verb"], facts["obeyed"], facts["said"]))
    return found


def deploy(line: Line, kind: str, happening: Happening, **facts: object) -> World:
    """A deployment of 1.1.0 to which something happens."""
    world = stories.world(line.folder, stories.when(kind, happening, **facts))
    stories.deploy(world)
    return world


# -- each verb --------------------------------------------------------------------------------------------------


def test_a_pause_holds_and_is_bounded(line: Line) -> None:
    """Half an hour later all traffic is home, code 6; the answer has said when."""
    with pytest.raises(NotEnoughEvidence, match=r"paused by ann@desk \(because\) for 1800 s"):
        deploy(line, "shifted", line.say("pause"))
    assert [("pause", True, "paused at stage 1 of 2, 50 %; goes home at 10:31:00 UTC unless continued")] == said(
        line.folder
    )
    assert "blue" == stories.split(line.folder).live


def test_the_next_reading_is_made_at_once(line: Line) -> None:
    """Nobody waits for a whole poll to be heard."""
    at: list[float] = []

    def watched(world: World) -> None:
        line.say("pause", "continue")(world)
        at.append(world.clock.elapsed())

    world = stories.world(line.folder, stories.when("reading", _once(watched), move="shift to 50 %"))
    stories.deploy(world)
    carried = [event for event in events(line.folder, "reading") if event.facts["reading"]["command"]]  # type: ignore[call-overload, index]  # as JSON
    assert [True, True] == [(event.at - memory.BEGINNING).total_seconds() - at[0] < 1 for event in carried]


def test_a_pause_and_its_end_are_obeyed_in_order(line: Line) -> None:
    """One per reading; then the rollout goes on, and ends well."""
    world = deploy(line, "shifted", line.say("pause", "pause", "continue", "continue"))
    assert [True, True, True, False] == [obeyed for _, obeyed, _ in said(line.folder)]
    why = [what for _, _, what in said(line.folder)]
    assert why[1].startswith("paused already by ann@desk (because), at stage 1 of 2, 50 %")
    assert why[2].startswith("goes on: stage 1 of 2, 50 %")
    assert why[3] == "nothing is paused: it is at stage 1 of 2, 50 %"
    assert "green" == world.traffic.read().live


def test_an_abort_takes_it_back(line: Line) -> None:
    """Code 4, with who and why; traffic is home, and the answer says so."""
    with pytest.raises(TakenBack, match="abort by ann@desk: because"):
        deploy(line, "shifted", line.say("abort"))
    assert [("abort", True, "all traffic goes home: abort by ann@desk: because")] == said(line.folder)
    assert ("blue", "back") == (stories.split(line.folder).live, stories.split(line.folder).verb)
    ended = events(line.folder, "ended")[-1]
    assert ["taken back", 4, "abort by ann@desk: because"] == [ended.facts[name] for name in ("outcome", "code", "why")]


def test_a_promotion_skips_time_and_is_an_override(line: Line, capsys: pytest.CaptureFixture[str]) -> None:
    """In the ledger, the last lines, the report and the history: nobody can overlook it."""
    world = deploy(line, "reading", line.say("promote"), move="wait 15 s")  # in the baseline, and nothing yet seen
    assert ("promote", True) == said(line.folder)[0][:2]
    (event,) = events(line.folder, "overridden")
    assert [["the watch of baseline", "promoted 15 s early by ann@desk: because"]] == event.facts["items"]
    assert "in spite the watch of baseline: promoted 15 s early by ann@desk: because" in _flat(capsys.readouterr().out)
    for kind, answer in (("report", answers.report(world, None)), ("history", answers.history(world))):
        assert "promoted 15 s early by ann@desk" in _flat(text(kind, answer, Paint(False)))


def test_a_promotion_never_skips_a_failure(line: Line) -> None:
    """What is judged bad goes home with the very reading that carries it."""

    def happen(world: World) -> None:
        memory.state_of(line.folder).set(errors={"green": 0.5})
        world.clock.sleep(10)
        line.say("promote")(world)

    with pytest.raises(TakenBack, match="errors"):
        deploy(line, "shifted", _once(happen))
    assert [("promote", False)] == [each[:2] for each in said(line.folder)]
    assert events(line.folder, "overridden") == []


def test_with_confirm_the_end_waits_for_a_word(line: Line) -> None:
    """However long that takes; what was due is confirmed, not overridden."""
    asked: list[float] = []

    class Late(memory.TestWorld):
        def wait(self, seconds: float, **how: Any) -> None:
            super().wait(seconds, **how)
            if self.clock.elapsed() > 7200 and not asked:
                asked.append(self.clock.elapsed())
                line.say("promote")(self)

    stories.deploy(memory.world(line.folder, kind=Late, **stories.SHORT, confirm=True))
    assert [("promote", True, "promoted: bake was the last")] == said(line.folder)
    assert [] == events(line.folder, "overridden")
    assert "green" == stories.split(line.folder).live


@pytest.mark.parametrize(
    ("world", "why"),
    [
        ({"alerts": {"disk": "2026-11-23T09:00:00+00:00"}}, "critical alerts fire: disk"),
        ({"silent": True}, "the metrics are silent"),
        ({"sick": {"green": "503"}}, "green is not healthy now"),
    ],
    ids=["alert", "silence", "sick"],
)
def test_a_promotion_is_refused_while_time_is_not_what_is_missing(line: Line, world: dict[str, Any], why: str) -> None:
    """The reason is told; when it is mended, the rollout goes on as ever."""

    def happen(running: World) -> None:
        memory.state_of(line.folder).set(**world)
        line.say("promote")(running)

    def mend(running: World) -> None:
        memory.state_of(line.folder).set(alerts=[], silent=False, sick={})

    class Mended(stories.when("shifted", _once(happen))):  # type: ignore[misc]  # made for this test
        def wait(self, seconds: float, **how: Any) -> None:
            super().wait(seconds, **how)
            if said(line.folder):
                mend(self)

    stories.deploy(stories.world(line.folder, Mended))
    ((verb, obeyed, told),) = said(line.folder)
    assert ("promote", False) == (verb, obeyed)
    assert "promote refused" in told
    assert why in told


# -- before, after, beside the rollout ------------------------------------------------------------------------------


def test_a_pause_before_the_rollout_holds_at_its_first_reading(line: Line) -> None:
    """Nobody has seen the release then; the answer does not wait for it."""
    with pytest.raises(NotEnoughEvidence):
        deploy(line, "step", line.say("pause"), step="install", state="began")
    first, second = said(line.folder)
    assert ("pause", True) == first[:2]
    assert "paused at its first reading" in first[2]
    assert second[2].startswith("paused at baseline")
    assert events(line.folder, "shifted")[0].number < events(line.folder, "ended")[0].number  # of 1.0.0
    assert [] == [
        each for each in events(line.folder, "shifted") if each.number > events(line.folder, "ended")[0].number
    ]


def test_a_pause_that_is_taken_back_before_the_rollout(line: Line) -> None:
    """It begins as if nobody had said anything."""
    deploy(line, "step", line.say("pause", "continue"), step="install", state="began")
    assert [True, True] == [obeyed for _, obeyed, _ in said(line.folder)[:2]]
    assert "green" == stories.split(line.folder).live


@pytest.mark.parametrize("verb", ["continue", "promote"])
def test_what_makes_no_sense_yet_is_refused(line: Line, verb: str) -> None:
    """And is not kept for later."""
    deploy(line, "step", line.say(verb), step="install", state="began")
    ((_, obeyed, why),) = said(line.folder)
    assert not obeyed
    assert "the rollout has not begun" in why


@pytest.mark.parametrize("step", ["install", "start green", "back up the database", "roll out"])
def test_an_abort_at_any_step_takes_back_what_was_begun(line: Line, step: str) -> None:
    """As an interrupt does, with code 4."""
    with pytest.raises(TakenBack, match="abort by ann@desk: because"):
        deploy(line, "step", line.say("abort"), step=step, state="began")
    assert "blue" == stories.split(line.folder).live
    assert memory.world(line.folder).ledger.head().standing.open is None
    assert not memory.state_of(line.folder).read()["armed"]
    assert "abort by ann@desk: because" == events(line.folder, "ended")[-1].facts["why"]


def test_an_abort_ends_what_runs_on_a_host(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    """It comes as a signal does: a migration of ten minutes is not waited for."""

    def long(self: World, call: Any, deadline: float) -> None:
        if call.text.startswith("install"):
            line.say("abort")(self)
            pytest.fail("it went on")
        original(self, call, deadline)

    original = World._make
    monkeypatch.setattr(World, "_make", long)
    with pytest.raises(TakenBack, match="abort by"):
        stories.deploy(stories.world(line.folder))


def test_an_abort_after_the_rollout_and_before_the_end(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not settled yet: all of it is taken back."""
    heard: list[str] = []
    original = Smoke.do

    def do(self: Smoke, world: World, past: Any) -> None:
        original(self, world, past)
        if world.traffic.read().live == "green":
            heard.append("now")
            line.say("abort")(world)

    monkeypatch.setattr(Smoke, "do", do)
    with pytest.raises(TakenBack):
        stories.deploy(stories.world(line.folder))
    assert ["now"] == heard
    assert "blue" == stories.split(line.folder).live


def test_a_pause_after_the_rollout_comes_too_late(line: Line) -> None:
    """It is said, and changes nothing."""
    deploy(line, "step", line.say("pause"), step="roll out", state="done")
    ((_, obeyed, why),) = said(line.folder)
    assert not obeyed
    assert "too late: the rollout is over" in why
    assert "green" == stories.split(line.folder).live


def test_an_abort_with_the_last_reading_is_not_lost(line: Line) -> None:
    """Heard when the rollout has just finished, and nothing carries it any more: it takes it back."""

    class Late(memory.TestWorld):
        def note(self, kind: str, **facts: Any) -> Any:
            if kind == "reading" and facts["move"] == "finish":
                line.say("abort")(self)
            return super().note(kind, **facts)

    with pytest.raises(TakenBack, match="abort by"):
        stories.deploy(stories.world(line.folder, Late))
    assert "blue" == stories.split(line.folder).live


def test_what_the_last_reading_did_not_carry_is_answered(line: Line) -> None:
    """A pause that was heard a moment too late is told so."""

    class Late(memory.TestWorld):
        def note(self, kind: str, **facts: Any) -> Any:
            if kind == "reading" and facts["move"] == "finish":
                line.say("pause")(self)
            return super().note(kind, **facts)

    stories.deploy(stories.world(line.folder, Late))
    assert [("pause", False, "too late: the rollout is over")] == said(line.folder)


def test_an_abort_after_the_seal_is_refused(line: Line) -> None:
    """What is settled is taken back by `inv rollback`."""
    deploy(line, "step", line.say("abort"), step="prune old releases", state="began")
    ((_, obeyed, why),) = said(line.folder)
    assert not obeyed
    assert "too late" in why
    assert "green" == stories.split(line.folder).live


def test_what_has_no_rollout_cannot_be_paused_and_can_be_aborted(line: Line) -> None:
    """A backup, say."""
    happening = line.say("pause", "abort")
    world = stories.world(line.folder, stories.when("step", happening, state="began"))
    with pytest.raises(TakenBack):
        carry_out(world, partial(plans.back_up, who="ann"), task="backup-database")
    assert [("pause", False, "there is no rollout to pause here; `inv abort` takes it back")] == said(line.folder)


# -- dying and resuming ------------------------------------------------------------------------------------------


def test_what_was_asked_of_the_dead_is_not_obeyed_by_who_resumes(line: Line) -> None:
    """It is as old as the death; who resumes has read it in the ledger."""

    def happen(world: World) -> None:
        line.record("abort", memory.world(line.folder))
        stories.die(world)

    assert stories.in_a_fork(lambda: stories.deploy(stories.world(line.folder, stories.when("shifted", happen))))
    assert 1 == len(events(line.folder, "asked"))
    resume(stories.world(line.folder))
    assert "green" == stories.split(line.folder).live


def test_who_resumes_a_paused_rollout_finds_it_paused(line: Line) -> None:
    """The reading that carried it is replayed; its half hour begins anew, and `continue` ends it."""

    def happen(world: World) -> None:
        memory.state_of(line.folder).change(elapsed=world.clock.elapsed() + 3600)  # long dead
        stories.die(world)

    def kind(world: type[memory.TestWorld]) -> type[memory.TestWorld]:
        class Dying(world):  # type: ignore[misc, valid-type]  # made for this test
            def note(self, noted: str, **facts: Any) -> Any:
                event = super().note(noted, **facts)
                if noted == "reading" and facts.get("answer"):
                    happen(self)
                return event

        return Dying

    dying = kind(stories.when("shifted", line.say("pause")))
    assert stories.in_a_fork(lambda: stories.deploy(stories.world(line.folder, dying)))
    went_on = line.say("continue")
    resume(stories.world(line.folder, stories.when("watching again", went_on)))
    assert ["pause", "continue"] == [verb for verb, _, _ in said(line.folder)]
    assert "green" == stories.split(line.folder).live


def test_killed_between_asked_and_obeyed_nothing_is_lost_or_done_twice(line: Line) -> None:
    """The reading that would have carried it was never recorded: it is as if it had not been asked, and asked again
    it is obeyed."""

    class Dying(memory.TestWorld):
        def note(self, kind: str, **facts: Any) -> Any:
            if kind == "reading" and facts.get("answer"):
                stories.die(self)
            event = super().note(kind, **facts)
            if kind == "shifted":
                line.say("abort")(self)
            return event

    assert stories.in_a_fork(lambda: stories.deploy(stories.world(line.folder, Dying)))
    with pytest.raises(TakenBack, match="abort by"):
        resume(stories.world(line.folder, stories.when("watching again", line.say("abort"))))
    assert "blue" == stories.split(line.folder).live
    assert [("abort", True)] == [each[:2] for each in said(line.folder)]


def test_a_reading_that_the_ledger_did_not_take_is_carried_again(line: Line) -> None:
    """What it carried is obeyed by the next one that is recorded."""
    failing: list[str] = []

    class Deaf(memory.TestWorld):
        def note(self, kind: str, **facts: Any) -> Any:
            if kind == "reading" and facts.get("answer") and not failing:
                failing.append(kind)
                raise Unreachable("the ledger is silent")
            event = super().note(kind, **facts)
            if kind == "shifted":
                once(self)
            return event

    once = line.say("pause", "continue")
    stories.deploy(stories.world(line.folder, Deaf))
    assert [["pause", True], ["continue", True]] == [list(each[:2]) for each in said(line.folder)]


# -- who may ask -------------------------------------------------------------------------------------------------


@contextmanager
def at_work(folder: Path, *, deployment: str = "d-1") -> Iterator[World]:
    """A deployment that is open, with somebody who holds the lease."""
    world = memory.world(folder)
    world.note("began", task="deploy", who="ben@desk", version="1.1.0", deployment=deployment, plan={})
    with leased(world, "roll out"):
        yield world


def test_nothing_runs(tmp_path: Path) -> None:
    """Code 3, with what was last; and nothing is recorded."""
    stories.deploy(stories.world(tmp_path), "1.0.0")
    world = memory.world(tmp_path)
    before = world.ledger.head().number
    with pytest.raises(GateRefused, match="nothing runs in test") as refused:
        controls.ask(world, "pause", "because", wait=0)
    assert "done" in refused.value.state
    assert before == world.ledger.head().number


def test_a_dead_deployer_hears_nothing(tmp_path: Path) -> None:
    """Code 3: nobody is at work, and what to do."""
    stories.deploy(stories.world(tmp_path), "1.0.0")
    stories.killed(tmp_path, "shifted")
    with pytest.raises(GateRefused, match="nobody is at work on") as refused:
        controls.ask(memory.world(tmp_path), "abort", "because", wait=0)
    assert "inv resume" in refused.value.do
    assert "inv rollback" in refused.value.do


def test_nobody_answers(tmp_path: Path) -> None:
    """Code 7 after so many seconds: it is recorded, and may yet be heard."""
    with at_work(tmp_path), pytest.raises(Unreachable, match=r"no answer within 15 s \(it is at: roll out\)") as silent:
        controls.ask(memory.world(tmp_path), "pause", "because", wait=15)
    assert "recorded as event" in silent.value.state


def test_a_silent_ledger(tmp_path: Path) -> None:
    """Code 7: nothing can be asked."""
    world = memory.world(tmp_path)

    def silent(*_: object) -> None:
        raise Unreachable("the store does not answer")

    world.store.get = silent  # type: ignore[method-assign, assignment]  # it is down
    with pytest.raises(Unreachable, match="the store does not answer"):
        controls.ask(world, "pause", "because", wait=0)


def test_a_deployment_that_ends_first(tmp_path: Path) -> None:
    """What was asked too late is told how it ended."""
    with at_work(tmp_path) as deployer:
        asked = memory.world(tmp_path)
        of = controls.running(asked)
        event = controls._record(asked, of, "pause", "because")
        deployer.note("ended", deployment="d-1", outcome="done", code=0, why="", seconds=1.0)
        came = controls._came(asked, of, "pause", event, 0)
    assert {
        "obeyed": False,
        "said": "too late, the deployment is over: done, code 0",
        "outcome": "done",
        "code": 0,
    } == came


def test_an_abort_that_was_faster_than_its_answer(tmp_path: Path) -> None:
    """The deployment is over before it has said so: it was obeyed all the same."""
    with at_work(tmp_path) as deployer:
        asked = memory.world(tmp_path)
        of = controls.running(asked)
        event = controls._record(asked, of, "abort", "because")
        why = "abort by ann@desk: because"
        deployer.note("ended", deployment="d-1", outcome="taken back", code=4, why=why, seconds=1.0)
        came = controls._came(asked, of, "abort", event, 0)
    assert {"obeyed": True, "said": f"taken back, code 4: {why}", "outcome": "taken back", "code": 4} == came


def test_an_answer_that_comes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Obeyed: code 0 and one line; refused: code 3 and why. Others' answers are not taken for ours."""

    class Answering(memory.TestWorld):
        obeyed = True

        def note(self, kind: str, **facts: Any) -> Any:
            event = super().note(kind, **facts)
            if kind == "asked":
                about = {"verb": "pause", "deployment": "d-1", "said": "paused at stage 1 of 2, 50 %"}
                super().note("answered", asked=event.number - 1, obeyed=not self.obeyed, **about)
                super().note("answered", asked=event.number, obeyed=self.obeyed, **about)
            return event

    with at_work(tmp_path):
        controls.ask(memory.world(tmp_path, kind=Answering), "pause", "because", wait=0)
        assert "1.1.0 in test: paused at stage 1 of 2, 50 % (d-1)" in capsys.readouterr().out
        Answering.obeyed = False
        with pytest.raises(GateRefused, match="pause refused: paused at stage"):
            controls.ask(memory.world(tmp_path, kind=Answering), "pause", "because", wait=0)


def test_a_preview_asks_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """``--plan``."""
    with at_work(tmp_path) as world:
        before = world.ledger.head().number
        controls.ask(memory.world(tmp_path), "abort", "because", wait=0, preview=True)
        assert before == world.ledger.head().number
    assert "would ask d-1 in test to abort: because" in capsys.readouterr().err


# -- where it takes a signature ------------------------------------------------------------------------------------


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> House:
    """A repository where people sign; its configuration is in no file."""
    for read in ("effective", "committed"):
        monkeypatch.setattr(governing, read, lambda *_: {})
    return House(tmp_path, monkeypatch)


def person(house: House, who: str, **changes: Any) -> World:
    world = house.world(who, **{**stories.SHORT, **changes})
    world.consent = True
    return world


def heard(house: House, record: Callable[[str], None], **changes: Any) -> tuple[bool, str]:
    """What a deployer of the protected environment answers to what is recorded about its deployment."""
    deployer = person(house, "cay", **changes)
    deployer.deployment = "d-1"
    deployer.note("began", task="deploy", who="cay@desk", version="1.1.0", commit=house.commit, plan={})
    deployer.orders.expect(rollout=True)
    with deployer.orders.carried(), leased(deployer, "roll out"):
        ears = listening._Ears(deployer, deployer.ledger.head().number, house.commit)
        record("d-1")
        ears._read_on(deployer.another_ledger())
        carried = deployer.orders.next
        answered = [event for event in deployer.ledger.events() if event.kind == "answered"]
    if carried:
        return True, carried.who
    return False, str(answered[-1].facts["said"])


def promote(house: House, who: str, **changes: Any) -> Callable[[str], None]:
    def record(deployment: str) -> None:
        with suppress(Unreachable):
            controls.ask(person(house, who, **changes), "promote", "because", wait=0)

    return record


def test_a_promotion_is_signed_where_it_is_protected(house: House) -> None:
    """The deployer knows by the key who says so."""
    assert (True, "ben@example.org") == heard(house, promote(house, "ben"))


def test_an_unsigned_promotion_is_noted_and_not_obeyed(house: House) -> None:
    """Whoever can write to the ledger is not whoever may promote."""

    def record(deployment: str) -> None:
        person(house, "ben").note("asked", verb="promote", reason="because", deployment=deployment)

    obeyed, why = heard(house, record)
    assert not obeyed
    assert "does not count: nobody signed it with a key" in why


def test_a_promotion_of_another_deployment_is_not_obeyed(house: House) -> None:
    """A signature is about one deployment; copied, it counts for no other."""

    def record(deployment: str) -> None:
        of = person(house, "ben")
        signed = promoting.signed(of, "another", "because", house.commit)
        of.note("asked", verb="promote", reason="because", deployment=deployment, **signed)

    obeyed, why = heard(house, record)
    assert not obeyed
    assert "what was signed is: promote" in why


def copied(house: House, deployment: str) -> None:
    """Somebody who can write to the store, and holds no key, writes what was asked once more."""
    of = person(house, "ben")
    (asked,) = [event for event in of.ledger.events() if event.kind == "asked"]
    of.ledger.append("asked", {**asked.facts, "deployment": deployment})


def test_a_signed_promotion_counts_once(house: House) -> None:
    """A copy of it within the same deployment, which it is about, skips no second stage."""
    carried: list[str] = []

    def record(deployment: str) -> None:
        promote(house, "ben")(deployment)
        copied(house, deployment)

    def hear(self: Any, command: Command, doing: str = "") -> None:
        carried.append(command.who)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Orders, "hear", hear)
        obeyed, why = heard(house, record)
    assert ["ben@example.org"] == carried
    assert (False, "a promotion is signed here, and this one is a copy of another: each counts once") == (obeyed, why)


def test_a_signed_promotion_counts_once_over_a_resumption(house: House) -> None:
    """Who resumes obeys nothing that was asked before, and no copy of it either."""

    def record(deployment: str) -> None:
        promote(house, "ben")(deployment)
        deployer = ears[0]._world
        (asked,) = [event for event in deployer.ledger.events() if event.kind == "asked"]
        ears[0].__init__(deployer, asked.number, house.commit, [asked])
        copied(house, deployment)

    ears: list[Any] = []
    original = listening._Ears.__init__

    def remember(self: Any, *given: Any) -> None:
        original(self, *given)
        ears.append(self)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(listening._Ears, "__init__", remember)
        obeyed, why = heard(house, record)
    assert not obeyed
    assert "this one is a copy of another" in why


def test_a_promotion_by_who_may_not_set_refusals_aside(house: House) -> None:
    """``gates.overriders`` says who may; both sides ask."""
    gates = {"gates": {"overriders": ["ann@example.org"]}}
    with at_work(house.root), pytest.raises(GateRefused, match=r"refusals are set aside by ann@example\.org"):
        controls.ask(person(house, "ben", **gates), "promote", "because", wait=0)
    obeyed, why = heard(house, promote(house, "ben"), **gates)  # one who got past that
    assert not obeyed
    assert "refusals are set aside by ann@example.org" in why


def test_without_consent_nothing_is_asked_where_it_is_protected(house: House) -> None:
    """``--yes``, or somebody who confirms."""
    world = person(house, "ben")
    world.consent = False
    with at_work(house.root), pytest.raises(UsageError, match="nobody is at a terminal to confirm"):
        controls.ask(world, "pause", "because", wait=0)


def test_a_key_signs_where_nobody_must_be_asked(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    """At the deployer itself: its promotion is signed and obeyed; where it cannot be, one is told what to type."""

    def press(deployment: str) -> None:
        ears[-1].ask("promote", "by a key")
        ears[-1]._record_here(ears[-1]._world.another_ledger())

    ears: list[Any] = []
    original = listening._Ears.__init__

    def remember(self: Any, *given: Any) -> None:
        original(self, *given)
        ears.append(self)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(listening._Ears, "__init__", remember)
        assert (True, "cay@example.org") == heard(house, press)
        ears[-1]._world.settings.sections["signers"].__dict__["key"] = "/nowhere"
        ears[-1].ask("promote", "by a key")
        ears[-1]._record_here(ears[-1]._world.another_ledger())
    assert "inv promote --env test --reason" in capsys.readouterr().err


# -- the thread ---------------------------------------------------------------------------------------------------


class Patient(memory.TestWorld):
    """On the machine's own clock."""


def ticking(folder: Path, *, store: Any = None) -> World:
    world = memory.world(folder, kind=Patient, store=store)
    world.clock = SystemClock()
    world.deployment = "d-1"
    world.orders.expect(rollout=True)
    return world


class Hanging:
    """A store that never answers."""

    def __init__(self) -> None:
        self.asked = threading.Event()
        self.over = threading.Event()

    def get(self, key: str) -> None:
        self.asked.set()
        self.over.wait(20)

    put = get


def test_a_store_that_hangs_delays_no_poll_and_no_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Polls come, and a deployment ends, while the store still hangs; benchmarks/live.py measures how late they are."""
    monkeypatch.setattr(listening, "EVERY", 0.01)
    store = Hanging()
    world = ticking(tmp_path)
    world.another_ledger = lambda: type(world.ledger)(store, "s", "w", world.clock.now)  # type: ignore[method-assign, assignment, arg-type]  # it hangs
    try:
        with world.orders.carried(), listening.listening(world, 0, ""):
            assert store.asked.wait(5)
            for _ in range(10):
                world.wait(0.02, heeding=True)
        assert not store.over.is_set()
    finally:
        store.over.set()


def test_what_is_asked_is_heard_within_about_a_second(tmp_path: Path) -> None:
    """By a thread, while the deployment waits for its next poll; the wait is over then."""
    world, other = ticking(tmp_path), memory.world(tmp_path)
    number = other.ledger.head().number
    with world.orders.carried(), listening.listening(world, number, ""):
        other.note("asked", verb="pause", reason="because", deployment="another")
        asked = other.note("asked", verb="pause", reason="because", deployment="d-1")
        began = time.monotonic()
        world.wait(60, heeding=True)
        took = time.monotonic() - began
        assert asked is not None
        assert Command("pause", "ann@desk", "because", asked.number) == world.orders.next
    assert took < 30


def test_a_key_is_heard_at_once_even_when_the_ledger_is_silent(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who sits at the deployer must be able to take it back; that it was not recorded is said."""
    world = ticking(tmp_path)

    def silent(*_: object) -> None:
        raise Unreachable("the store does not answer")

    with world.orders.carried(), suppress(DeployError):
        ears = listening._Ears(world, 0, "")
        ears.ask("pause", "")
        assert "pause" == getattr(world.orders.next, "verb", "")
        ledger = world.another_ledger()
        monkeypatch.setattr(ledger.store, "get", silent)
        ears._record_here(ledger)
    assert "pause: the store does not answer" in capsys.readouterr().err


def test_a_key_is_recorded_and_not_obeyed_twice(tmp_path: Path) -> None:
    """It stands in the ledger like any other, with who; its own event is passed over."""
    world = ticking(tmp_path)
    with world.orders.carried():
        ears = listening._Ears(world, 0, "")
        ears.ask("pause", "by a key")
        world.orders.obeyed(world.orders.next)
        ears._record_here(world.ledger)
        ears._read_on(world.ledger)
        assert world.orders.next is None
    assert [("pause", "d-1")] == [(e.facts["verb"], e.facts["deployment"]) for e in world.ledger.events()]


def test_listeners_are_handed_a_way_to_ask(line: Line) -> None:
    """Whoever shows the deployment may take keys; one who raises stops nothing."""
    taken: list[Any] = []

    class Taking(memory.Teller):
        def take_orders(self, ask: Any) -> None:
            taken.append(ask)
            raise RuntimeError("no keyboard")

    world = stories.world(line.folder)
    world.listeners = (Taking(),)
    stories.deploy(world)
    assert 1 == len(taken)
    taken[0]("abort", "long over")  # never raises
    assert "green" == stories.split(line.folder).live


def test_nothing_is_struck_where_signals_are_not_ours() -> None:
    """Outside of a deployment a strike does nothing; the process lives on."""
    before = signal.getsignal(signal.SIGTERM)
    interrupt.strike(Aborted("ann", "because"))
    assert before == signal.getsignal(signal.SIGTERM)


def _flat(given: str) -> str:
    return " ".join(given.split())
