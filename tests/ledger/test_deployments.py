"""The fold from events to deployments."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

from hypothesis import given, strategies as st
from tale import ON_BLUE, ON_GREEN, Tale, plan

from deploytasks.ledger.deployment import Result
from deploytasks.ledger.deployments import deployments
from deploytasks.ports import Event, Json


def test_one_from_beginning_to_end() -> None:
    """A deployment that went well tells what, who, when, from where, and how long."""
    tale = Tale()
    began = tale.began("a", committed="2026-11-23T09:00:00+00:00", run="https://ci.example/1")
    tale.settled("a")
    found = tale.folded()["a"]
    assert (found.task, found.version, found.previous, found.color) == ("deploy", "v-a", "1.0.0", "green")
    assert (found.who, found.host, found.run) == ("ann@laptop", "laptop", "https://ci.example/1")
    assert (found.began, found.committed) == (began.at, datetime(2026, 11, 23, 9, 0, tzinfo=UTC))
    assert (found.exposed, found.most) == (tale.events[1].at, 100)
    assert (found.settled, found.ended) == (tale.events[3].at, tale.events[4].at)
    assert (found.outcome, found.code, found.seconds, found.is_open) == ("done", 0, 60.0, False)
    assert (found.last, found.last_digest) == (5, "d5")
    assert found.backs == ()


def test_what_was_signed_checked_and_tested_before() -> None:
    """Checklist, tests, signatures, overrides and approvals of exactly this content, commit and plan belong to it."""
    tale = Tale()
    tale.tell("evidence", item="tests", key="k", digest="digest-a", ok=True, detail="`pytest`: 12 passed in 3.1 s")
    tale.tell("evidence", item="tests", key="k", digest="digest-b", ok=False, detail="`pytest`: 1 failed")
    tale.tell("signed", act="sign", item="people.oncall", about="c0ffee-a", note="until 18:00", signer="", key="")
    tale.tell(
        "signed", act="override", item="code.coverage", about="c0ffee-a", note="4711", signer="bob", key="SHA256:x"
    )
    tale.tell("signed", act="sign", item="people.oncall", about="other", note="", signer="", key="")
    tale.tell("signed", act="approve", item="", about="plan-a", note="fine", signer="eve", key="SHA256:y")
    results = [["code.tests", "pass", "12 passed"], ["code.coverage", "overridden", "bob: 4711"]]
    tale.tell("checked", digest="digest-a", commit="c0ffee-a", level="production", hotfix=False, results=results)
    tale.began("a", planned={"digest": "plan-a", "author": "ann", "commit": "c0ffee-a", "by": ["eve"]})
    tale.tell("overridden", deployment="a", items=[["code.coverage", "bob: 4711"]])
    tale.settled("a")
    found = tale.folded()["a"]
    assert found.tests is not None
    assert (found.tests.ok, found.tests.detail) == (True, "`pytest`: 12 passed in 3.1 s")
    assert found.checklist is not None
    assert found.checklist.counts() == {"pass": 1, "overridden": 1}
    assert found.checklist.result("code.tests") == Result("code.tests", "pass", "12 passed")
    assert [word.act for word in found.words] == ["sign", "override", "approve"]
    assert [(one.who, one.key) for one in found.said("approve")] == [("eve", "SHA256:y")]
    assert (found.plan, found.author, found.approvers) == ("plan-a", "ann", ("eve",))
    assert [(one.item, one.why, one.who) for one in found.overrides] == [("code.coverage", "bob: 4711", "bob")]


def test_what_is_signed_while_it_runs() -> None:
    """A signature about the commit of a deployment that runs belongs to it; one that comes later does not."""
    tale = Tale()
    tale.began("a")
    tale.tell("signed", act="override", item="x", about="c0ffee-a", note="", signer="", key="")
    tale.settled("a")
    tale.tell("signed", act="override", item="y", about="c0ffee-a", note="", signer="", key="")
    assert [word.item for word in tale.folded()["a"].words] == ["x"]


def test_judged_bad() -> None:
    """Traffic of a deployment that is judged bad goes home when its rollout is undone; nobody asked for it."""
    tale = Tale()
    tale.began("a")
    tale.exposed("a", "green", 10, 25)
    tale.tell("reading", deployment="a", move="turn back", outlook={})
    tale.tell("step", deployment="a", step="roll out", state="undone", why="error rate")
    home = tale.now
    tale.tell("step", deployment="a", step="install", state="undone", why="error rate")
    tale.tell("ended", deployment="a", outcome="taken back", code=4, why="error rate 5 %", seconds=1.0, left=["x"])
    found = tale.folded()["a"]
    assert (found.most, found.home, found.left, found.settled) == (25, home, ("x",), None)
    [back] = found.backs
    assert (back.by, back.is_automatic, back.was_settled, back.why) == ("verdict", True, False, "error rate 5 %")


def test_aborted_by_a_person() -> None:
    """A deployment that somebody had taken back names who; what was asked, and whether it was obeyed, is kept."""
    tale = Tale()
    tale.began("a")
    tale.exposed("a", "green", 10)
    asked = tale.tell("asked", who="bob@pc", deployment="a", verb="abort", reason="support is busy")
    tale.tell("answered", deployment="a", asked=asked.number, verb="abort", obeyed=True, said="going home")
    tale.tell("ended", deployment="a", outcome="taken back", code=4, why="abort by bob@pc: support is busy", left=[])
    found = tale.folded()["a"]
    assert [(one.verb, one.who, one.obeyed, one.said) for one in found.orders] == [
        ("abort", "bob@pc", True, "going home")
    ]
    assert [(back.by, back.who, back.is_automatic) for back in found.backs] == [("person", "bob@pc", False)]


def test_rolled_back_after_it_settled() -> None:
    """`inv rollback` counts against the deployment that users had then, not against one that came later."""
    tale = Tale()
    tale.began("a")
    tale.settled("a")
    tale.rolled_back(ON_GREEN, ON_BLUE)
    tale.began("b")
    tale.settled("b")
    found = tale.folded()
    back = found["a"].rolled_back
    assert back is not None
    assert (back.by, back.who, back.why, back.at) == ("person", "bob", "it is slow", tale.events[5].at)
    assert found["a"].home == tale.events[5].at
    assert found["b"].backs == ()


def test_a_rollback_that_was_recorded_late() -> None:
    """One that waited in the spool counts when it happened, by whom it was done."""
    tale = Tale()
    tale.began("a")
    tale.settled("a")
    then = tale.now + timedelta(seconds=30)
    tale.began("b", "blue")
    tale.settled("b", "blue")
    tale.tell(
        "rolled-back",
        **{"from": ON_GREEN},
        to=ON_BLUE,
        reason="slow",
        spooled="id",
        at=then.isoformat(),
        by="eve",
    )
    found = tale.folded()
    assert [(back.at, back.who) for back in found["a"].backs] == [(then, "eve")]
    assert found["b"].backs == ()


def test_a_rollback_in_the_middle() -> None:
    """One that preempts a deployment belongs to that; its deployer only stops."""
    tale = Tale()
    tale.began("a")
    tale.exposed("a", "green", 10)
    tale.rolled_back([90, 10, "blue", "x"], ON_BLUE)
    tale.tell("ended", deployment="a", outcome="stopped", code=5, why="somebody else moved traffic", left=[])
    [back] = tale.folded()["a"].backs
    assert (back.by, back.was_settled) == ("person", False)


def test_a_rollback_that_changed_nothing_and_one_that_went_forward_again() -> None:
    """Neither counts against a deployment."""
    tale = Tale()
    tale.began("a")
    tale.settled("a")
    tale.rolled_back(ON_BLUE, ON_BLUE)
    assert tale.folded()["a"].backs == ()
    tale.rolled_back(ON_GREEN, ON_BLUE)
    tale.rolled_back(ON_BLUE, ON_GREEN)
    assert len(tale.folded()["a"].backs) == 1


def test_the_switch() -> None:
    """Where the dead-man's switch was first, whoever closed the deployment later did not take traffic home."""
    tale = Tale()
    tale.began("a")
    tale.exposed("a", "green", 50)
    fired = tale.tell("deadman-fired", deployment="a", split=ON_BLUE, why="no beat for 60 s")
    tale.tell("ended", deployment="a", outcome="recovered", code=4, why="its deployer died", left=[])
    found = tale.folded()["a"]
    assert [(back.by, back.why) for back in found.backs] == [("switch", "no beat for 60 s")]
    assert found.home == fired.at


def test_gone_on_with() -> None:
    """A deployment that was held and resumed is one, with both runs' seconds and its first beginning."""
    tale = Tale()
    first = tale.began("a")
    tale.exposed("a", "green", 10)
    tale.tell("ended", deployment="a", outcome="held", code=6, why="nobody came", seconds=10.0, left=[])
    tale.began("a", first=first.number, who="bob@pc")
    again = tale.now
    assert tale.folded()["a"].is_open
    tale.settled("a")
    found = tale.folded()["a"]
    assert (found.began, found.who, found.resumed) == (first.at, "ann@laptop", ((again, "bob@pc"),))
    assert (found.seconds, found.outcome, found.home) == (70.0, "done", None)
    assert [back.by for back in found.backs] == ["no evidence"]
    assert found.rolled_back is None


def test_one_that_never_ended() -> None:
    """A deployment whose deployer died is open."""
    tale = Tale()
    tale.began("a")
    tale.exposed("a", "green", 10)
    found = tale.folded()["a"]
    assert (found.is_open, found.ended, found.outcome, found.code) == (True, None, "", None)


def test_of_one_that_nobody_saw_begin() -> None:
    """As much as is known; an event without any fact does no harm."""
    tale = Tale()
    tale.tell("ended", deployment="a", outcome="done", code=0)
    kinds = (
        "began ended settled shifted step reading checked evidence signed overridden asked answered backup migrating"
    )
    for kind in [*kinds.split(), "migrated", "host-set-aside", "lesson", "rolled-back", "deadman-fired", "installed"]:
        tale.tell(kind)
        tale.tell(kind, deployment="b")
    found = tale.folded()
    assert (found["a"].outcome, found["a"].began, found["a"].is_open) == ("done", None, False)
    assert list(found) == ["a", "b"]


def test_what_else_belongs_to_it() -> None:
    """Copies of the database, new migrations, hosts left out, lessons, and whether it was a hotfix."""
    tale = Tale()
    tale.began("a", task="hotfix")
    tale.tell("backup", deployment="a", name="library-1", size=3)
    tale.tell("migrating", deployment="a", before=["one"])
    tale.tell("migrated", deployment="a", command="migrate", after=["one", "two", "three"])
    tale.tell("host-set-aside", deployment="a", host="web2", why="no answer")
    tale.settled("a")
    tale.tell("lesson", deployment="a", text="be slower")
    tale.began("b", "blue", plan=plan(ON_GREEN, "v-a", {"step": "check the gates", "hotfix": True}))
    tale.tell("migrated", deployment="b", command="./migrate")
    found = tale.folded()
    assert (found["a"].backups, found["a"].migrations) == (("library-1",), ("two", "three"))
    assert (found["a"].hosts_aside, found["a"].lessons) == ((("web2", "no answer"),), ("be slower",))
    assert (found["a"].hotfix, found["b"].hotfix) == (True, True)
    assert (found["b"].migrations, found["b"].previous, found["b"].previous_commit) == (
        ("`./migrate`",),
        "v-a",
        "c0ffee-a",
    )


def whole() -> list[Event]:
    tale = Tale()
    for name, color in (("a", "green"), ("b", "blue"), ("c", "green")):
        tale.tell("checked", digest=f"digest-{name}", results=[["code.tests", "pass", "ok"]])
        tale.began(name, color)
        tale.settled(name, color)
        tale.tell("signed", act="sign", item="x", about=f"c0ffee-{name}", note="")
    tale.rolled_back(ON_GREEN, ON_BLUE)
    tale.began("d")
    tale.exposed("d", "green", 10)
    tale.tell("deadman-fired", deployment="d", split=ON_BLUE, why="silence")
    tale.tell("ended", deployment="d", outcome="recovered", code=4, why="", left=[])
    return tale.events


@given(st.data())
def test_any_prefix_and_any_selection_folds(data: st.DataObject) -> None:
    """Whatever is missing, each deployment that is told of is there, once, in the order of the events."""
    events = whole()
    kept = data.draw(st.lists(st.sampled_from(events), unique_by=lambda event: event.number).map(_in_order))
    upto = data.draw(st.integers(0, len(kept)))
    found = deployments(kept[:upto])
    told = {event.facts["deployment"] for event in kept[:upto] if "deployment" in event.facts}
    assert told == {one.deployment for one in found}
    assert len(found) == len(told)
    assert [one.number for one in found] == sorted(one.number for one in found)


def _in_order(events: list[Event]) -> list[Event]:
    return sorted(events, key=lambda event: event.number)


@given(st.permutations(range(4)))
def test_late_events_count_when_they_happened(order: list[int]) -> None:
    """Rollbacks that are recorded late, in any order, fold to the same as in the order in which they happened."""
    tale = Tale()
    spooled: list[dict[str, Json]] = []
    for at, (name, color) in enumerate((("a", "green"), ("b", "green"), ("c", "green"), ("d", "green"))):
        tale.began(name, color)
        tale.settled(name, color)
        tale.now += timedelta(minutes=5)
        then = (tale.now - timedelta(minutes=2)).isoformat()
        spooled.append({"from": ON_GREEN, "to": ON_BLUE, "by": "bob", "reason": name, "spooled": f"s{at}", "at": then})
    for at in order:
        tale.tell("rolled-back", **spooled[at])
    assert [[back.why for back in one.backs] for one in deployments(tale.events)] == [["a"], ["b"], ["c"], ["d"]]


def test_ten_thousand_events_are_folded_in_a_moment() -> None:
    """A ledger of years is no reason to wait: far below a second, whatever the machine has to do besides."""
    tale = Tale()
    for number in range(500):
        color = "green" if number % 2 else "blue"
        tale.began(str(number), color)
        for _ in range(14):
            tale.tell("reading", deployment=str(number), move="wait", outlook={})
        tale.settled(str(number), color)
    began = time.process_time()
    found = deployments(tale.events)
    assert len(found) == 500
    assert time.process_time() - began < 1.0
