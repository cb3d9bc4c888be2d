"""Recording: one unbroken chain, whoever writes at once and whoever dies."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from deploytasks.errors import Conflict, LeaseLost, Unreachable
from deploytasks.ledger import Ledger, chain
from deploytasks.ledger.chain import event_key, head_key
from deploytasks.ports import Json, Store, Tag

from .conftest import folder_only

if TYPE_CHECKING:
    from lab.stores import Hand

SCOPE = "library/production"


def test_new_ledger_is_empty(ledger: Ledger) -> None:
    """Before the first event the head is number 0 with a digest of zeros, and verifies."""
    head = ledger.head()
    assert (head.number, head.digest, head.token, list(ledger.events())) == (0, "0" * 64, 0, [])
    assert ledger.verify() == (True, 0, "0" * 64, ())


def test_events_come_back_as_recorded(ledger: Ledger) -> None:
    """What is appended is read back, in order, with the facts as JSON has them, each chained to the one before."""
    first = ledger.append("note", {"text": "größer", "split": (90, 10)})
    second = ledger.append("began", {"deployment": "d1"}, token=3)
    assert list(ledger.events()) == [first, second]
    assert first.facts == {"text": "größer", "split": [90, 10]}
    assert (first.number, first.previous, second.number, second.previous) == (1, "0" * 64, 2, first.digest)
    assert (second.at, second.who) == (datetime(2026, 11, 23, 10, 15, tzinfo=UTC), "ann@host")
    assert ledger.head()[:3] == (2, second.digest, 3)


def test_events_after_a_number(ledger: Ledger) -> None:
    """Reading can start after any event."""
    for nth in range(4):
        ledger.append("note", {"nth": nth})
    assert [event.number for event in ledger.events(after=2)] == [3, 4]


def test_facts_that_are_not_json_are_refused(ledger: Ledger) -> None:
    """What JSON cannot hold is a mistake of the caller, and leaves the ledger as it was."""
    with pytest.raises(ValueError):
        ledger.append("note", {"share": float("nan")})
    assert ledger.head().number == 0


def test_lower_token_is_fenced_off(ledger: Ledger) -> None:
    """After an event with token 5, one with token 4 is refused; one without a token, such as a rollback's, is not."""
    ledger.append("lease", {"state": "taken-over"}, token=5)
    with pytest.raises(LeaseLost):
        ledger.append("shifted", {}, token=4)
    ledger.append("rolled-back", {})
    ledger.append("note", {}, token=5)
    assert [event.kind for event in ledger.events()] == ["lease", "rolled-back", "note"]


def test_lower_token_is_fenced_off_in_the_middle_of_a_race(ledger: Ledger, store: Store) -> None:
    """A taker that records between our look at the head and our write is noticed: we write nothing."""

    class Overtaken(type(store)):  # type: ignore[misc]  # whichever it is
        def __init__(self) -> None:
            self.__dict__ = store.__dict__
            self.is_overtaken = False

        def put(self, key: str, value: bytes, expect: Tag | None) -> Tag:
            if not self.is_overtaken:
                self.is_overtaken = True
                ledger.append("lease", {"state": "taken-over"}, token=2)
            return super().put(key, value, expect)

    slow = Ledger(Overtaken(), SCOPE, "slow@host", lambda: datetime.now(UTC))
    with pytest.raises(LeaseLost):
        slow.append("shifted", {}, token=1)
    assert [event.kind for event in ledger.events()] == ["lease"]


def test_many_writers_at_once(ledger: Ledger, herd: Callable[..., Any], crowd: int) -> None:
    """Many processes append four events each: all are recorded, once, in order per writer, in one whole chain."""
    numbers = herd("append", crowd, 4)
    assert sorted(number for own in numbers for number in own) == list(range(1, 4 * crowd + 1))
    assert all(own == sorted(own) for own in numbers)
    assert {(event.facts["by"], event.facts["nth"]) for event in ledger.events()} == {
        (by, nth) for by in range(crowd) for nth in range(4)
    }
    found = ledger.verify()
    assert (found.ok, found.count, found.problems) == (True, 4 * crowd, ())


# An append writes the event, then the head: the second append's writes are the third and the fourth.
@pytest.mark.parametrize(
    ("write", "moment", "recorded"),
    [(3, "before", 1), (3, "after", 2), (4, "before", 2), (4, "after", 2), (1, "before", 0), (1, "after", 1)],
)
def test_writer_killed_between_its_writes(
    ledger: Ledger, herd: Callable[..., Any], write: int, moment: str, recorded: int
) -> None:
    """An event counts from the moment it is written, though its writer died before the head knew of it."""
    assert herd("die", write, moment) == 9
    assert ledger.head().number == recorded
    assert ledger.verify()[:2] == (True, recorded)
    assert ledger.append("note", {"by": "the next one"}).number == recorded + 1
    assert ledger.verify()[:2] == (True, recorded + 1)
    assert len(list(ledger.events())) == recorded + 1


@folder_only
def test_writer_killed_at_any_system_call(herd: Callable[..., Any]) -> None:
    """Killed at each single system call of an append, it leaves a ledger that is whole and takes the next event."""
    deaths: Sequence[Sequence[Any]] = herd("die-inside", 1)
    assert (len(deaths) > 15, [left for left, *_ in deaths]) == (True, [9] * (len(deaths) - 1) + [0])
    assert [problems for *_, problems in deaths] == [[]] * len(deaths)
    assert all(count == before + 1 for _, before, count, _ in deaths)


def test_head_is_two_reads(ledger: Ledger, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """However long the stream, its head costs two reads: the stored head, and a look whether an event lies beyond."""
    for nth in range(30):
        ledger.append("note", {"nth": nth})
    read: list[str] = []
    real = store.get
    monkeypatch.setattr(store, "get", lambda key: read.append(key) or real(key))
    assert ledger.head().number == 30
    assert read == [head_key(SCOPE), event_key(SCOPE, 31)]


def test_head_changes_nothing(ledger: Ledger, herd: Callable[..., Any], store: Store) -> None:
    """Reading the head of a ledger whose writer died does not move the stored one."""
    herd("die", 3, "after")
    before = store.get(head_key(SCOPE))
    assert ledger.head().number == 2
    assert store.get(head_key(SCOPE)) == before


def test_deleted_head_is_folded_anew(ledger: Ledger, hand: Hand) -> None:
    """Without a head the events tell everything; the next append writes it again."""
    for nth in range(5):
        ledger.append("began", {"deployment": f"d{nth}"})
    before = ledger.head()
    hand.take_away(head_key(SCOPE))
    assert ledger.head() == before
    ledger.append("note", {})
    assert ledger.verify()[:2] == (True, 6)


def test_head_of_another_fold_is_folded_anew(ledger: Ledger, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A standing that was folded by other rules is not trusted: ours is computed from the events."""
    ledger.append("began", {"deployment": "d1"})
    content, tag = store.get(head_key(SCOPE)) or (b"", "")
    store.put(head_key(SCOPE), content.replace(b'"d1"', b'"d2"'), tag)
    assert getattr(ledger.head().standing.open, "deployment", "") == "d2"
    monkeypatch.setattr(chain, "PROJECTION", 99)
    assert getattr(ledger.head().standing.open, "deployment", "") == "d1"
    assert ledger.verify().ok


def test_store_that_never_lets_us_in(ledger: Ledger, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Attempts are bounded: in the end the ledger is said to be too busy, and nothing is recorded."""

    def refuse(key: str, value: bytes, expect: Tag | None) -> Tag:
        raise Conflict(key)

    monkeypatch.setattr(store, "put", refuse)
    monkeypatch.setattr(chain, "_ATTEMPTS", 3)
    with pytest.raises(Unreachable, match="too busy"):
        ledger.append("note", {})
    assert ledger.head().number == 0


def test_event_is_recorded_though_the_head_cannot_move(
    ledger: Ledger, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that fills up between event and head loses nothing: the append succeeded."""
    real = store.put

    def full(key: str, value: bytes, expect: Tag | None) -> Tag:
        if key == head_key(SCOPE):
            raise Unreachable("No space left on device")
        return real(key, value, expect)

    with monkeypatch.context() as patch:
        patch.setattr(store, "put", full)
        assert ledger.append("note", {}).number == 1
        with pytest.raises(Unreachable):
            ledger.append("note", {})
    assert ledger.append("note", {}).number == 2
    assert ledger.verify()[:2] == (True, 2)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"standing":3}', b"\xff"])
def test_unreadable_head_is_an_error_with_advice(ledger: Ledger, store: Store, content: bytes) -> None:
    """A head that nobody wrote is neither trusted nor written over."""
    ledger.append("note", {})
    _, tag = store.get(head_key(SCOPE)) or (b"", "")
    store.put(head_key(SCOPE), content, tag)
    for use in (ledger.head, lambda: ledger.append("note", {}), lambda: list(ledger.events())):
        with pytest.raises(Unreachable, match="unreadable") as caught:
            use()
        assert "--verify" in caught.value.do


def test_broken_event_is_an_error_with_advice(ledger: Ledger, hand: Hand) -> None:
    """Events are handed out only if they are what was recorded; a missing one is not skipped."""
    facts: list[dict[str, Json]] = [{"nth": nth} for nth in range(3)]
    for each in facts:
        ledger.append("note", each)
    hand.change(event_key(SCOPE, 2), b'"nth":1', b'"nth":7')
    with pytest.raises(Unreachable, match="event 2 was changed"):
        list(ledger.events())
    hand.take_away(event_key(SCOPE, 2))
    with pytest.raises(Unreachable, match="event 2 is missing"):
        list(ledger.events())


def test_event_beyond_the_head_must_follow_on_it(ledger: Ledger, store: Store, hand: Hand) -> None:
    """A stranger's event beyond the head is not taken in."""
    stranger = Ledger(store, "library/staging", "eve@host", lambda: datetime.now(UTC))
    stranger.append("note", {})
    stranger.append("note", {})
    ledger.append("note", {})
    hand.rename(event_key("library/staging", 2), event_key(SCOPE, 2))
    with pytest.raises(Unreachable, match="does not follow"):
        ledger.append("note", {})
