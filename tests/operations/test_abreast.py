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
from deploytasks.operations.abreast import Dark, Looked, again, look


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
        def ask(self) -> None:
            order.append(f"ask {self._answer['environment']}")

        def answer(self, patience: float) -> dict[str, Any]:
            order.append(f"hear {self._answer['environment']}")
            return {}

    look({name: Slow(name, UsageError("")) for name in "abc"}, 1.0)
    assert ["ask a", "ask b", "hear a", "hear b", "ask c", "hear c"] == order
