"""A ledger that moves: every event as it was, and nothing of another ledger in it."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from lab import stores

from deploytasks.errors import GateRefused, Unreachable, UsageError
from deploytasks.ledger import Ledger, moving
from deploytasks.ledger.chain import event_key, head_key
from deploytasks.ports import Store, Tag

from .conftest import FakeClock

if TYPE_CHECKING:
    from lab.stores import Hand

SCOPE = "library/production"


@pytest.fixture(autouse=True)
def _no_fsync(monkeypatch: pytest.MonkeyPatch) -> None:
    """No machine dies here; the store's own tests keep its fsync."""
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a ledger with two deployments, the second unfinished, and some more than one page of events."""
    root = tmp_path_factory.mktemp("recorded")
    ledger = Ledger(stores.opened(root), SCOPE, "ann@host", FakeClock().now)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda descriptor: None)
        ledger.append("began", {"deployment": "d1", "task": "deploy", "text": "größer\u2028\ud800"}, token=3)
        ledger.append("settled", {"deployment": "d1", "color": "blue", "way_back": "green"}, token=3)
        ledger.append("ended", {"deployment": "d1", "outcome": "done", "code": 0}, token=3)
        for nth in range(250):
            ledger.append("note", {"nth": nth})
        ledger.append("began", {"deployment": "d2", "task": "deploy"}, token=8)
    return root / "store"


@pytest.fixture
def full(recorded: Path, ledger: Ledger, tmp_path: Path) -> Ledger:
    """That ledger, to do with as one likes."""
    shutil.copytree(recorded, tmp_path / "store")
    return ledger


@pytest.fixture
def file(full: Ledger, tmp_path: Path) -> Path:
    """Its export."""
    file = tmp_path / "ledger.jsonl"
    file.write_bytes(b"".join(moving.export(full, {"store": "directory"})))
    return file


@pytest.fixture(params=["directory", "postgres"])
def elsewhere(
    request: pytest.FixtureRequest, tmp_path: Path, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Ledger]:
    """An empty ledger of the same environment in another store."""
    with _another(request, tmp_path / "elsewhere", monkeypatch) as store:
        yield Ledger(store, SCOPE, "bob@host", clock.now)


@contextmanager
def _another(request: pytest.FixtureRequest, root: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    if request.param == "directory":
        yield stores.opened(root)
        return
    with stores.on_postgres(request.getfixturevalue("ledgers"), monkeypatch.setenv):
        yield stores.opened(root)


def bring(ledger: Ledger, file: Path) -> int:
    """Import as the operation does; how many events were added."""
    header = moving.checked(file)
    added = moving.missing(ledger, file, header)
    moving.adopt(ledger, file)
    return added


def test_all_of_it_arrives(full: Ledger, file: Path, elsewhere: Ledger) -> None:
    """Events, digests, tokens and what they add up to are the same in the other store, and the chain verifies."""
    assert bring(elsewhere, file) == 254
    assert elsewhere.head() == full.head()
    assert list(elsewhere.events()) == list(full.events())
    assert elsewhere.verify(full.head().digest)[:2] == (True, 254)
    assert elsewhere.append("note", {}, token=8).number == 255


def test_there_and_back(full: Ledger, file: Path, elsewhere: Ledger, tmp_path: Path, clock: FakeClock) -> None:
    """What comes back goes on where the first store stopped."""
    bring(elsewhere, file)
    elsewhere.append("note", {"text": "meanwhile"})
    back = tmp_path / "back.jsonl"
    back.write_bytes(b"".join(moving.export(elsewhere, {})))
    assert bring(full, back) == 1
    assert full.head() == elsewhere.head()
    assert full.verify()[:2] == (True, 255)


def test_file_is_lines_that_anybody_can_read(full: Ledger, file: Path) -> None:
    """A header, then one JSON object per line, as recorded; no lease among them."""
    header, *events = [json.loads(line) for line in file.read_bytes().split(b"\n") if line]
    assert (header["ledger"], header["events"], header["head"]) == (SCOPE, 254, full.head().digest)
    assert [event["number"] for event in events] == list(range(1, 255))


def test_again_changes_nothing(file: Path, elsewhere: Ledger) -> None:
    """A second import finds all of it there; an older file than the ledger has nothing to add either."""
    bring(elsewhere, file)
    elsewhere.append("note", {"text": "since then"})
    assert bring(elsewhere, file) == 0
    assert elsewhere.verify()[:2] == (True, 255)


@pytest.mark.parametrize("written", [1, 99, 100, 101, 200, 255, 256])
def test_broken_off_is_repeated(file: Path, elsewhere: Ledger, written: int) -> None:
    """However far it came, an import that broke off can be repeated, and ends whole."""
    real, left = elsewhere.store.put, written

    def mortal(key: str, value: bytes, expect: Tag | None) -> Tag:
        nonlocal left
        left -= 1
        if left < 0:
            raise Unreachable("dead")
        return real(key, value, expect)

    elsewhere.store.put = mortal  # type: ignore[method-assign]
    with pytest.raises(Unreachable, match="dead"):
        bring(elsewhere, file)
    elsewhere.store.put = real  # type: ignore[method-assign]
    assert bring(elsewhere, file) < 254
    assert elsewhere.verify()[:2] == (True, 254)


def test_another_story_is_refused(file: Path, elsewhere: Ledger) -> None:
    """A ledger that has other events takes none of these, wherever the two part."""
    elsewhere.append("note", {"text": "something of its own"})
    with pytest.raises(GateRefused, match="not those of") as caught:
        bring(elsewhere, file)
    assert ("empty store" in caught.value.do, caught.value.exit_code) == (True, 3)
    assert elsewhere.verify()[:2] == (True, 1)


def test_a_longer_story_that_parts_is_refused(
    full: Ledger, file: Path, elsewhere: Ledger, tmp_path: Path, clock: FakeClock
) -> None:
    """Two that began as one and went on apart are two."""
    bring(elsewhere, file)
    elsewhere.append("note", {"text": "here"})
    full.append("note", {"text": "there"})
    other = tmp_path / "other.jsonl"
    other.write_bytes(b"".join(moving.export(full, {})))
    with pytest.raises(GateRefused):
        bring(elsewhere, other)


def test_somebody_who_records_meanwhile_is_noticed(file: Path, elsewhere: Ledger) -> None:
    """An event that another one writes in the middle stops the import, and is not written over."""
    real = elsewhere.store.put

    def overtaken(key: str, value: bytes, expect: Tag | None) -> Tag:
        if key == event_key(SCOPE, 120):
            elsewhere.store.put = real  # type: ignore[method-assign]
            elsewhere.append("note", {"text": "in between"})
        return real(key, value, expect)

    elsewhere.store.put = overtaken  # type: ignore[method-assign]
    with pytest.raises(GateRefused, match="event 120"):
        bring(elsewhere, file)
    assert elsewhere.verify()[:2] == (True, 120)


def _without(line: int) -> Callable[[list[bytes]], list[bytes]]:
    return lambda lines: lines[:line] + lines[line + 1 :]


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda lines: [], "no header"),
        (lambda lines: lines[1:], "no header"),
        (lambda lines: [lines[0].replace(b'"format":1', b'"format":2'), *lines[1:]], "format is 2"),
        (_without(7), "line 8: event 7 does not follow"),
        (_without(254), "253 events of 254: it was cut off"),
        (lambda lines: [*lines[:9], lines[10], lines[9], *lines[11:]], "line 10: event 9 does not follow"),
        (lambda lines: [line.replace(b'"nth":9}', b'"nth":8}') for line in lines], "line 14: event 13 was changed"),
        (lambda lines: [*lines[:30], b"", *lines[30:]], "line 31: event 30 is not an event"),
        (lambda lines: [*lines[:30], b"\xff", *lines[31:]], "line 31: event 30 is not an event"),
        (lambda lines: [lines[0].replace(b'"events":254', b'"events":255'), *lines[1:]], "254 events of 255"),
    ],
)
def test_a_file_that_was_changed_is_refused(file: Path, spoil: Callable[[list[bytes]], list[bytes]], said: str) -> None:
    """Lines that are missing, changed, moved or added are found before anything is written; and which."""
    lines = file.read_bytes().removesuffix(b"\n").split(b"\n")
    file.write_bytes(b"".join(line + b"\n" for line in spoil(lines)))
    with pytest.raises(UsageError, match=said) as caught:
        moving.checked(file)
    assert caught.value.exit_code == 2


def test_a_broken_ledger_is_not_exported(full: Ledger, hand: Hand) -> None:
    """What does not verify would not be taken elsewhere: it is said here."""
    hand.change(event_key(SCOPE, 9), b'"nth":5', b'"nth":6')
    with pytest.raises(Unreachable, match="event 9 was changed"):
        list(moving.export(full, {}))


def test_an_empty_ledger_moves_as_well(ledger: Ledger, elsewhere: Ledger, tmp_path: Path) -> None:
    """Nothing is a ledger too."""
    file = tmp_path / "empty.jsonl"
    file.write_bytes(b"".join(moving.export(ledger, {})))
    assert bring(elsewhere, file) == 0
    assert elsewhere.store.get(head_key(SCOPE)) is None
