"""Several questions to outside systems at once, each in a thread of its own and waited for only so long.

Asked once, or again and again: then each at its own pace, and one that is still under way is not asked a second time.
"""

from __future__ import annotations

import contextvars
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from ..errors import DeployError

PATIENCE = 8.0
"""Seconds for one answer."""


class Question(NamedTuple):
    """``ask`` answers it, or raises why it cannot. ``every``: seconds until it is worth asking again."""

    name: str
    ask: Callable[[], Any]
    every: float = 2.0


class Silent(NamedTuple):
    """No answer, and why."""

    why: str


class _Asking:
    """One question under way, or answered."""

    def __init__(self, question: Question) -> None:
        self.question = question
        self.began: float | None = None
        self.is_over = True
        self.answer: Any = Silent("no answer yet")


class Questions:
    """All of them, and the latest answer to each. ``now``: seconds on a clock that only rises."""

    def __init__(self, questions: Sequence[Question], now: Callable[[], float] = time.monotonic) -> None:
        self._asked = {question.name: _Asking(question) for question in questions}
        self._now = now
        self._change = threading.Condition()

    def ask(self, *, everything: bool = False) -> None:
        """Ask whatever is due, or everything that is not under way. Returns at once."""
        with self._change:
            due = [one for one in self._asked.values() if one.is_over and (everything or self._is_due(one))]
            for one in due:
                one.began, one.is_over = self._now(), False
        for one in due:
            # A thread begins with an empty context: who runs the tasks would be forgotten in it.
            work = contextvars.copy_context().run
            threading.Thread(target=work, args=(self._answer, one), name=one.question.name, daemon=True).start()

    def _is_due(self, one: _Asking) -> bool:
        return one.began is None or self._now() - one.began >= one.question.every

    def wait(self, seconds: float | None = None) -> None:
        """Wait until all are answered, but no longer than this (``None``: as long as one may take)."""
        with self._change:
            self._change.wait_for(
                lambda: all(one.is_over for one in self._asked.values()), PATIENCE if seconds is None else seconds
            )

    def answers(self) -> Mapping[str, Any]:
        """The latest answers by name; ``Silent`` where there is none, or where the next one takes too long."""
        with self._change:
            return {name: self._latest(one) for name, one in self._asked.items()}

    def _latest(self, one: _Asking) -> Any:
        is_late = not one.is_over and one.began is not None and self._now() - one.began >= PATIENCE - 0.05
        return Silent(f"no answer within {PATIENCE:g} s") if is_late else one.answer

    def _answer(self, one: _Asking) -> None:
        try:
            found = one.question.ask()
        except (DeployError, OSError) as error:
            found = Silent(str(getattr(error, "what", error)))
        except Exception as error:  # noqa: BLE001  a mistake of ours in one part must not hide the others
            found = Silent(f"unforeseen: {type(error).__name__}: {error}")
        with self._change:
            one.answer, one.is_over = found, True
            self._change.notify_all()
