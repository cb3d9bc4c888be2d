"""A checklist ends, whatever is silent; and asks nobody twice who was."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import memory
import pytest

from deploytasks.checklist import asking, evaluating
from deploytasks.checklist.evaluating import evaluate_items
from deploytasks.checklist.item import Found, Item
from deploytasks.checklist.subject import Subject
from deploytasks.errors import Unreachable, UsageError

GOOD = Found("pass", "good")


@pytest.fixture
def over(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """The end of the test, for which silent systems wait; nobody waits for them long."""
    monkeypatch.setattr(asking, "PATIENCE", 0.05)
    event = threading.Event()
    yield event
    event.set()


def item(name: str, check: Callable[[Subject], Found], asks: str = "") -> Item:
    return Item(name, f"about {name}", check, "development", asks=asks)


def evaluated(folder: Path, *items: Item) -> dict[str, tuple[str, str]]:
    found = evaluate_items(items, Subject(memory.world(folder), memory.release()))
    return {result.item: (result.answer, result.evidence) for result in found}


def test_silent_systems_are_waited_for_at_once(tmp_path: Path, over: threading.Event) -> None:
    """Each of their items says so; what was answered counts, and so does what a silent system said before."""

    def silent(of: Subject) -> Found:
        over.wait()
        return GOOD

    items = [item(f"s.{n}", silent, f"system{n}") for n in range(20)]
    more = [item("a.first", lambda of: GOOD, "late"), item("a.second", silent, "late"), item("b.here", lambda of: GOOD)]
    began = time.monotonic()
    found = evaluated(tmp_path, *items, *more)
    assert time.monotonic() - began < 20 * asking.PATIENCE
    assert {("fail", f"unreachable: system{n}: no answer within 0.05 s") for n in range(20)} == {
        found[each.id] for each in items
    }
    assert [("pass", "good"), ("fail", "unreachable: late: no answer within 0.05 s"), ("pass", "good")] == [
        found[each.id] for each in more
    ]


LARGE = [f"web{n}" for n in range(60)]


@pytest.mark.parametrize(
    "fleet",
    [
        SimpleNamespace(kind="ssh", hosts=LARGE),
        SimpleNamespace(kind="ssh", hosts={"blue": LARGE[:30], "green": LARGE[30:]}),
        SimpleNamespace(kind="ssh", hosts=["web1"], ssh=SimpleNamespace(connect_within=10.0)),
    ],
    ids=["many hosts", "many hosts of two colors", "one that may take long to connect to"],
)
def test_some_fleets_have_more_time(
    tmp_path: Path, over: threading.Event, monkeypatch: pytest.MonkeyPatch, fleet: Any
) -> None:
    """Many hosts take longer; and where one is silent, that is heard in the end, by its name."""
    monkeypatch.setattr(evaluating, "PER_HOST", 2.0)
    heard = threading.Event()

    def later(of: Subject) -> Found:
        heard.wait(2 * asking.PATIENCE)
        return GOOD

    world = memory.world(tmp_path)
    world.settings = replace(world.settings, sections={**world.settings.sections, "fleet": fleet})
    found = evaluate_items([item("a.late", later, "fleet")], Subject(world, memory.release()))
    assert ["pass"] == [result.answer for result in found]


def test_items_of_one_system_come_one_after_the_other(tmp_path: Path) -> None:
    """In their order, in one thread: a provider is not asked by two at once."""
    heard: list[tuple[str, str]] = []

    def check(name: str) -> Callable[[Subject], Found]:
        def look(of: Subject) -> Found:
            heard.append((name, threading.current_thread().name))
            return GOOD

        return look

    evaluated(tmp_path, *(item(name, check(name), "fleet") for name in ("a.a", "a.b", "a.c")))
    assert [(name, "check fleet") for name in ("a.a", "a.b", "a.c")] == heard


def test_a_wrong_configuration_is_no_refusal(tmp_path: Path) -> None:
    """Its error comes out, from whatever thread."""

    def wrong(of: Subject) -> Found:
        raise UsageError("deploy.gates.x: wrong")

    for asks in ("", "fleet"):
        with pytest.raises(UsageError, match="wrong"):
            evaluated(tmp_path, item("a.a", wrong, asks))


class Ledger:
    """A ledger that is silent, or broken; it counts how often it was asked."""

    def __init__(self, act: Callable[[], Any]) -> None:
        self.act, self.asked = act, 0

    def head(self) -> Any:
        self.asked += 1
        return self.act()


def test_a_silent_ledger_is_asked_once(tmp_path: Path, over: threading.Event) -> None:
    """By however many items, signatures included; each says that it is unreachable."""
    world = memory.world(tmp_path)
    ledger = Ledger(over.wait)
    world.__dict__["ledger"] = ledger
    of = Subject(world, memory.release())

    def look(of: Subject) -> Found:
        assert of.standing
        return GOOD

    items = [*(item(f"a.{n}", look, f"{n}") for n in range(3)), item("a.here", look)]
    found = evaluate_items(items, of)
    assert {("fail", "unreachable: the ledger: no answer within 0.05 s")} == {(r.answer, r.evidence) for r in found}
    with pytest.raises(Unreachable, match="the ledger: no answer"):
        assert of.standing
    assert 1 == ledger.asked


def test_a_ledger_that_answers_too_late_does_not_count(tmp_path: Path, over: threading.Event) -> None:
    """What the table said is what holds: nobody records beside it that all was known."""
    world = memory.world(tmp_path)
    answered = threading.Event()
    real = world.ledger.head()

    def late() -> Any:
        over.wait()
        answered.set()
        return real

    world.__dict__["ledger"] = Ledger(late)
    of = Subject(world, None)
    with pytest.raises(Unreachable):
        assert of.standing
    over.set()
    answered.wait(5)
    with pytest.raises(Unreachable):
        assert of.standing


def test_what_the_ledger_raises_comes_out(tmp_path: Path) -> None:
    """Each time the same, without another question."""

    def broken() -> None:
        raise Unreachable("the server hung up")

    world = memory.world(tmp_path)
    ledger = Ledger(broken)
    world.__dict__["ledger"] = ledger
    of = Subject(world, None)
    for _ in range(2):
        with pytest.raises(Unreachable, match="hung up"):
            assert of.standing
    assert 1 == ledger.asked
