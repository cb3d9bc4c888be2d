"""A log is followed over rotations, in bounded pieces, and each request is counted once."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from deploytasks.ports import Totals
from deploytasks.providers.haproxy import tail as module
from deploytasks.providers.haproxy.logfile import FarLog, LogFile, NearLog
from deploytasks.providers.haproxy.requests import SLOWEST, Counts, Request, parse
from deploytasks.providers.haproxy.tail import Tail, beginning
from deploytasks.providers.hosts.localhost import LocalHost

WELL = {
    "at": 1_795_000_000_000, "backend": "library_blue", "server": "blue1", "status": 200, "ended": "--",
    "queue": 0, "connect": 1, "response": 4, "active": 9,
}  # fmt: skip


def line(**other: object) -> str:
    return f"Nov 23 10:00:00 lb1 haproxy[7]: {json.dumps({**WELL, **other})}\n"


@pytest.fixture(params=[NearLog, lambda path: FarLog("lb1", LocalHost, path)], ids=["near", "far"])
def opened(request: pytest.FixtureRequest) -> Callable[[Path], LogFile]:
    return lambda path: request.param(str(path))


def counted(log: LogFile, since: int = 0) -> tuple[Tail, Counts]:
    counts = Counts({"library_blue": "blue", "library_green": "green"})
    return Tail(log, counts, since), counts


def requests(counts: Counts) -> int:
    return counts.totals("blue", ()).requests


def test_half_a_line_waits_for_its_end(tmp_path: Path, opened: Callable[[Path], LogFile]) -> None:
    """A line that is being written is counted once, when it is whole."""
    log = tmp_path / "a log"
    whole = line()
    log.write_text(whole + whole[:50])
    tail, counts = counted(opened(log))
    assert tail.catch_up(30)
    assert 1 == requests(counts)
    with log.open("a") as file:
        file.write(whole[50:])
    assert tail.catch_up(30)
    assert (2, 0) == (requests(counts), counts.strange)


def test_rotation_loses_nothing(tmp_path: Path, opened: Callable[[Path], LogFile]) -> None:
    """What was written to the old file after our last look is read there, and then the new one from its start."""
    log = tmp_path / "haproxy.log"
    log.write_text(line())
    tail, counts = counted(opened(log))
    assert tail.catch_up(30)
    with log.open("a") as file:
        file.write(line() * 2)
    log.rename(tmp_path / "haproxy.log.1")
    log.write_text(line() * 4)
    assert tail.catch_up(30)
    assert 7 == requests(counts)
    assert tail.catch_up(30)
    assert 7 == requests(counts)


def test_a_rotated_file_that_is_gone(tmp_path: Path, opened: Callable[[Path], LogFile]) -> None:
    """Compressed already: what was in it is lost, the new one counts."""
    log = tmp_path / "haproxy.log"
    log.write_text(line())
    tail, counts = counted(opened(log))
    assert tail.catch_up(30)
    (tmp_path / "new").write_text(line() * 2)
    (tmp_path / "new").replace(log)
    assert tail.catch_up(30)
    assert 3 == requests(counts)


def test_a_file_that_was_cut_off_in_place(tmp_path: Path, opened: Callable[[Path], LogFile]) -> None:
    """copytruncate: read from its start again."""
    log = tmp_path / "haproxy.log"
    log.write_text(line() * 5)
    tail, counts = counted(opened(log))
    assert tail.catch_up(30)
    log.write_text(line())
    assert tail.catch_up(30)
    assert 6 == requests(counts)


def test_bytes_of_others_move_no_place(tmp_path: Path, opened: Callable[[Path], LogFile]) -> None:
    """Lines of other programs, in any encoding, are passed over and do not shift where we read on."""
    log = tmp_path / "haproxy.log"
    foreign = b"10.0.0.1 GET /\xff\xfe\xc3\xa9 \x00 {not json}\r\n"
    log.write_bytes(foreign * 3 + line().encode())
    tail, counts = counted(opened(log))
    assert tail.catch_up(30)
    with log.open("ab") as file:
        file.write(foreign + line().encode())
    assert tail.catch_up(30)
    assert (2, 4, 6) == (requests(counts), counts.strange, counts.lines)


def test_a_long_log_is_read_in_pieces(
    tmp_path: Path, opened: Callable[[Path], LogFile], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each piece is as large as memory allows, and each line is counted once; one without an end is passed over."""
    monkeypatch.setattr(module, "PIECE", 1000)
    log = tmp_path / "haproxy.log"
    log.write_text(line() * 20 + "x" * 2500 + "\n" + line())
    tail, counts = counted(opened(log))
    assert tail.catch_up(60)
    assert 21 == requests(counts)


def test_time_is_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What could not be read in time is said to be missing, and read the next time."""
    monkeypatch.setattr(module, "PIECE", 1000)
    log = tmp_path / "haproxy.log"
    log.write_text(line() * 20)
    tail, counts = counted(NearLog(str(log)))
    assert not tail.catch_up(-1)
    assert 0 < requests(counts) < 20
    assert tail.catch_up(30)
    assert 20 == requests(counts)


def test_only_the_end_of_a_long_log_is_read(tmp_path: Path, opened: Callable[[Path], LogFile]) -> None:
    """``since`` is looked for from the end; what came before it does not count."""
    log = tmp_path / "haproxy.log"
    log.write_text("".join(line(at=number) for number in range(10_000)))
    _, place, size = beginning(opened(log), 9_990)
    assert 60_000 < size - place <= 64 * 1024
    tail, counts = counted(opened(log), since=9_990)
    assert tail.catch_up(30)
    assert 10 == requests(counts)
    with log.open("a") as file:
        file.write(line(at=5))  # by a balancer whose clock goes after ours
    assert tail.catch_up(30)
    assert 11 == requests(counts)


def test_reads_a_line() -> None:
    """With or without what syslog puts before it."""
    expected = Request(1_795_000_000_000, "library_blue", "blue1", 200, "--", 5)
    assert [expected] * 2 == [parse(line()), parse(json.dumps(WELL))]


@pytest.mark.parametrize(
    "text", ["", "{", "null", "[]", "{}", '{"at":1}', "x {y} z", line(status="?"), line(at=None), '{"at":"x"}']
)
def test_what_is_no_line_of_ours(text: str) -> None:
    """Nothing is guessed, and nothing breaks."""
    assert parse(text) is None


@pytest.mark.parametrize(
    ("other", "failed", "took"),
    [
        ({}, False, 5),
        ({"status": 404}, False, 5),
        ({"status": 500}, True, 5),
        ({"status": 200, "ended": "SD"}, True, 5),
        ({"status": 200, "ended": "sD"}, True, 5),
        ({"status": 200, "ended": "CD"}, False, 5),
        ({"status": -1, "ended": "CH", "response": -1, "active": 700}, False, 700),
        ({"status": 504, "ended": "sH", "response": -1, "active": 30_000}, True, SLOWEST),
        ({"status": 503, "ended": "sQ", "queue": 5000, "connect": -1, "response": -1}, True, SLOWEST),
        ({"status": 503, "ended": "SC", "queue": 0, "connect": -1, "response": -1, "active": 12}, True, 12),
        ({"status": 502, "ended": "SH", "response": -1, "active": -1}, True, 0),
        ({"response": 999_999_999}, False, SLOWEST),
    ],
)
def test_how_a_request_ended(other: dict[str, object], failed: bool, took: int) -> None:
    """An error is what the release or the balancer did to a user; how long is how long the application took."""
    request = parse(line(**other))
    assert request is not None
    assert (failed, took) == (request.failed, request.took)


def test_counts_at_any_edge() -> None:
    """Strictly longer than an edge, to the millisecond; an edge that nobody exceeded is absent."""
    counts = Counts({"library_blue": "blue"})
    counts.take(line(response=ms, connect=0) for ms in (1, 29, 29, 30, 2000))
    expected = Totals(5, 0, {0.001: 4, 0.029: 2, 0.0295: 2, 0.03: 1, 1.9: 1})
    assert expected == counts.totals("blue", (0.001, 0.029, 0.0295, 0.03, 1.9, 2.0, 30.0))
