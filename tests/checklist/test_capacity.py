"""Whether there is room for two releases, as far as a platform tells."""

from __future__ import annotations

from pathlib import Path

import memory
import pytest

from deploytasks.checklist import item_of
from deploytasks.checklist.subject import Subject
from deploytasks.ports import Release

LOW = {"pool": 0.4, "cpu": 0.5, "memory": 0.6, "disk": 0.1}
HONEST = "auto-scaling limits are not read: no platform here tells them"


def looked(folder: Path, levels: dict[str, float] | None, release: Release | None = None) -> tuple[str, str]:
    """Answer and evidence."""
    world = memory.world(folder)
    memory.state_of(folder).set(levels=levels)
    item = item_of("infrastructure.capacity")
    assert item is not None
    return item.look(Subject(world, release))[:2]


def test_all_readings_are_low(tmp_path: Path) -> None:
    """Each is named; and what nobody tells is not passed over."""
    told = f"connections in use 40 %; CPU 50 %; memory 60 %; disk 10 %; {HONEST}"
    assert ("pass", told) == looked(tmp_path, {**LOW, "query_time": 9.0})


def test_one_is_over_its_limit(tmp_path: Path) -> None:
    """It stands first, with the limit that it is over."""
    answer, told = looked(tmp_path, {**LOW, "cpu": 0.9})
    assert ("warn", "CPU 90 %, over 70 %; connections in use 40 %") == (answer, told[:44])


def test_what_is_not_read_is_said(tmp_path: Path) -> None:
    """Without readings there is no pass."""
    assert ("warn", f"not read: connections in use, CPU, memory, disk; {HONEST}") == looked(tmp_path, {})
    assert ("warn", f"CPU 50 %; not read: connections in use, memory, disk; {HONEST}") == looked(tmp_path, {"cpu": 0.5})


def test_silent_metrics_fail(tmp_path: Path) -> None:
    """Not to know is no reason to go on."""
    assert ("fail", "unreachable: the levels are silent") == looked(tmp_path, None)


@pytest.mark.parametrize(
    ("free", "answer", "told"),
    [
        (40_000_000, "pass", "disk of releases: 25 MB free on web2, the fullest of 20 MB needed"),
        (12_000_000, "fail", "web1: 12 MB free, the release takes 20 MB"),
    ],
)
def test_disks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int, answer: str, told: str) -> None:
    """Each host needs room for the archive and for what is unpacked from it."""
    archive = tmp_path / "a.tar.gz"
    archive.write_bytes(bytes(10_000_000))
    monkeypatch.setattr(memory.FakeFleet, "room", lambda fleet: {"web1": free, "web2": 25_000_000}, raising=False)
    found = looked(tmp_path, LOW, memory.release()._replace(archive=str(archive)))
    assert (answer, True) == (found[0], told in found[1])


def test_a_release_that_is_not_built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """How much it takes is not known then."""
    monkeypatch.setattr(memory.FakeFleet, "room", lambda fleet: {"web1": 25_000_000}, raising=False)
    told = "disk of releases: 25 MB free on web1, the fullest (the release is not built yet)"
    assert told in looked(tmp_path, LOW, memory.release())[1]


@pytest.mark.parametrize(
    ("limits", "answer", "told"),
    [
        (
            {"blue": (4, 8), "green": (0, 8)},
            "pass",
            "auto-scaling lets blue have 8 tasks; auto-scaling lets green have 8",
        ),
        ({"blue": (4, None), "green": (0, None)}, "pass", "blue has no auto-scaling; green has no auto-scaling"),
        ({"blue": (4, 8), "green": (0, 3)}, "fail", "auto-scaling lets green have 3 tasks, 4 are needed"),
    ],
)
def test_limits_of_auto_scaling(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    limits: dict[str, tuple[int, int | None]],
    answer: str,
    told: str,
) -> None:
    """The idle color will have to carry what the live one carries."""
    monkeypatch.setattr(memory.FakeFleet, "limits", lambda self: limits, raising=False)
    found, evidence = looked(tmp_path, LOW)
    assert answer == found
    assert told in evidence
    assert HONEST not in evidence
