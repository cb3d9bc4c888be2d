"""A plan is carried out as it was approved, by others than its author, or not at all."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import memory
import pytest
import stories
from lab import keys
from lab.house import House

from deploytasks import checklist, view
from deploytasks.checklist import Subject, evidence, governing, people
from deploytasks.checklist.people import plan_approved
from deploytasks.errors import GateRefused, UsageError
from deploytasks.operations import approving, plan_file, releases
from deploytasks.operations.plan_file import Wanted
from deploytasks.operations.resuming import resume
from deploytasks.world import World

DEFAULT = Wanted()


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> House:
    """The environment of the fixtures in memory, in a repository where people sign; its configuration is in no file."""
    for read in ("effective", "committed"):
        monkeypatch.setattr(governing, read, lambda *_: {})
    return House(tmp_path, monkeypatch)


def world(house: House, who: str = "ann", *, protected: bool = True, **changes: Any) -> World:
    """Somebody at the keyboard, who consents; what others check is not looked at here."""
    gates = {"level": "development", "plan_approvals": 1, **changes.pop("gates", {})}
    made = house.world(who, protected=protected, gates=gates, **{**stories.SHORT, **changes})
    made.consent = True
    return made


def planned(house: House, who: str = "ann", wanted: Wanted = DEFAULT, **changes: Any) -> str:
    """The plan of what is checked out."""
    out = str(house.root / "plan.json")
    approving.plan(world(house, who, **changes), None, wanted, out, json=False)
    return out


def approved(house: House, file: str, *people: str, **changes: Any) -> None:
    for who in people:
        approving.approve_in(world(house, who, **changes), plan_file.read(Path(file)), file, preview=False, json=False)


def deploy(house: House, file: str, who: str = "ann", given: Wanted = DEFAULT, **changes: Any) -> World:
    made = world(house, who, **changes)
    made.settings = replace(made.settings, tests="true")
    release = releases.choose_release(made, None, file)
    releases.build_release(made, release, file)
    made.note("evidence", item="tests", key=evidence.key(release.digest, "true"), ok=True, detail="passed")
    approving.deploy(made, file, given, None, preview=False, wait=0.0)
    return made


def refusal(house: House, file: str, **how: Any) -> str:
    """Why it is not carried out; nothing was."""
    before = memory.state_of(house.root).read()["log"]
    with pytest.raises(GateRefused) as refused:
        deploy(house, file, **how)
    assert memory.state_of(house.root).read()["log"] == before
    return str(refused.value)


def test_a_plan_is_approved_by_another_and_carried_out(house: House) -> None:
    """And the ledger says who planned, who approved, and that this is what was carried out."""
    file = planned(house)
    approved(house, file, "ben")
    made = deploy(house, file)
    assert made.traffic.read().live == "blue"
    told = [(e.kind, e.facts.get("act"), e.facts.get("signer")) for e in made.ledger.events() if e.kind == "signed"]
    assert [("signed", "plan", "ann@example.org"), ("signed", "approve", "ben@example.org")] == told
    began = next(event for event in made.ledger.events() if event.kind == "began")
    digest = plan_file.read(Path(file)).digest
    of = {"digest": digest, "author": "ann@example.org", "commit": house.commit, "by": ["ben@example.org"]}
    assert of == began.facts["planned"]
    before = memory.state_of(house.root).read()["log"]
    deploy(house, file)  # the same command twice: nothing to do
    assert memory.state_of(house.root).read()["log"] == before


def test_a_plan_that_nobody_approved(house: House) -> None:
    file = planned(house)
    assert "the plan is not approved: 0 of 1 approvals" in refusal(house, file)


def test_without_a_plan_the_gate_refuses(house: House) -> None:
    """And says how to come by one."""
    made = world(house, gates={"plan_approvals": 2})
    found = plan_approved(Subject(made, releases.choose_release(made, None)))
    assert ("fail", True) == (found.answer, found.evidence.startswith("2 people must approve the plan, and none"))
    none = world(house, gates={"plan_approvals": 0})
    assert "not applicable" == plan_approved(Subject(none, None)).answer
    file = planned(house)
    approving.hand_over(made, file)
    found = plan_approved(Subject(made, None))
    assert ("fail", True) == (found.answer, "0 of 2 approvals" in found.evidence)
    approved(house, file, "ben", "cay")
    found = plan_approved(Subject(made, None))
    assert ("pass", True) == (found.answer, "2 of 2 approvals: ben@example.org, cay@example.org" in found.evidence)


def test_nobody_approves_their_own_plan(house: House) -> None:
    """Neither under another login, nor with another key, nor under another name of theirs."""
    file = planned(house)
    with pytest.raises(GateRefused, match=r"ann@example\.org may not approve this plan: its author"):
        approved(house, file, "ann")
    house.allow("ann", "ben", more=f"ann@home.example,ann@example.org {house.second_key()}\n")
    file = planned(house)
    with pytest.raises(GateRefused, match=r"ann@home\.example may not approve this plan: its author"):
        approved(house, file, "second")
    assert not [event for event in world(house).ledger.events() if event.facts.get("act") == "approve"]


def test_people_count_and_not_their_keys(house: House) -> None:
    """One person with two keys is one of two approvals; two people are two."""
    house.allow("ann", "ben", "cay", more=f"ben@home.example,ben@example.org {house.second_key()}\n")
    two = {"gates": {"plan_approvals": 2}}
    file = planned(house, **two)
    approved(house, file, "ben", "second", **two)
    assert "1 of 2 approvals" in refusal(house, file, **two)
    approved(house, file, "cay", **two)
    deploy(house, file, **two)


def test_only_approvers_approve(house: House) -> None:
    """Where they are named; by any of their names."""
    named = {"gates": {"approvers": ["cay@example.org"]}}
    file = planned(house, **named)
    with pytest.raises(GateRefused, match=r"ben@example\.org may not approve.*approvers are cay@example\.org"):
        approved(house, file, "ben", **named)
    approved(house, file, "ben")  # as if it had been allowed then
    assert "approvers are cay@example.org" in refusal(house, file, **named)
    approved(house, file, "cay", **named)
    deploy(house, file, **named)


def test_an_approval_grows_old(house: House) -> None:
    file = planned(house)
    approved(house, file, "ben")
    memory.state_of(house.root).change(elapsed=8 * 86400.0)
    assert "that of ben@example.org does not count: it is older than 7 days" in refusal(house, file)
    approved(house, file, "ben")
    deploy(house, file)


def test_an_approval_that_was_written_into_the_ledger(house: House) -> None:
    """Without a signature, or with one of another plan: it counts for nothing."""
    file = planned(house)
    made, digest = world(house), plan_file.read(Path(file)).digest
    said = {"act": "approve", "item": "", "about": digest, "note": "", "signer": "ben@example.org"}
    made.ledger.append("signed", said)
    assert "that of ben@example.org does not count: nobody signed it with a key" in refusal(house, file)
    approved(house, file, "ben")
    mine = next(event for event in reversed(list(made.ledger.events())) if event.kind == "signed")
    keys.commit(house.root, {"page.html": "new"})
    other = planned(house)
    made.ledger.append("signed", {**mine.facts, "about": plan_file.read(Path(other)).digest})
    assert "what was signed is: approve  about" in refusal(house, other)


def test_a_file_that_was_tampered_with(house: House) -> None:
    """In its steps, calls, version, hotfix or digest: it is neither approved nor carried out."""
    file = planned(house)
    approved(house, file, "ben")
    written = Path(file).read_text()
    document = json.loads(written)
    changes: list[dict[str, Any]] = [
        {"version": "9.9.9"},
        {"hotfix": True},
        {"wanted": {**document["wanted"], "hotfix": True}},
        {"digest": "0" * 64},
        {"environment": "staging"},
        {"calls": [*document["calls"][:-1], [["rm -rf /"]]]},
        {"plan": {**document["plan"], "color": "green"}},
    ]
    for change in changes:
        Path(file).write_text(json.dumps({**document, **change}))
        with pytest.raises(GateRefused, match="was changed after it was planned"):
            plan_file.read(Path(file))
        assert "was changed after it was planned" in refusal(house, file)


def test_an_author_who_is_not_proven(house: House) -> None:
    """Ann writes Ben's name over hers, to approve it herself; or takes her signature away."""
    file = planned(house)
    document = json.loads(Path(file).read_text())
    for change, why in (
        ({"author": "ben@example.org"}, "ben@example.org made it, and ann@example.org signed it"),
        ({"signature": ""}, "who planned this is not proven: nobody signed it with a key"),
        ({"statement": document["statement"].replace("ann@desk", "ben@desk")}, "the statement was changed"),
    ):
        Path(file).write_text(json.dumps({**document, **change}))
        with pytest.raises(GateRefused, match=why):
            approved(house, file, "ann")
        assert why in refusal(house, file)


def test_what_is_no_plan_is_refused_with_code_2(house: House, tmp_path: Path) -> None:
    file = planned(house)
    document = json.loads(Path(file).read_text())
    for name, content, why in (
        ("none", None, "cannot be read: No such file"),
        ("text", "hello", "is not JSON"),
        ("list", "[]", "is no plan"),
        ("future", json.dumps({**document, "format": 2}), "its format is 2, not 1"),
        ("half", json.dumps({"format": 1, "plan": {}}), "no plan that can be read here: KeyError"),
        ("steps", json.dumps({**document, "plan": {**document["plan"], "steps": [{"step": "dance"}]}}), "dance"),
    ):  # fmt: skip
        if content is not None:
            (tmp_path / name).write_text(content)
        with pytest.raises((UsageError, GateRefused), match=why):
            plan_file.read(tmp_path / name)
    with pytest.raises(UsageError, match="is a plan for library in test, and this is library in production"):
        approving.approve_in(
            house.world("ben", environment="production"), plan_file.read(Path(file)), file, preview=False, json=False
        )


def test_nothing_but_a_plan_is_written_over(house: House) -> None:
    """``--out`` of something else, by mistake, destroys nothing; a plan is replaced."""
    precious = house.root / "precious.json"
    precious.write_text("{}")
    with pytest.raises(UsageError, match="is there already, and is no plan"):
        approving.plan(world(house), None, Wanted(), str(precious), json=False)
    assert precious.read_text() == "{}"
    assert planned(house) == planned(house)


def test_drift_is_refused_and_named(house: House) -> None:
    """Changed settings, another release, another live color: each field, and nothing was changed."""
    file = planned(house)
    approved(house, file, "ben")
    said = refusal(house, file, watch="60s")
    assert "the plan that was approved is not what would be done now:" in said
    assert "step `roll out`, rules.watch: 30.0 → 60.0" in said
    keys.commit(house.root, {"page.html": "new"})
    shutil.rmtree(house.root / ".deploy")
    assert f"git checkout {house.commit[:12]}" in refusal(house, file)
    newer = planned(house)
    approved(house, newer, "ben")
    deploy(house, newer)
    keys.commit(house.root, {"page.html": "newer"})
    third = planned(house)
    approved(house, third, "ben")
    memory.state_of(house.root).change(split=[0, 100, None, "settled:somebody"])
    said = refusal(house, third)
    assert "split.blue: 100 → 0" in said
    assert "color: green → blue" in said


def test_the_command_line_may_not_contradict_the_plan(house: House) -> None:
    file = planned(house)
    approved(house, file, "ben")
    with pytest.raises(UsageError, match="says something else than --hotfix, --target"):
        deploy(house, file, given=Wanted(hotfix=True, target="green"))


def test_what_was_asked_for_is_planned_again(house: House) -> None:
    """A hotfix, another color, an older version: the plan remembers."""
    wanted = Wanted(hotfix=True, target="green", older="the new one is broken")
    file = planned(house, wanted=wanted)
    assert wanted == plan_file.read(Path(file)).wanted
    approved(house, file, "ben")
    made = deploy(house, file)
    assert made.traffic.read().live == "green"


def test_while_something_is_unfinished_nothing_is_planned(house: House) -> None:
    """What is taken back first changes what a plan starts from."""
    made = world(house)
    made.ledger.append("began", {"deployment": "d-1", "task": "deploy"})
    with pytest.raises(GateRefused, match="deploy d-1 is at work, or was left unfinished"):
        planned(house)


def test_elsewhere_names_are_enough(house: House) -> None:
    """Without protection: but one person on two machines is one, and an author is an author anywhere."""
    free = {"protected": False, "gates": {"plan_approvals": 2}}
    file = planned(house, **free)
    assert "signature" not in json.loads(Path(file).read_text())

    def approve(who: str) -> None:
        made = world(house, **free)
        made.site = made.site._replace(who=who)
        approving.approve_in(made, plan_file.read(Path(file)), file, preview=False, json=False)

    for who in ("ann@laptop", "ann@desk"):
        with pytest.raises(GateRefused, match="its author does not approve a plan"):
            approve(who)
    approve("ben@desk")
    approve("ben@laptop")
    assert "1 of 2 approvals" in refusal(house, file, **free)
    approve("cay@desk")
    deploy(house, file, **free)


def test_what_is_in_no_commit_is_named(house: House) -> None:
    """Nobody is told to check out what is checked out."""
    file = planned(house)
    with (house.root / "allowed_signers").open("a") as known:
        known.write("# changed\n")
    said = refusal(house, file)
    assert "the work tree has changes that no commit has: allowed_signers" in said
    assert "git checkout" not in said


def test_a_preview_changes_nothing(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    """``inv approve --plan`` shows the plan and the key; ``inv plan`` without ``--out`` records nothing."""
    approving.plan(world(house), None, Wanted(), None, json=False)
    assert 0 == world(house).ledger.head().number
    file = planned(house)
    before = world(house).ledger.head().number
    approving.approve_in(world(house, "ben"), plan_file.read(Path(file)), file, preview=True, json=False)
    assert before == world(house).ledger.head().number
    told = capsys.readouterr()
    assert "would record in test, with a signature by `signers.key`" in told.err
    assert "planned by ann@example.org" in told.err


def test_the_approval_is_remembered_after_a_death(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """A deployment that died before its gate asks again, when it is resumed, whether its plan was approved."""
    demanded = people.ITEMS[0]._replace(level="development")
    monkeypatch.setattr(checklist, "ITEMS", (demanded,))
    file = planned(house)
    approved(house, file, "ben")
    release = releases.choose_release(world(house), None, file)
    releases.build_release(world(house), release)
    killed = stories.when("step", stories.die, step="check the gates", state="began")

    def die() -> None:
        made = world(house, kind=killed)
        approving.deploy(made, file, DEFAULT, None, preview=False, wait=0.0)

    assert stories.in_a_fork(die)
    resume(world(house))
    assert "blue" == world(house).traffic.read().live
    without = next(event for event in world(house).ledger.events() if event.kind == "began")
    assert without.facts["planned"]


@pytest.mark.parametrize("answer", ["yes", "no"])
def test_at_a_terminal_it_is_asked_for_once_more(house: House, monkeypatch: pytest.MonkeyPatch, answer: str) -> None:
    """After the plan was shown. Where nobody sits, the command is somebody's word."""
    file = planned(house)
    monkeypatch.setattr(view, "is_terminal", lambda: True)
    monkeypatch.setattr(view, "prompt", lambda question: answer)
    made = world(house, "ben")
    made.consent = False
    if answer == "yes":
        approving.approve_in(made, plan_file.read(Path(file)), file, preview=False, json=False)
        deploy(house, file)
        return
    with pytest.raises(GateRefused, match="not approved"):
        approving.approve_in(made, plan_file.read(Path(file)), file, preview=False, json=False)


def test_json_is_the_file_itself(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    """One object on stdout; without ``--out`` nothing is written, and what is live already is no plan."""
    out = house.root / "plan.json"
    approving.plan(world(house), None, DEFAULT, str(out), json=True)
    told = capsys.readouterr()
    assert json.loads(out.read_text()) == json.loads(told.out)
    assert "have it approved: inv approve" in told.err
    approved(house, str(out), "ben")
    deploy(house, str(out))
    capsys.readouterr()
    approving.plan(world(house), None, DEFAULT, str(house.root / "second.json"), json=True)
    told = capsys.readouterr()
    assert ("", True) == (told.out, "is live on blue already" in told.err)
    assert not (house.root / "second.json").exists()


def test_a_secret_does_not_come_into_a_plan(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither into the file nor into what is signed."""
    monkeypatch.setenv("SOME_TOKEN", house.commit)
    with pytest.raises(UsageError, match="the plan holds the value of a secret"):
        planned(house)
    assert 0 == world(house).ledger.head().number
    assert not (house.root / "plan.json").exists()
