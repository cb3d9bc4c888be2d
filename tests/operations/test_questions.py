"""Several questions at once, none of which keeps the others waiting."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

from deploytasks.errors import Unreachable
from deploytasks.operations import questions as asking
from deploytasks.operations.questions import Question, Questions, Silent

if TYPE_CHECKING:
    import pytest


@contextmanager
def stuck() -> Iterator[threading.Event]:
    """Something that does not answer until the test is over."""
    over = threading.Event()
    try:
        yield over
    finally:
        over.set()


def test_one_that_does_not_answer_holds_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """The others are answered; it says for how long it was waited for; and it is not asked again meanwhile."""
    monkeypatch.setattr(asking, "PATIENCE", 0.2)
    with stuck() as over:
        asked = Questions([Question("slow", over.wait, 0.0), Question("quick", lambda: 7)])
        asked.ask()
        asked.wait()
        before = threading.active_count()
        asked.ask()
        assert {"slow": Silent("no answer within 0.2 s"), "quick": 7} == asked.answers()
        assert threading.active_count() <= before


def test_what_cannot_be_answered_says_why() -> None:
    """An error of ours in its own words; any other without hiding the rest."""

    def fail(error: Exception) -> None:
        raise error

    asked = Questions([
        Question("down", lambda: fail(Unreachable("the balancer is down", do="mend it"))),
        Question("odd", lambda: fail(KeyError("blue"))),
    ])  # fmt: skip
    assert {Silent("no answer yet")} == set(asked.answers().values())
    asked.ask()
    asked.wait()
    assert {"down": Silent("the balancer is down"), "odd": Silent("unforeseen: KeyError: 'blue'")} == asked.answers()


def test_each_is_asked_at_its_own_pace() -> None:
    """What hardly changes is asked less often."""
    now, told = [0.0], list[str]()
    asked = Questions(
        [Question("often", lambda: told.append("often"), 2.0), Question("rarely", lambda: told.append("rarely"), 10.0)],
        now=lambda: now[0],
    )
    for second in (0.0, 1.0, 2.0, 4.0, 10.0):
        now[0] = second
        asked.ask()
        asked.wait()
    assert (4, 2) == (told.count("often"), told.count("rarely"))


def test_what_the_caller_set_is_set_in_the_threads() -> None:
    """Who runs the tasks is known there as well."""
    known: ContextVar[str] = ContextVar("known", default="")
    known.set("chain")
    asked = Questions([Question("context", known.get)])
    asked.ask()
    asked.wait()
    assert {"context": "chain"} == asked.answers()
