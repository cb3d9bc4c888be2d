"""What people ask of the deployment that runs: heard in a thread, obeyed in the deployment's own, one by one.

While a rollout is watched, each waits for a reading that carries it, so that it is recorded with what came of it.
Before that a pause waits for the first reading. An abort waits for no reading where there are none: it interrupts.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal, NamedTuple

from . import interrupt
from .errors import Aborted
from .ports import Command

if TYPE_CHECKING:
    from .ports import Event

VERBS = ("pause", "continue", "abort", "promote")
Stage = Literal["without", "before", "readings", "between", "after", "over"]
"""Where a deployment is, as far as orders care: it has no rollout; its rollout is still to come; is watched, reading by
reading; is long between two of them; is over; or nothing of the deployment can be changed any more."""


class Answer(NamedTuple):
    """What came of an order: whether it is obeyed, and a sentence for who asked."""

    obeyed: bool
    said: str


def at_once(stage: Stage, waiting: tuple[Command, ...], command: Command, doing: str) -> Answer | None:
    """What is answered without a reading; ``None``: one will answer. ``doing``: the step that is carried out."""
    if command.verb not in VERBS:
        return Answer(False, f"there is no {command.verb!r} here: {', '.join(VERBS)}")
    if stage == "readings" or (stage == "between" and command.verb != "abort"):
        return None
    if command.verb == "abort" and stage != "over":
        return Answer(True, f"aborted at `{doing}`: what was begun is taken back")
    if stage == "before":
        return _before_the_rollout(waiting, command, doing)
    return Answer(False, _REFUSED[stage].format(verb=command.verb, doing=doing))


_REFUSED: dict[Stage, str] = {
    "without": "there is no rollout to {verb} here; `inv abort` takes it back",
    "after": "too late: the rollout is over, and it is at `{doing}`",
    "over": "too late: nothing of this deployment can be stopped or changed any more",
}


def _before_the_rollout(waiting: tuple[Command, ...], command: Command, doing: str) -> Answer:
    last = waiting[-1].verb if waiting else ""
    if command.verb == "pause":
        return Answer(True, f"it is at `{doing}`: the rollout is paused at its first reading, before it gets traffic")
    if command.verb == "continue" and last == "pause":
        return Answer(True, f"it is at `{doing}`: the rollout begins without a pause")
    why = "nothing is paused" if command.verb == "continue" else "no stage is watched yet"
    return Answer(False, f"{why}: it is at `{doing}`, and the rollout has not begun")


class Orders:
    """Those of one deployment. Every method may be called by any thread."""

    def __init__(self) -> None:
        self._busy = threading.RLock()
        self._waiting: deque[Command] = deque()
        self._stage: Stage = "without"
        self._is_news = False
        self.news = threading.Event()
        """Set when one is heard, to wake whoever waits for the next reading."""
        self.heard: deque[Event] = deque()
        """What a thread has read or recorded, and whoever shows the deployment was not told yet."""

    @property
    def next(self) -> Command | None:
        """The one that the next reading carries."""
        with self._busy:
            return self._waiting[0] if self._waiting and self._stage == "readings" else None

    def expect(self, *, rollout: bool) -> None:
        """A deployment begins, with or without a rollout."""
        with self._busy:
            self._waiting.clear()
            self._stage = "before" if rollout else "without"

    def hear(self, command: Command, doing: str = "") -> Answer | None:
        """Take an order in; returns what can be said at once."""
        with self._busy:
            answer = at_once(self._stage, tuple(self._waiting), command, doing)
            if answer is not None and not answer.obeyed:
                return answer
            self._waiting.append(command)
            self._is_news = True
            self.news.set()
            must_strike = command.verb == "abort" and self._stage != "readings"
        if must_strike:
            interrupt.strike(Aborted(command.who, command.reason))
        return answer

    def is_news(self) -> bool:
        """Whether one was heard since this was last asked: then the next reading is made at once."""
        with self._busy:
            was, self._is_news = self._is_news, False
            return was and self._stage == "readings"

    def obeyed(self, command: Command | None) -> None:
        """A reading that carries it is recorded."""
        with self._busy:
            if command is not None and self._waiting and self._waiting[0] == command:
                self._waiting.popleft()
            self._is_news = self._is_news or bool(self._waiting)

    @contextmanager
    def carried(self) -> Iterator[None]:
        """Readings carry orders, as long as the body runs; an abort that none of them has carried strikes then."""
        with self._busy:
            self._stage, self._is_news = "readings", False
        try:
            yield
        finally:
            with self._busy:
                self._stage = "after"
        self.require_none()

    @contextmanager
    def between_readings(self) -> Iterator[None]:
        """The next reading is long in coming, as long as the body runs: an abort does not wait for it."""
        with self._busy:
            before, self._stage = self._stage, "between"
        try:
            self.require_none()
            yield
        finally:
            with self._busy:
                self._stage = before

    def require_none(self) -> None:
        """Raise ``Aborted`` when somebody has asked for that, and nobody has obeyed yet."""
        with self._busy:
            found = next((each for each in self._waiting if each.verb == "abort"), None)
        if found is not None:
            raise Aborted(found.who, found.reason)

    def leave(self) -> tuple[Command, ...]:
        """What nobody has obeyed, and nobody will."""
        with self._busy:
            left = tuple(self._waiting)
            self._waiting.clear()
            return left

    def close(self) -> None:
        """Nothing can be stopped any more. Raises ``Aborted`` when somebody has asked for it before."""
        with self._busy:
            self.require_none()
            self._stage = "over"

    def give_up(self) -> None:
        """It is being taken back already."""
        with self._busy:
            self._stage = "over"
