"""Events that wait beside the ledger."""

from __future__ import annotations

import stat
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from deploytasks import durable
from deploytasks.errors import Unreachable
from deploytasks.ledger import Ledger, Spool
from deploytasks.ports import Event, Json

from .conftest import FakeClock


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return Spool(tmp_path / "spool")


def test_spooled_events_are_recorded_in_order(spool: Spool, ledger: Ledger, clock: FakeClock) -> None:
    """What waited is recorded oldest first, says when it happened and to whom, and waits no more."""
    later = spool.put("ended", {"code": 0}, clock.now() + timedelta(seconds=5), "bob@host")
    first = spool.put("rolled-back", {"reason": "slow"}, clock.now(), "bob@host")
    clock.seconds += 60
    assert (spool.waiting(), spool.drain(ledger), spool.waiting()) == ([first, later], 2, [])
    events = list(ledger.events())
    assert [(event.kind, event.who) for event in events] == [("rolled-back", "ann@host"), ("ended", "ann@host")]
    assert events[0].facts == {
        "reason": "slow", "spooled": first, "at": "2026-11-23T10:15:00.000000+00:00", "who": "bob@host",
    }  # fmt: skip
    assert ledger.head().standing.imported == (first, later)
    assert (spool.drain(ledger), ledger.head().number) == (0, 2)


def test_nothing_waits_where_nothing_was_put(spool: Spool, ledger: Ledger, tmp_path: Path) -> None:
    """Looking makes no folder."""
    assert (spool.waiting(), spool.broken(), spool.drain(ledger)) == ([], [], 0)
    assert list(tmp_path.iterdir()) == []


def test_spool_is_for_its_owner_only(spool: Spool, clock: FakeClock, tmp_path: Path) -> None:
    """Neither the folder nor a file in it can be read by others."""
    name = spool.put("note", {}, clock.now(), "bob@host")
    modes = [stat.S_IMODE((tmp_path / path).stat().st_mode) for path in ("spool", f"spool/{name}.json")]
    assert modes == [0o700, 0o600]


def test_recorder_that_died_before_deleting(spool: Spool, ledger: Ledger, clock: FakeClock, tmp_path: Path) -> None:
    """An event that is in the ledger already is not recorded again; its file goes."""
    name = spool.put("note", {}, clock.now(), "bob@host")
    kept = (tmp_path / f"spool/{name}.json").read_bytes()
    spool.drain(ledger)
    (tmp_path / f"spool/{name}.json").write_bytes(kept)
    assert (spool.drain(ledger), spool.waiting(), ledger.head().number) == (0, [], 1)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"kind":"note"}', b"\xff"])
def test_broken_file_is_set_aside(
    spool: Spool, ledger: Ledger, clock: FakeClock, tmp_path: Path, content: bytes
) -> None:
    """A file that nobody can read is kept under another name and stops nothing."""
    name = spool.put("note", {}, clock.now(), "bob@host")
    (tmp_path / "spool/20261123T000000.000000-broken.json").write_bytes(content)
    assert (spool.drain(ledger), spool.waiting(), spool.broken()) == (1, [], ["20261123T000000.000000-broken"])
    assert (tmp_path / "spool/20261123T000000.000000-broken.broken").read_bytes() == content
    assert ledger.head().standing.imported == (name,)


def test_ledger_that_is_still_silent_loses_nothing(
    spool: Spool, ledger: Ledger, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What cannot be recorded keeps waiting; what was recorded before that does not."""
    names = [spool.put("note", {"nth": nth}, clock.now() + timedelta(seconds=nth), "bob") for nth in range(3)]
    real = ledger.append

    def failing(kind: str, facts: Mapping[str, Json], token: int = 0) -> Event:
        if facts["nth"] == 1:
            raise Unreachable("the store is silent")
        return real(kind, facts, token)

    with monkeypatch.context() as patch:
        patch.setattr(ledger, "append", failing)
        with pytest.raises(Unreachable, match="silent"):
            spool.drain(ledger)
    assert spool.waiting() == names[1:]
    assert (spool.drain(ledger), ledger.head().standing.imported) == (2, tuple(names))


def test_many_who_drain_at_once(spool: Spool, ledger: Ledger, clock: FakeClock, herd: Callable[..., Any]) -> None:
    """Ten processes that find the same spool record each event once, in order."""
    names = [spool.put("note", {"nth": nth}, clock.now() + timedelta(seconds=nth), "bob") for nth in range(20)]
    assert sum(herd("drain", 10)) == 20
    assert [event.facts["spooled"] for event in ledger.events()] == names
    assert ledger.verify().ok


def test_folder_that_cannot_be_made(tmp_path: Path, clock: FakeClock, ledger: Ledger) -> None:
    """A file where the folder should be is a named error, with advice."""
    (tmp_path / "state").write_text("a file")
    spool = Spool(tmp_path / "state" / "spool")
    with pytest.raises(Unreachable, match="cannot write to the spool") as caught:
        spool.put("note", {}, clock.now(), "bob")
    assert caught.value.do != ""
    assert spool.waiting() == []


def test_spool_that_another_holds(
    spool: Spool, ledger: Ledger, clock: FakeClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that was stopped while it recorded does not hold us for ever."""
    monkeypatch.setattr("deploytasks.ledger.spool._PATIENCE", 0.02)
    spool.put("note", {}, clock.now(), "bob")
    with (
        durable.locked(tmp_path / "spool" / ".lock", 1),
        pytest.raises(Unreachable, match="stays locked by another process"),
    ):
        spool.drain(ledger)


def test_an_event_with_a_name_is_recorded_once(spool: Spool, ledger: Ledger, clock: FakeClock, tmp_path: Path) -> None:
    """What is found again, or by another machine with a spool of its own, is one event."""
    elsewhere = Spool(tmp_path / "elsewhere")
    for found_by in (spool, spool, elsewhere):
        found_by.put("deadman-fired", {}, clock.now(), "ann@host", "20261123T101500-ab12cd")
    assert (1, 0) == (spool.drain(ledger), elsewhere.drain(ledger))
    assert 1 == ledger.head().number
