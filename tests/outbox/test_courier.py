"""Everybody is told beside a deployment, and nobody in its way."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest
from inboxes import Hanging, Inbox, Office, refusing, silent

from deploytasks.bulletins import Bulletin
from deploytasks.errors import Unreachable, UsageError
from deploytasks.outbox.courier import Courier, Waiting


def tell(office: Office, courier: Courier, *names: str) -> list[int]:
    """Record news, and have the courier hear of it."""
    numbers = office.announce(*names)
    for number in numbers:
        found = office.ledger.event(number)
        assert found is not None
        courier.tell(found)
    return numbers


def test_everybody_is_told_what_is_recorded(tmp_path: Path) -> None:
    """In order, and what they need not hear of is passed over."""
    office = Office(tmp_path)
    slack, pager = office.inbox(), office.inbox("pager")
    pager.least = "error"
    courier = office.courier(slack, pager)
    numbers = tell(office, courier, "one", "two")
    office.ledger.append("note", {"text": "nothing"})
    assert ({}, numbers, []) == (courier.finish(10), slack.numbers, pager.numbers)
    places = [office.places.read(name) for name in ("slack", "pager")]
    assert [3, 3] == [found[0].upto for found in places if found is not None]


def test_what_others_recorded_is_told_as_well(tmp_path: Path) -> None:
    """It works from the ledger: nobody need have heard of an event here."""
    office = Office(tmp_path)
    courier = office.courier(office.inbox())
    numbers = office.announce("by somebody else")
    numbers += tell(office, courier, "ours")
    numbers += office.announce("by somebody else again")
    assert ({}, numbers) == (courier.finish(10), office.inbox().numbers)


def test_who_is_silent_is_named_and_told_later(tmp_path: Path) -> None:
    """How many wait, why, and since when; then all of it, in order."""
    office = Office(tmp_path)
    courier = office.courier(office.inbox(before=silent), office.inbox("pager"))
    numbers = tell(office, courier, "one", "two")
    waiting = courier.finish(10)
    assert {"slack": Waiting(2, "it is silent", office.now())} == waiting
    assert numbers == office.inbox("pager").numbers
    assert ({}, numbers) == (office.courier(office.inbox()).finish(10), office.inbox().numbers)


def test_who_hangs_holds_up_nobody(tmp_path: Path) -> None:
    """Neither whoever records something, nor the others, nor the end beyond its patience."""
    office = Office(tmp_path)
    hanging = Hanging()
    courier = office.courier(office.inbox(before=hanging), office.inbox("pager"))
    tell(office, courier, "one")
    assert hanging.began.wait(10)
    began = time.monotonic()
    numbers = tell(office, courier, *("more",) * 20)
    waiting = courier.finish(0.5)
    assert time.monotonic() - began < 5
    assert (["slack"], 1) == (list(waiting), waiting["slack"].many)
    assert numbers[-1] == office.inbox("pager").numbers[-1]
    hanging.go.set()


def test_telling_never_waits(tmp_path: Path) -> None:
    """Not even for what is opened first."""
    go = threading.Event()
    office = Office(tmp_path)

    def opening() -> object:
        go.wait(10)
        raise UsageError("a mistake in there")

    courier = Courier(opening)  # type: ignore[arg-type]  # it never returns
    began = time.monotonic()
    tell(office, courier, "one")
    assert time.monotonic() - began < 1
    assert "" in courier.finish(0.05)
    go.set()


def test_a_mistake_in_opening_is_named(tmp_path: Path) -> None:
    """At the end, and nothing else comes of it."""

    def opening() -> object:
        raise UsageError("a mistake in there")

    courier = Courier(opening)  # type: ignore[arg-type]  # it never returns
    courier.tell(None)
    assert {"": Waiting(0, "a mistake in there")} == courier.finish(10)


def test_who_cannot_be_opened_leaves_the_others_alone(tmp_path: Path) -> None:
    """It is named at the end."""
    office = Office(tmp_path)
    courier = office.courier(office.inbox(), unopened={"pager": "an extra is not installed"})
    numbers = tell(office, courier, "one")
    assert {"pager": Waiting(0, "an extra is not installed")} == courier.finish(10)
    assert numbers == office.inbox().numbers


def test_nobody_is_told_under_somebodys_lease(tmp_path: Path) -> None:
    """What is refused is recorded without a token: whoever deploys goes on."""
    office = Office(tmp_path)
    office.ledger.append("note", {"text": "ours"}, token=7)
    courier = office.courier(office.inbox(before=refusing("one", "in test")))
    tell(office, courier, "one")
    courier.finish(10)
    office.ledger.append("note", {"text": "ours still"}, token=7)
    assert ["undelivered"] == [event.kind for event in office.ledger.events() if event.kind == "undelivered"]


def test_with_patience_who_is_silent_is_tried_again(tmp_path: Path) -> None:
    """As somebody who has nothing else to do does."""
    office = Office(tmp_path)
    tries: list[int] = []

    def first_silent(bulletin: Bulletin) -> None:
        tries.append(bulletin.number)
        if len(tries) == 1:
            raise Unreachable("not yet")

    numbers = office.announce("one")
    assert {} == office.courier(office.inbox(before=first_silent)).finish(20, insist=True)
    assert (numbers, numbers * 2) == (office.inbox().numbers, tries)


def test_two_couriers_at_once(tmp_path: Path) -> None:
    """Of a deployment and of a rollback into it: nothing twice, nothing lost, in order."""
    office = Office(tmp_path)
    couriers = [office.courier(office.inbox(), office.inbox("pager")) for _ in range(2)]
    numbers = [number for each in range(10) for number in tell(office, couriers[each % 2], f"{each}")]
    found: list[object] = []
    threads = [threading.Thread(target=lambda each=each: found.append(each.finish(20))) for each in couriers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert ([{}, {}], numbers) == (found, office.inbox().numbers)
    assert numbers == office.inbox("pager").numbers


def test_a_silent_ledger_is_named_in_time(tmp_path: Path) -> None:
    """It is not waited for."""
    office = Office(tmp_path)
    office.announce("one")
    courier = office.courier(office.inbox())
    (tmp_path / "ledger").rename(tmp_path / "aside")
    (tmp_path / "ledger").write_text("no folder")
    began = time.monotonic()
    waiting = courier.finish(0.3)
    assert (True, "ledger is silent" in waiting[""].why) == (time.monotonic() - began < 3, True)


@pytest.mark.parametrize("least", ["detail", "critical"])
def test_an_inbox_of_any_severity_ends(least: str, tmp_path: Path) -> None:
    """Whether all of it or none is for it."""
    office = Office(tmp_path)
    inbox = Inbox(tmp_path / "slack.told", least=least)  # type: ignore[arg-type]  # a severity
    courier = office.courier(inbox)
    tell(office, courier, "one")
    assert {} == courier.finish(10)
