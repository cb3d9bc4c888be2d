"""One recipient is told everything, in order; who dies in between, or is refused, loses nothing."""

from __future__ import annotations

import os
import threading
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest
from inboxes import Inbox, Office, WallClock, refusing, silent

from deploytasks.bulletins import Bulletin, Memory, Sending
from deploytasks.errors import Conflict, Unreachable, UsageError
from deploytasks.outbox.delivery import Waits
from deploytasks.outbox.place import TTL, Place


def test_it_is_told_all_in_order(tmp_path: Path) -> None:
    """Each once, with the numbers of their events; the next one goes on where this one stopped."""
    office = Office(tmp_path)
    numbers = office.announce("one", "two")
    office.delivery(office.inbox()).carry(office.last)
    numbers += office.announce("three")
    office.delivery(office.inbox()).carry(office.last)
    assert numbers == office.inbox().numbers


def test_what_it_remembers_is_handed_from_one_message_to_the_next(tmp_path: Path) -> None:
    """Also from one process to the next."""
    office = Office(tmp_path)
    for name in ("one", "two", "three"):
        office.announce(name)
        office.delivery(office.inbox()).carry(office.last)
    found = office.places.read("slack")
    assert found is not None
    assert {"count": 3} == found[0].memory


def test_somebody_new_hears_of_what_happened_lately(tmp_path: Path) -> None:
    """Of the last 15 minutes, and never the whole history."""
    clock = WallClock()
    office = Office(tmp_path, clock)
    office.announce("long ago", "long ago")
    clock.pass_by(16 * 60)
    (number,) = office.announce("lately")
    office.delivery(office.inbox()).carry(office.last)
    assert [number] == office.inbox().numbers


def test_silence_waits_and_says_since_when(tmp_path: Path) -> None:
    """The claim is given back, the reason lies in the store; once somebody answers, all is told in order."""
    clock = WallClock()
    office = Office(tmp_path, clock)
    numbers = office.announce("one", "two")
    since = clock.at
    for _ in range(2):
        with pytest.raises(Waits, match="it is silent"):
            office.delivery(office.inbox(before=silent)).carry(office.last)
        clock.pass_by(100)
    found = office.places.read("slack")
    assert found is not None
    assert found[0].trouble is not None
    assert (since, "it is silent", None) == (found[0].trouble.since, found[0].trouble.why, found[0].claim)
    assert 2 == len(office.delivery(office.inbox()).waiting(office.last))
    office.delivery(office.inbox()).carry(office.last)
    assert numbers == office.inbox().numbers
    after = office.places.read("slack")
    assert after is not None
    assert after[0].trouble is None


def test_a_secret_that_is_not_there_is_not_waited_for(tmp_path: Path) -> None:
    """Trying again at once would not help; another machine may have it."""
    office = Office(tmp_path)
    office.announce("one")

    def unset(bulletin: Bulletin) -> None:
        raise UsageError("SLACK_WEBHOOK_URL is not set")

    with pytest.raises(Waits) as caught:
        office.delivery(office.inbox(before=unset)).carry(office.last)
    assert not caught.value.again


def test_what_is_refused_is_passed_over_and_recorded(tmp_path: Path) -> None:
    """Sent again it would be refused again: it does not block what comes after it."""
    office = Office(tmp_path)
    office.ledger.append("maintenance", {"on": True, "message": "soon"})
    office.announce("one")
    office.delivery(office.inbox(before=refusing("closed"))).carry(2)
    (event,) = [event for event in office.ledger.events() if event.kind == "undelivered"]
    assert {"to": "slack", "number": 1, "why": "it does not like that"} == event.facts
    assert (["announced"], 0) == (office.inbox().changes, event.token)


@pytest.mark.parametrize("where", ["sending", "perform"])
def test_a_mistake_of_ours_in_one_message_does_not_block_the_others(where: str, tmp_path: Path) -> None:
    """It is recorded as not told."""

    class Broken(Inbox):
        def sending(self, bulletin: Bulletin, memory: Memory) -> Sending | None:
            if where == "sending" and bulletin.number == 1:
                raise KeyError("nobody thought of that")
            return super().sending(bulletin, memory)

        def _take(self, bulletin: Bulletin, memory: Memory) -> Memory:
            if bulletin.number == 1:
                raise KeyError("nobody thought of that")
            return super()._take(bulletin, memory)

    office = Office(tmp_path)
    office.announce("one", "two")
    office.delivery(Broken(tmp_path / "slack.told")).carry(2)
    assert ([2], "undelivered") == (office.inbox().numbers, list(office.ledger.events())[-1].kind)


def in_a_process(work: Callable[[], None]) -> int:
    """Run it in a fork that is really gone afterwards; its exit code."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        pid = os.fork()
    if pid == 0:
        code = 1
        try:
            work()
            code = 0
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


@pytest.mark.parametrize(("moment", "expected"), [("before", [1, 2]), ("after", [1, 1, 2])])
def test_killed_around_a_message(moment: str, expected: list[int], tmp_path: Path) -> None:
    """Between its sending and the note of it: it is sent once more, with the same number. Before: once."""
    office = Office(tmp_path)
    office.announce("one", "two")

    def die() -> None:
        inbox = office.inbox()
        setattr(inbox, moment, lambda bulletin: os._exit(9))
        office.delivery(inbox).carry(2)

    assert 9 == in_a_process(die)
    office.delivery(office.inbox()).carry(2)  # on the same machine: that it is dead can be seen
    assert expected == office.inbox().numbers


def test_a_claim_from_elsewhere_is_waited_for_until_its_time_is_up(tmp_path: Path) -> None:
    """Whether its process lives cannot be seen from here."""
    clock = WallClock()
    office = Office(tmp_path, clock)
    office.announce("one")

    def die() -> None:
        office.delivery(office.inbox(before=lambda bulletin: os._exit(9)), place="elsewhere").carry(1)

    assert 9 == in_a_process(die)
    with pytest.raises(Waits, match="is telling it"):
        office.delivery(office.inbox()).carry(1)
    clock.pass_by(TTL + 1)
    office.delivery(office.inbox()).carry(1)
    assert [1] == office.inbox().numbers


def test_a_claim_by_a_clock_that_is_far_ahead_is_not_waited_for(tmp_path: Path) -> None:
    """It would be waited for as long as that clock is wrong."""
    clock = WallClock()
    office = Office(tmp_path, clock)
    office.announce("one")
    office.places.write("slack", Place(0), None)
    clock.pass_by(3600)

    def die() -> None:
        office.delivery(office.inbox(before=lambda bulletin: os._exit(9)), place="elsewhere").carry(1)

    assert 9 == in_a_process(die)
    clock.pass_by(-3600)
    office.delivery(office.inbox()).carry(1)
    assert [1] == office.inbox().numbers


def test_two_tell_the_same_one_at_the_same_time(tmp_path: Path) -> None:
    """Nothing twice, nothing lost, in order."""
    office = Office(tmp_path)
    numbers = office.announce(*(f"{number}" for number in range(20)))

    met: list[str] = []

    def tell() -> None:
        delivery = office.delivery(office.inbox())
        while True:
            try:
                delivery.carry(20)
                return
            except Waits as found:
                met.append(found.why)

    threads = [threading.Thread(target=tell) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert (numbers, set()) == (office.inbox().numbers, set(met) - {"ann@desk is telling it"})


def test_several_processes_tell_the_same_one(tmp_path: Path) -> None:
    """The same for processes, some of which are killed: nothing lost, nothing before its time."""
    office = Office(tmp_path)
    numbers = office.announce(*(f"{number}" for number in range(12)))

    def tell(dies_at: int) -> None:
        delivery = office.delivery(office.inbox(before=lambda one: os._exit(9) if one.number == dies_at else None))
        while True:
            try:
                delivery.carry(12)
                return
            except (Waits, Conflict):
                continue

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        children = []
        for dies_at in (3, 7, 0):
            if (pid := os.fork()) == 0:
                try:
                    tell(dies_at)
                finally:
                    os._exit(0)
            children.append(pid)
    for pid in children:
        os.waitpid(pid, 0)
    assert numbers == office.inbox().numbers


def test_a_message_that_was_sent_and_could_not_be_noted_is_not_sent_again(tmp_path: Path) -> None:
    """By the process that sent it: when the store answers again, it notes it."""
    office = Office(tmp_path)
    office.announce("one", "two")
    inbox = office.inbox()
    delivery = office.delivery(inbox)
    write, fails = delivery._places.write, [False]

    def failing(name: str, place: Place, expect: str | None) -> str:
        if fails[0]:
            raise Unreachable("the store is silent")
        return write(name, place, expect)

    delivery._places.write = failing  # type: ignore[method-assign]
    inbox.after = lambda bulletin: fails.__setitem__(0, True)
    with pytest.raises(Unreachable):
        delivery.carry(2)
    fails[0] = False
    inbox.after = lambda bulletin: None
    delivery.carry(2)
    assert [1, 2] == inbox.numbers


def test_news_for_nobody_moves_the_place_when_it_is_saved(tmp_path: Path) -> None:
    """So that the next one need not read those events again."""
    office = Office(tmp_path)
    office.announce("one")
    for _ in range(5):
        office.ledger.append("note", {"text": "nothing"})
    delivery = office.delivery(office.inbox())
    delivery.carry(6)
    delivery.save()
    found = office.places.read("slack")
    assert found is not None
    assert 6 == found[0].upto


def test_a_place_that_nobody_can_read_is_named(tmp_path: Path) -> None:
    """With what to do about it."""
    office = Office(tmp_path)
    office.announce("one")
    office.store.put("library/test/outbox/slack.json", b"?", None)
    with pytest.raises(Unreachable, match="unreadable") as caught:
        office.delivery(office.inbox()).carry(1)
    assert "outbox/slack.json" in caught.value.do
