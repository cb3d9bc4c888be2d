"""Hears what people ask of a deployment while it runs: in the ledger, from wherever they are, and at its own keyboard.

A thread of its own with a way of its own to the store: one that is silent, or hangs, keeps nobody else waiting. It asks
for one event, the next one, about once a second; so it reads each event once, whatever the length of the ledger.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

from .. import view
from ..errors import DeployError
from ..ledger.facts import text
from ..ledger.projections import done_by
from ..orders import Answer
from ..ports import Command
from .promoting import objection, signed
from .signing import one_line

if TYPE_CHECKING:
    from ..ledger import Ledger
    from ..ports import Event, Json
    from ..world import World

EVERY = 1.0
"""Seconds between two looks."""
_PATIENCE = 0.5
"""Seconds that the end of a deployment waits for a look that is under way."""

Ask = Callable[[str, str], None]
"""Asks for a verb, with a reason; returns at once, never raises, from any thread."""


@contextmanager
def listening(world: World, after: int, commit: str, past: Iterable[Event] = ()) -> Iterator[Ask]:
    """Hear, as long as the body runs, what is asked in events after number ``after``; gives a way to ask it here.

    ``commit``: the one whose allowed signers count. ``past``: what the deployment has behind it, when it is resumed.
    """
    ears = _Ears(world, after, commit, past)
    ears.start()
    try:
        yield ears.ask
    finally:
        ears.stop()


class _Ears:
    """Of one deployment."""

    def __init__(self, world: World, after: int, commit: str, past: Iterable[Event] = ()) -> None:
        self._world = world
        self._commit = commit
        self._number = after
        self._spent = {text(event.facts, "statement") for event in past if event.kind == "asked"}
        """What was signed, and heard: it counts once, and a copy of it never."""
        self._own: set[int] = set()
        """Events in which we have recorded what was asked here, and obeyed already."""
        self._here: SimpleQueue[Command] = SimpleQueue()
        self._wake = threading.Event()
        self._is_over = False
        self._thread = threading.Thread(target=self._listen, name="orders", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._is_over = True
        self._wake.set()
        self._thread.join(_PATIENCE)

    def ask(self, verb: str, reason: str) -> None:
        """Somebody asks at the keyboard of the deployer: obeyed even when the ledger is silent, and recorded."""
        with suppress(Exception):
            command = Command(verb, self._world.site.who, one_line(reason) or f"by a key ({verb})")
            if verb != "promote" or not self._world.settings.protected:
                self._take(command)
            self._here.put(command)
            self._wake.set()

    def _take(self, command: Command) -> Answer | None:
        answer = self._world.orders.hear(command, self._world.at_work)
        if answer is not None and not command.number:
            view.say(answer.said)
        return answer

    # -- in the thread ---------------------------------------------------------

    def _listen(self) -> None:
        ledger: Ledger | None = None
        while True:
            self._wake.wait(EVERY)
            self._wake.clear()
            if self._is_over:
                return
            with suppress(Exception):  # a store that is silent is judged by the rollout, which counts how long
                ledger = ledger or self._world.another_ledger()
                self._record_here(ledger)
                self._read_on(ledger)

    def _read_on(self, ledger: Ledger) -> None:
        while not self._is_over and (event := ledger.event(self._number + 1)) is not None:
            self._number = event.number
            is_ours = text(event.facts, "deployment") == self._world.deployment
            if event.kind == "asked" and is_ours and event.number not in self._own:
                self._hear(ledger, event)

    def _hear(self, ledger: Ledger, event: Event) -> None:
        verb, reason = text(event.facts, "verb"), text(event.facts, "reason")
        command = Command(verb, text(event.facts, "signer") or done_by(event), reason, event.number)
        self._show(event)
        why = self._objection(event) if verb == "promote" else ""
        answer = Answer(False, why) if why else self._take(command)
        if answer is not None:
            said: dict[str, Json] = {"asked": event.number, "verb": verb, **answer._asdict()}
            self._show(ledger.append("answered", self._world.recordable(said)))

    def _objection(self, event: Event) -> str:
        """Why a promotion does not count; empty when it does, which it does once."""
        stated = text(event.facts, "statement")
        if stated and stated in self._spent:
            return "a promotion is signed here, and this one is a copy of another: each counts once"
        self._spent.add(stated)
        return objection(self._world, event, self._commit)

    def _show(self, event: Event) -> None:
        """Have it told to whoever shows the deployment, by the thread that does."""
        self._world.orders.heard.append(event)
        self._world.orders.news.set()

    def _record_here(self, ledger: Ledger) -> None:
        with suppress(Empty):
            while True:
                command = self._here.get_nowait()
                try:
                    self._record(ledger, command)
                except (DeployError, OSError) as error:
                    view.say(f"{command.verb}: {getattr(error, 'what', error)}{self._elsewhere(command)}")

    def _record(self, ledger: Ledger, command: Command) -> None:
        world, is_signed = self._world, command.verb == "promote" and self._world.settings.protected
        facts = {"verb": command.verb, "reason": command.reason}
        if is_signed:
            facts |= signed(world, world.deployment, command.reason, self._commit, interactive=False)
        event = ledger.append("asked", world.recordable(facts))
        if not is_signed:
            self._own.add(event.number)
            self._show(event)

    def _elsewhere(self, command: Command) -> str:
        if command.verb != "promote" or not self._world.settings.protected:
            return ""
        return f"; elsewhere: inv promote --env {self._world.settings.name} --reason …"
