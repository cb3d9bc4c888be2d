"""The rollouts that a ledger remembers: their rules, what was read, and how each ended. Pure: events in, values out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from ..ledger.facts import part, parts, text, whole
from ..ports import Event, Reading
from ..rollout import Rules, reading_from_json

_ROLLOUTS = ("roll out", "hand over")
"""The names of the steps that move traffic and watch."""


class Look(NamedTuple):
    """One reading, with the move and the verdicts that were recorded beside it; without a reading: from ``at`` on
    somebody watched again, after nobody did."""

    at: datetime
    reading: Reading | None
    move: str = ""
    verdicts: tuple[tuple[str, str, int], ...] = ()
    """Kind, metric and count of each."""


class Recording(NamedTuple):
    """One rollout. A deployment that was held and resumed has several, told apart by ``attempt`` (from 1)."""

    deployment: str
    attempt: int
    task: str
    version: str
    began: datetime
    rules: Rules | None
    looks: tuple[Look, ...]
    outcome: str
    """As recorded: ``done``, ``taken back``, …; empty: its deployer died, or is still at work."""
    code: int | None
    why: str
    unreadable: str = ""
    """Why it cannot be replayed; empty when it can."""
    regretted: str = ""
    """Why somebody took it back after it had ended well; empty when nobody did."""


def recordings(events: Iterable[Event]) -> list[Recording]:
    """All rollouts that begin in these events and of which something was read, in the order in which they ended."""
    found: list[Recording] = []
    tape: _Tape | None = None
    for event in events:
        if event.kind == "began":
            tape = _begun(tape, event, found)
        elif event.kind == "rolled-back":
            if tape is None or tape.is_over:  # else it was this one's, which tells its end itself
                _regret(found, text(event.facts, "reason") or "no reason")
        elif tape is not None and text(event.facts, "deployment") == tape.deployment:
            found.extend(tape.hear(event))
    return [*found, *(tape.cut() if tape else ())]


def _begun(tape: _Tape | None, event: Event, found: list[Recording]) -> _Tape:
    """The tape of a deployment that begins, or goes on after a death or a hold."""
    if tape is not None and tape.deployment == text(event.facts, "deployment"):
        tape.resumed, tape.is_over = not tape.is_over, False
        return tape
    found.extend(tape.cut() if tape else ())
    return _Tape(event)


def _regret(found: list[Recording], reason: str) -> None:
    """Somebody took back what went well before."""
    if found and found[-1].code == 0:
        found[-1] = found[-1]._replace(regretted=reason)


class _Tape:
    """What is heard of one deployment."""

    def __init__(self, began: Event) -> None:
        self.deployment = text(began.facts, "deployment")
        self.resumed = False
        self.is_over = False
        self._began = began
        self._attempt = 1
        self._looks: list[Look] = []
        self._unreadable = ""
        self._rules = self._read_rules()

    def hear(self, event: Event) -> Iterator[Recording]:
        """Take an event in; what has ended with it."""
        if event.kind == "watching again" and self._looks:
            self._looks.append(Look(event.at, None))
            self.resumed = False
        elif event.kind == "reading":
            if self.resumed:  # nothing was exposed yet: it was begun anew
                yield from self.cut()
                self.resumed = False
            self._read(event)
        elif event.kind == "ended":
            self.is_over, code = True, whole(event.facts, "code")
            yield from self._recording(text(event.facts, "outcome"), code, text(event.facts, "why"))

    def cut(self) -> Iterator[Recording]:
        """What was begun, and has no end."""
        yield from self._recording("", None, "")

    def _recording(self, outcome: str, code: int | None, why: str) -> Iterator[Recording]:
        if not self._looks:
            return
        of = self._began
        yield Recording(
            self.deployment, self._attempt, text(of.facts, "task"), text(of.facts, "version"), self._looks[0].at,
            self._rules, tuple(self._looks), outcome, code, why, self._unreadable,
        )  # fmt: skip
        self._looks, self._attempt = [], self._attempt + 1

    def _read(self, event: Event) -> None:
        outlook = part(event.facts, "outlook")
        verdicts = tuple((text(v, "kind"), text(v, "metric"), whole(v, "n")) for v in parts(outlook, "verdicts"))
        try:
            reading = reading_from_json(part(event.facts, "reading"))
        except (LookupError, TypeError, ValueError) as error:
            self._unreadable = self._unreadable or f"event {event.number} is no reading that is known here: {error!r}"
            return
        self._looks.append(Look(reading.at, reading, text(event.facts, "move"), verdicts))

    def _read_rules(self) -> Rules | None:
        steps: Iterable[Mapping[str, Any]] = parts(part(self._began.facts, "plan"), "steps")
        given = next((part(step, "rules") for step in steps if text(step, "step") in _ROLLOUTS), None)
        try:
            return None if given is None else Rules.from_json(given)
        except (LookupError, TypeError, ValueError) as error:
            self._unreadable = f"its rules are not known here: {error!r}"
            return None
