"""A checklist as plain data: as it is shown, as it is recorded, and as a report finds it again."""

from __future__ import annotations

import json
import re
import threading
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import memory
import pytest
from pages import ROOT

from deploytasks import view
from deploytasks.checklist import ITEMS, Subject
from deploytasks.checklist.controls import STANDARDS
from deploytasks.checklist.item import Answer, Result
from deploytasks.errors import GateRefused, Unreachable
from deploytasks.operations import answers, proving

RELEASE = memory.release()._replace(commit="c0ffee" * 6 + "c0ff")


def test_the_page_has_its_fields(world: memory.TestWorld, capsys: pytest.CaptureFixture[str]) -> None:
    """What the document says of the object is what is printed."""
    text = (ROOT / "docs" / "DEPLOYMENT_CHECKLIST.md").read_text(encoding="utf-8")
    told = re.findall(r"`(\w+)`", text.partition("prints one object: ")[2].partition("\n- ")[0])
    found = checked(world, capsys)
    assert told == [*(name for name in found), *found["items"][0]]


def checked(world: memory.TestWorld, capsys: pytest.CaptureFixture[str], **options: Any) -> dict[str, Any]:
    """What `inv checklist --json` prints; a refusal is as good."""
    with suppress(GateRefused):
        proving.check(world, RELEASE, json=True, **options)
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


@pytest.fixture
def world(tmp_path: Path) -> memory.TestWorld:
    made = memory.world(tmp_path)
    assert isinstance(made, memory.TestWorld)
    return made


def test_json_has_all_of_it(world: memory.TestWorld, capsys: pytest.CaptureFixture[str]) -> None:
    """One object: about what, how many items are open, and each item with level, controls and what to do."""
    memory.state_of(world.site.root).set(alerts=["Disk"])
    found = checked(world, capsys, hotfix=True)
    assert {
        "environment": "test",
        "level": "development",
        "version": "1.0.0",
        "commit": RELEASE.commit,
        "hotfix": True,
        "open": 1,
    } == {name: value for name, value in found.items() if name != "items"}
    assert [item.id for item in ITEMS] == [item["item"] for item in found["items"]]
    fired = next(item for item in found["items"] if item["item"] == "monitoring.alerts")
    assert ("fail", "firing: Disk", "development", True) == tuple(
        fired[name] for name in ("answer", "evidence", "level", "critical")
    )
    assert list(STANDARDS) == list(fired["controls"])
    assert ["CC7.2", "CC7.3"] == fired["controls"]["soc2"]
    assert "Look after the alert first." == fired["do"]


class Silent:
    """A store that never answers; it counts how often it was asked."""

    def __init__(self) -> None:
        self.asked = 0

    def __getattr__(self, name: str) -> Any:
        self.asked += 1
        raise Unreachable("the store does not answer")


@pytest.mark.parametrize(
    ("given", "do"),
    [
        (["fail"], "mend it, or set it aside: `inv override"),
        (["needs a signature"], "`inv sign ITEM --env test --note …` for what only people know; or set it aside"),
        (["fail", "needs a signature"], "`inv sign ITEM --env test --note …` for what only people know; mend the rest"),
    ],
)
def test_what_to_do_fits_what_is_open(
    world: memory.TestWorld, given: list[Answer], do: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody is told to mend a rest where there is none."""
    results = [Result(item.id, item.text, answer, "") for item, answer in zip(ITEMS, given, strict=False)]
    monkeypatch.setattr(proving, "evaluate", lambda of: results)
    with pytest.raises(GateRefused) as caught:
        proving.check(world, RELEASE)
    assert caught.value.do.startswith(do)


@pytest.mark.parametrize(
    ("name", "said"), [("check reviews", "still asking: reviews"), ("other", "still looking: commands")]
)
def test_whoever_waits_is_told_for_what(
    world: memory.TestWorld, name: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody sits before an empty screen for longer than a few seconds."""
    told: list[str] = []
    heard = threading.Event()
    at_work = SimpleNamespace(enumerate=lambda: [SimpleNamespace(name=name)])

    def slow(of: Subject) -> list[Result]:
        assert of.release == RELEASE
        heard.wait(10)
        return []

    def say(text: str) -> None:
        told.append(text)
        heard.set()

    monkeypatch.setattr(view, "A_WHILE", 0.01)
    monkeypatch.setattr(proving, "threading", at_work)
    monkeypatch.setattr(proving, "evaluate", slow)
    monkeypatch.setattr(view, "say", say)
    proving.check(world, RELEASE)
    assert [True] == [line.startswith(said) for line in told]


def test_a_silent_ledger_comes_after_the_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What was found is shown; that it could not be recorded is the error, code 7, and the store was asked once."""
    store = Silent()
    with pytest.raises(Unreachable, match="the checklist cannot be recorded: the store does not answer") as failed:
        proving.check(memory.world(tmp_path, store=store), RELEASE, json=True)
    assert 7 == failed.value.exit_code
    assert json.loads(capsys.readouterr().out)["items"]
    assert 1 == store.asked


def test_a_report_finds_the_checklist_again(world: memory.TestWorld, capsys: pytest.CaptureFixture[str]) -> None:
    """The last one for this very content from before the deployment ended, with what people signed for it."""
    checked(world, capsys)
    memory.state_of(world.site.root).set(alerts=["Disk"])
    shown = checked(world, capsys)
    world.note("signed", act="override", item="monitoring.alerts", about=RELEASE.commit, note="a false alarm")
    world.note("signed", act="sign", item="people.oncall", about="another commit", note="called Bob")
    release = {"version": RELEASE.version, "digest": RELEASE.digest, "commit": RELEASE.commit}
    world.note("began", deployment="d1", task="deploy", **release)
    world.note("ended", deployment="d1", outcome="done", code=0, why="")
    checked(world, capsys)
    found = answers.report(world, "d1")
    assert shown["items"] == found["checklist"]["items"]
    assert (2, "development", False) == tuple(found["checklist"][name] for name in ("number", "level", "hotfix"))
    assert [("override", "monitoring.alerts", "a false alarm")] == [
        (each["act"], each["item"], each["note"]) for each in found["signed"]
    ]


def test_a_report_without_a_checklist(world: memory.TestWorld) -> None:
    """A deployment without gates, or of a ledger from before: there is none, and nothing is made up."""
    world.note("checked", digest="another", results=[["code.tests", "pass", "x"]])
    world.note("began", deployment="d1", task="install")
    world.note("ended", deployment="d1", outcome="done", code=0, why="")
    found = answers.report(world, "d1")
    assert (None, []) == (found["checklist"], found["signed"])


def test_a_checklist_of_another_version_is_readable(world: memory.TestWorld) -> None:
    """Items that are no longer known keep their answer; what is not of the form is left out."""
    results: list[Any] = [["gone.item", "pass", "all was well"], ["short"], "odd", 3]
    world.note("checked", digest=RELEASE.digest, results=results)
    world.note("began", deployment="d1", task="deploy", digest=RELEASE.digest)
    (item,) = answers.report(world, "d1")["checklist"]["items"]
    assert ("gone.item", "pass", "all was well", "") == tuple(
        item[name] for name in ("item", "answer", "evidence", "text")
    )
