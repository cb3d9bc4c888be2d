"""Finding whatever nobody wrote."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from deploytasks.errors import UsageError
from deploytasks.ledger import Ledger
from deploytasks.ledger.chain import event_key, head_key
from deploytasks.ledger.event import chained, read_event
from deploytasks.providers.directory import DirectoryStore

SCOPE = "library/production"
EVENTS = 6


@pytest.fixture(autouse=True)
def _recorded(ledger: Ledger) -> None:
    ledger.append("began", {"deployment": "d1", "version": "1.0.0"}, token=1)
    for nth in range(EVENTS - 2):
        ledger.append("reading", {"nth": nth}, token=1)
    ledger.append("ended", {"deployment": "d1", "outcome": "done"}, token=1)


def file(store: DirectoryStore, number: int) -> Path:
    """Where an event lies on disk."""
    return store._path(event_key(SCOPE, number))


def problems(ledger: Ledger, expect: str | None = None) -> str:
    """What is found, in one text."""
    found = ledger.verify(expect)
    assert found.ok == (not found.problems)
    return "\n".join(found.problems)


def rewrite(store: DirectoryStore, start: int, kind: str) -> None:
    """Write the stream anew from an event on, as someone would who knows how: every digest fits again."""
    before = read_event(file(store, start - 1).read_bytes())
    for number in range(start, EVENTS + 1):
        before, document = chained(number, before.digest, before.at, kind, {}, "eve", 1)
        file(store, number).write_bytes(document)
    store._path(head_key(SCOPE)).unlink()


def test_untouched_ledger_verifies(ledger: Ledger) -> None:
    """Nothing is found where nothing was done, and the head's digest is told."""
    assert ledger.verify() == (True, EVENTS, ledger.head().digest, ())


def test_verifies_while_others_append(ledger: Ledger, store: DirectoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Events that are recorded during the look are no fault."""
    real = store.keys

    def meanwhile(prefix: str, after: str = "") -> Iterator[str]:
        for _ in range(3):
            ledger.append("note", {})
        yield from real(prefix, after)
        for _ in range(3):
            ledger.append("note", {})

    monkeypatch.setattr(store, "keys", meanwhile)
    assert ledger.verify()[:2] == (True, EVENTS + 3)


def test_any_changed_byte_is_found(ledger: Ledger, store: DirectoryStore) -> None:
    """Each single byte of an event matters, blanks and order included."""
    target = file(store, 3)
    content = target.read_bytes()
    for place in range(len(content)):
        target.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        assert "event 3 " in problems(ledger), f"byte {place}"
    target.write_bytes(content + b"\n")
    assert "event 3 " in problems(ledger)
    target.write_bytes(content)
    assert problems(ledger) == ""


@pytest.mark.parametrize("number", range(1, EVENTS + 1))
def test_removed_event_is_found(ledger: Ledger, store: DirectoryStore, number: int) -> None:
    """A missing event is named; that the last one is missing, the head tells."""
    file(store, number).unlink()
    expected = f"event {number} is missing" if number < EVENTS else f"stands at event {EVENTS}, and the last one is 5"
    assert expected in problems(ledger)


def test_removed_range_is_found(ledger: Ledger, store: DirectoryStore) -> None:
    """A gap is told as one."""
    for number in (2, 3, 4):
        file(store, number).unlink()
    assert "events 2 to 4 are missing" in problems(ledger)


def test_closed_gap_is_found(ledger: Ledger, store: DirectoryStore) -> None:
    """Moving the later events up does not hide a removed one."""
    for number in range(3, EVENTS + 1):
        file(store, number).rename(file(store, number - 1))
    assert "event 2 says that it is event 3" in problems(ledger)
    assert "event 2 does not follow" in problems(ledger)


def test_swapped_events_are_found(ledger: Ledger, store: DirectoryStore) -> None:
    """Two events that changed places are both named."""
    first, second = file(store, 3).read_bytes(), file(store, 4).read_bytes()
    file(store, 3).write_bytes(second)
    file(store, 4).write_bytes(first)
    assert "event 3 says that it is event 4" in problems(ledger)
    assert "event 4 says that it is event 3" in problems(ledger)


def test_inserted_event_is_found(ledger: Ledger, store: DirectoryStore) -> None:
    """An event of another stream, though whole in itself, does not fit in."""
    other = Ledger(store, "library/staging", "eve@host", lambda: next(ledger.events()).at)
    for _ in range(3):
        other.append("override", {})
    file(store, 3).write_bytes(store._path(event_key("library/staging", 3)).read_bytes())
    assert "event 3 does not follow on the one before" in problems(ledger)


def test_foreign_file_is_found(ledger: Ledger, store: DirectoryStore) -> None:
    """What is no event has no place among events."""
    store.put(f"{SCOPE}/events/notes.txt", b"hello", None)
    store.put(f"{SCOPE}/events/000000000003.json.bak", b"hello", None)
    assert problems(ledger).count("is not an event's key") == 2


def test_truncation_is_found_with_a_known_digest(ledger: Ledger, store: DirectoryStore) -> None:
    """Who cuts the end off and mends the head is caught by a digest from before, or by its first 12 characters."""
    known, kept = ledger.head().digest, next(ledger.events()).digest
    for number in (4, 5, 6):
        file(store, number).unlink()
    store._path(head_key(SCOPE)).unlink()
    ledger.append("note", {})  # writes a head that fits what is left
    assert problems(ledger) == ""
    assert f"no event has the digest {known}" in problems(ledger, known)
    assert f"no event has the digest {known[:12]}" in problems(ledger, known[:12])
    assert problems(ledger, kept) == problems(ledger, kept[:12]) == ""


def test_rewritten_tail_is_found_with_a_known_digest(ledger: Ledger, store: DirectoryStore) -> None:
    """A tail that was written anew, all digests fitting, is caught by a digest from before."""
    known = ledger.head().digest
    rewrite(store, 4, "note")
    ledger.append("note", {})
    assert problems(ledger) == ""
    assert "cut off, or written anew" in problems(ledger, known)


def test_genesis_is_in_every_chain(ledger: Ledger) -> None:
    """The digest that an empty ledger shows is before every first event."""
    assert problems(ledger, "0" * 64) == ""


def test_short_digest_is_refused(ledger: Ledger) -> None:
    """A few characters would fit many a stream."""
    with pytest.raises(UsageError, match="too short"):
        ledger.verify("ab")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"outcome":"done"', '"outcome":"gone"'),
        ('"open":null', '"open":{"deployment":"d9"}'),
        ('"token":1', '"token":0'),
        (f'"number":{EVENTS}', '"number":5'),
        ('"imported":[]', '"imported":["x"]'),
    ],
)
def test_edited_head_is_found(ledger: Ledger, store: DirectoryStore, old: str, new: str) -> None:
    """A head that does not say what the events add up to is found out."""
    content, tag = store.get(head_key(SCOPE)) or (b"", "")
    assert old.encode() in content
    store.put(head_key(SCOPE), content.replace(old.encode(), new.encode()), tag)
    assert "the head" in problems(ledger)


def test_old_or_missing_head_is_found(ledger: Ledger, store: DirectoryStore) -> None:
    """A head that was put back, or taken away, is behind the events by more than a dying writer leaves it."""
    path = store._path(head_key(SCOPE))
    old = path.read_bytes()
    for _ in range(2):
        ledger.append("note", {})
    path.write_bytes(old)
    assert f"stands at event {EVENTS}, and the last one is {EVENTS + 2}" in problems(ledger)
    path.unlink()
    assert "stands at event 0" in problems(ledger)
    path.write_bytes(b"{}")
    assert "stands at event 0" in problems(ledger)


def test_event_under_an_old_lease_is_found(ledger: Ledger, store: DirectoryStore) -> None:
    """An event with a lower token than one before it was written by someone who had lost the lease."""
    ledger.append("lease", {}, token=5)
    head = ledger.head()
    event, document = chained(head.number + 1, head.digest, next(ledger.events()).at, "shifted", {}, "ann", 2)
    store.put(event_key(SCOPE, event.number), document, None)
    assert f"event {event.number} was written under lease 2, after lease 5" in problems(ledger)


def test_many_problems_are_cut_short(ledger: Ledger, store: DirectoryStore) -> None:
    """A stream that is broken throughout does not flood who looks."""
    for number in range(1, 61):
        store.put(f"{SCOPE}/events/x{number}", b"", None)
    found = ledger.verify()
    assert (len(found.problems), found.problems[-1]) == (51, "… and 10 more")
