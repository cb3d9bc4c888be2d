"""The events to be told, by number: those that were heard of here, the others from the ledger, each read once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import datetime, timedelta

from ..errors import Unreachable
from ..ledger.chain import Ledger
from ..ledger.standing import Standing
from ..ports import Event
from .deployments import LOOK_BACK
from .story import About, Story
from .telling import told

LATELY = timedelta(minutes=15)
"""Of what happened before that, a recipient that was never told anything is told nothing."""
_MOST_LATELY = 100
"""Events that are read to find out what happened lately."""
_MOST_KEPT = 1000
_LONGEST = 600
"""Events of one deployment that are read again, at most, to know its story."""


class Tape:
    """Shared by those who tell, each in its own thread; whoever hears of an event only puts it there.

    Everything that reads the ledger raises ``Unreachable`` when that does not answer.
    """

    def __init__(self, ledger: Ledger, about: About) -> None:
        self.about = about
        self.ledger = ledger
        self._events: dict[int, Event] = {}
        self._reading = threading.Lock()

    def heard(self, event: Event) -> None:
        """An event that was recorded; it need not be read again."""
        self._events[event.number] = event

    def event(self, number: int) -> Event:
        """The event of this number."""
        found = self._events.get(number)
        if found is not None:
            return found
        with self._reading:
            return self._events.get(number) or self._read(number)

    def forget(self, before: int) -> None:
        """Let go of events that everybody was told, as far as it matters."""
        if len(self._events) > _MOST_KEPT:
            for number in [number for number in tuple(self._events) if number < before]:
                self._events.pop(number, None)

    def _read(self, number: int) -> Event:
        event = self.ledger.event(number)
        if event is None:
            what = f"event {number} is missing in the ledger of {self.ledger.scope}"
            raise Unreachable(what, do="`inv history --verify`")
        self._events[number] = event
        return event

    # -- where to begin ----------------------------------------------------------------------------------------

    def lately(self, now: datetime) -> int:
        """The number of the last event that happened too long ago to be told to somebody new."""
        number = last = self.ledger.head().number
        while number and last - number < _MOST_LATELY and now - self.event(number).at <= LATELY:
            number -= 1
        return number

    def story(self, upto: int) -> Story:
        """The story after an event, from the ledger: from before the deployment that it belongs to."""
        standing = self.ledger.head().standing
        began = max((number for number in _beginnings(standing) if number <= upto), default=0)
        if not began or upto - began > _LONGEST:
            return seeded(standing)
        story = Story()
        for number in range(max(1, began - LOOK_BACK), upto + 1):
            story, _ = told(self.about, story, self.event(number))
        known = seeded(standing)
        return story._replace(placed={**known.placed, **story.placed}, live=story.live or known.live)


def _beginnings(standing: Standing) -> Iterator[int]:
    if standing.open is not None:
        yield standing.open.number
    yield from (ended.number for ended in standing.recent if ended.number)


def seeded(standing: Standing) -> Story:
    """What the head of the ledger knows of the versions that are there."""
    placed = {color: release.version for color, release in standing.releases.items() if release.version}
    return Story(placed=placed, live=standing.settled.version if standing.settled else "")
