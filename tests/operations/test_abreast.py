"""One environment, or all of them, once or again and again."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import memory
import pytest

from deploytasks.errors import Interrupted, UsageError
from deploytasks.operations import abreast, questions
from deploytasks.operations.abreast import Dark, again, look
from deploytasks.operations.status import Looked, status


class Shown:
    """Keeps what it was shown."""

    def __init__(self) -> None:
        self.answers: list[tuple[str, Mapping[str, Any]]] = []
        self.is_closed = False

    def show(self, kind: str, answer: Mapping[str, Any]) -> None:
        self.answers.append((kind, answer))

    def close(self) -> None:
        self.is_closed = True


def test_one_that_hangs_holds_no_other_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its column says so within the bound; the others have theirs."""
    monkeypatch.setattr(questions, "PATIENCE", 0.3)
    over = threading.Event()
    for name in ("hangs", "works"):
        (tmp_path / name).mkdir()
    hangs, works = memory.world(tmp_path / "hangs"), memory.world(tmp_path / "works")
    monkeypatch.setattr(hangs.traffic, "read", over.wait)
    try:
        found = look({"hangs": Looked(hangs), "works": Looked(works), "odd": Dark("odd", UsageError("wrong"))}, 0.3)
    finally:
        over.set()
    assert {"unreadable": "no answer within 0.3 s"} == found["hangs"]["traffic"]
    assert (None, 0) == (found["works"]["traffic"]["live"], found["works"]["traffic"]["blue"])
    assert {"environment": "odd", "unreadable": "wrong"} == found["odd"]


def test_it_is_shown_until_ctrl_c(tmp_path: Path) -> None:
    """Which is how it ends, and no failure; SIGTERM is one."""
    several = {"test": Looked(memory.world(tmp_path))}

    def beats(code: int) -> Iterator[float]:
        yield 5.0
        memory.state_of(tmp_path).change(split=[0, 100, None, None])
        yield 5.0
        raise Interrupted(code)

    shown = Shown()
    again(several, shown, _hurried(several, beats(130)), is_one=True)
    assert ["status", "status"] == [kind for kind, _ in shown.answers]
    assert [None, "green"] == [answer["traffic"]["live"] for _, answer in shown.answers]
    assert shown.is_closed
    with pytest.raises(Interrupted):
        again(several, Shown(), beats(143), is_one=False)


def _hurried(several: Mapping[str, Looked], beats: Iterator[float]) -> Iterator[float]:
    """Everything is due at each beat."""
    for patience in beats:
        for one in several.values():
            one._questions._now = lambda seconds=patience: next(_TIME)  # type: ignore[misc]
        yield patience


_TIME = iter(range(0, 10**9, 100))


def test_all_of_them_are_asked_in_groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many are configured, no more than so many at the same time."""
    monkeypatch.setattr(abreast, "_AT_ONCE", 2)
    order: list[str] = []

    class Slow(Dark):
        def ask(self, *, everything: bool = False) -> None:
            order.append(f"ask {self._answer['environment']}")

        def answer(self, patience: float | None = None) -> dict[str, Any]:
            order.append(f"hear {self._answer['environment']}")
            return {}

    look({name: Slow(name, UsageError("")) for name in "abc"}, 1.0)
    assert ["ask a", "ask b", "hear a", "hear b", "ask c", "hear c"] == order


def test_what_is_otherwise_for_a_moment_is_not_told(tmp_path: Path) -> None:
    """What is read at the same time is not read in the same moment: only what was so twice in a row counts."""
    world = memory.world(tmp_path)
    state = memory.state_of(tmp_path)
    state.change(split=[50, 50, "blue", "deploy:d1"])
    looked = Looked(world)
    told = []
    for split in ([50, 50, "blue", "deploy:d1"], [0, 100, None, None], [50, 50, "blue", "deploy:d1"]):
        state.change(split=split)
        looked.ask(everything=True)
        told.append([each["about"] for each in looked.answer()["astray"]])
    assert [[], [], []] == told
    looked.ask(everything=True)
    assert "traffic" in [each["about"] for each in looked.answer()["astray"]]


def test_whoever_looks_once_is_told_all_the_same(tmp_path: Path) -> None:
    """It looks again by itself."""
    world = memory.world(tmp_path)
    memory.state_of(tmp_path).change(split=[50, 50, "blue", "deploy:d1"])
    told = [each["what"] for each in status(world)["astray"]]
    assert "traffic is shared (blue 50 % / green 50 %) and nobody is at work" in told
