"""Tells everybody beside a deployment, and never in its way.

One thread for each recipient: who hangs keeps nobody else. Whoever records something only puts it into a queue. What is
told is read from the ledger, by a way of our own to the store, so that nothing depends on this process: what it could
not tell, the next one tells.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from queue import SimpleQueue
from typing import NamedTuple

from ..bulletins import Recipient
from ..errors import Conflict, DeployError
from ..ports import Event
from .delivery import Delivery, Me, Waits
from .place import Places
from .tape import Tape

_BACKOFF = (1.0, 2.0, 5.0, 10.0, 20.0, 60.0)
"""Seconds between tries while somebody is silent."""


class Waiting(NamedTuple):
    """What a recipient was not told yet: how many bulletins (0: that is not known), why, and since when."""

    many: int
    why: str
    since: datetime | None = None


class Opened(NamedTuple):
    """All that a courier needs. ``unopened``: recipients, or sections of them, that cannot be told, and why."""

    recipients: Mapping[str, Recipient]
    unopened: Mapping[str, str]
    tape: Tape
    places: Places
    me: Me


class Courier:
    """Delivers what is recorded, from the first event on that it hears of. ``opened`` is called in our own thread."""

    def __init__(self, opened: Callable[[], Opened]) -> None:
        self._opened = opened
        self._heard: SimpleQueue[Event | None] = SimpleQueue()
        self._boss: threading.Thread | None = None
        self._rounds: tuple[_Round, ...] = ()
        self._unopened: Mapping[str, str] = {}
        self._failed = ""
        self._is_ending = self._is_over = False
        self._has_looked = threading.Event()
        """Set once the ledger was asked how far it goes, for the last time."""

    def tell(self, event: Event | None = None) -> None:
        """Something was recorded; ``None``: perhaps. Never waits."""
        self._heard.put(event)
        if self._boss is None:
            self._boss = threading.Thread(target=self._lead, name="outbox", daemon=True)
            self._boss.start()

    def finish(self, patience: float, *, insist: bool = False) -> Mapping[str, Waiting]:
        """Wait until everybody was told, or cannot be told now, for so many seconds at most: what waits, by name.

        With ``insist``, who is silent is tried again as long as there is time. Nothing is told after that. What is not
        known at all has no name.
        """
        until = time.monotonic() + patience
        self._is_ending = True
        self.tell(None)
        self._has_looked.wait(patience)
        for each in self._rounds:
            each.end(insist=insist)
        for each in self._rounds:
            each.ended.wait(max(0.0, until - time.monotonic()))
        self._is_over = True
        found = {name: Waiting(0, why) for name, why in self._unopened.items()}
        found |= {each.who: waits for each in self._rounds if (waits := each.waits()) is not None}
        if self._failed or not self._has_looked.is_set():
            found[""] = Waiting(0, self._failed or "it is not known yet what is to be told")
        return found

    # -- in the thread of its own ------------------------------------------------------------------------------

    def _lead(self) -> None:
        try:
            self._lead_on(self._opened())
        except Exception as error:  # noqa: BLE001  # a deployment must not hear of it in any other way
            self._failed = _words(error)
        self._has_looked.set()

    def _lead_on(self, opened: Opened) -> None:
        self._unopened = opened.unopened
        self._rounds = tuple(
            _Round(Delivery(name, recipient, opened.places, opened.tape, opened.me))
            for name, recipient in opened.recipients.items()
        )
        for each in self._rounds:
            each.start()
        is_last = not self._rounds
        while not is_last:
            event = self._heard.get()
            is_last = event is None and self._is_ending
            target = self._end(opened.tape) if event is None else event.number
            if event is not None:
                opened.tape.heard(event)
            for each in self._rounds:
                each.aim(target)

    def _end(self, tape: Tape) -> int:
        """The last event of the ledger."""
        while not self._is_over:
            try:
                found = tape.ledger.head().number
            except (DeployError, OSError) as error:
                self._failed = f"the ledger is silent: {_words(error)}"
                time.sleep(_BACKOFF[0])
            else:
                self._failed = ""
                return found
        return 0


class _Round(threading.Thread):
    """The thread of one recipient."""

    def __init__(self, delivery: Delivery) -> None:
        super().__init__(name=f"tell {delivery.name}", daemon=True)
        self._delivery = delivery
        self._target = 0
        self._wake = threading.Event()
        self._is_ending = self._is_telling = self._insists = False
        self._waits: Waiting | None = None
        self._failures = 0
        self._pause: float | None = None
        self.ended = threading.Event()
        """Set once all was told, or a try after the end was announced has failed."""

    @property
    def who(self) -> str:
        """The recipient."""
        return self._delivery.name

    def aim(self, target: int) -> None:
        """There is something to tell up to this event."""
        self._target = max(self._target, target)
        self._wake.set()

    def end(self, *, insist: bool) -> None:
        """Nothing more will come. ``insist``: who is silent is tried again all the same."""
        self._is_ending, self._insists = True, insist
        self._wake.set()

    def waits(self) -> Waiting | None:
        """What was not told yet."""
        if self._waits is None and not self.ended.is_set():
            return Waiting(1 if self._is_telling else 0, "it has not answered yet")
        return self._waits

    def run(self) -> None:
        """Until all is told that will come, or nothing more can be."""
        is_over = False
        while not is_over:
            self._wake.wait(self._pause)
            self._wake.clear()
            is_last = self._is_ending
            is_over = self._turn() and is_last and not (self._insists and self._failures)
        self.ended.set()

    def _turn(self) -> bool:
        """Tell what there is; whether there is no use in looking again at once."""
        self._is_telling = True
        try:
            self._delivery.carry(self._target)
            self._waits, self._failures, self._pause = None, 0, None
            if self._is_ending:
                self._delivery.save()
        except Conflict:
            return True
        except Waits as found:
            if found.seconds:
                self._waits, self._pause = Waiting(0, found.why), found.seconds
                return False
            self._fail(self._counted(found.why), is_vain=not found.again)
        except Exception as error:  # noqa: BLE001  # the store is silent, or it is a bug: neither may end this thread
            self._fail(Waiting(0, _words(error)))
        finally:
            self._is_telling = False
        return True

    def _fail(self, waits: Waiting, *, is_vain: bool = False) -> None:
        self._failures = len(_BACKOFF) if is_vain else min(self._failures + 1, len(_BACKOFF))
        self._waits, self._pause = waits, _BACKOFF[self._failures - 1]

    def _counted(self, why: str) -> Waiting:
        try:
            left, trouble = self._delivery.waiting(self._target), self._delivery.trouble
        except Exception:  # noqa: BLE001  # then it is not known how many
            return Waiting(0, why)
        return Waiting(len(left), why, trouble.since if trouble else None)


def _words(error: Exception) -> str:
    return str(getattr(error, "what", error)) or type(error).__name__
