"""The ledger of one environment: events, one after the other, each chained to the one before.

One key per event, and a head that says how far the stream goes and what it adds up to. An event is recorded once
its own key is written; the head follows. Event ``n + 1`` is only ever written where the head has reached ``n``, so
at most one event lies beyond the head: a writer is between its two writes there, or died there. Whoever comes next
takes that event into the head first. This makes appending lock-free: a dead writer blocks nobody.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from ..durable import jitter
from ..errors import Conflict, LeaseLost, Unreachable
from ..ports import Digest, Event, Json, Store, Tag
from .event import GENESIS, canonical, chained, read_event
from .facts import part, text, whole
from .projections import PROJECTION, apply
from .standing import Standing, standing_from_json, standing_to_json

if TYPE_CHECKING:
    from .verify import Verification

_ATTEMPTS = 500
"""Each lost attempt means that another writer's succeeded."""


class Head(NamedTuple):
    """How far the stream goes, its last digest, the highest fencing token in it, and what it adds up to."""

    number: int
    digest: Digest
    token: int
    standing: Standing


EMPTY = Head(0, GENESIS, 0, Standing())


def grown(head: Head, event: Event) -> Head:
    """The head after one more event. Pure."""
    return Head(event.number, event.digest, max(head.token, event.token), apply(head.standing, event))


def head_key(scope: str) -> str:
    """Where the head is kept."""
    return f"{scope}/head.json"


def event_key(scope: str, number: int) -> str:
    """Where an event is kept."""
    return f"{scope}/events/{number:012}.json"


def write_head(head: Head) -> bytes:
    """The head as it is stored."""
    return canonical(
        {
            "number": head.number,
            "digest": head.digest,
            "token": head.token,
            "projection": PROJECTION,
            "standing": standing_to_json(head.standing),
        }
    )


def read_head(document: bytes) -> tuple[Head, bool]:
    """A stored head, and whether its standing was folded as we fold. Raises ``ValueError`` when it is none."""
    found = json.loads(document)
    if not isinstance(found, dict) or not isinstance(found.get("standing"), dict):
        raise ValueError("is not a head")
    standing = standing_from_json(part(found, "standing"))
    head = Head(whole(found, "number"), text(found, "digest"), whole(found, "token"), standing)
    return head, whole(found, "projection") == PROJECTION


class Ledger:
    """The stream of one ``scope``, ``application/environment``. ``who`` signs what is appended.

    Everything here raises ``Unreachable`` when the store does not answer, or holds what nobody wrote.
    """

    def __init__(self, store: Store, scope: str, who: str, now: Callable[[], datetime]) -> None:
        self.store = store
        self.scope = scope
        self._who = who
        self._now = now

    def head(self) -> Head:
        """The head as of now, an event beyond the stored one included. Two reads; changes nothing."""
        return self._caught_up(self._stored()[0])

    def append(self, kind: str, facts: Mapping[str, Json], token: int = 0) -> Event:
        """Record an event durably, after whatever others recorded.

        ``token`` is the fencing token of our lease (0: none). Raises ``LeaseLost`` when the stream has a higher
        one. Any number of processes may append at once; the chain does not break.
        """
        for attempt in range(_ATTEMPTS):
            with suppress(Conflict):  # another writer was faster: look again
                return self._append_once(kind, facts, token, is_behind=attempt > 0)
            time.sleep(min(0.0005 * 2**attempt, 0.02) * jitter())
        raise Unreachable(
            f"the ledger of {self.scope} is too busy: {_ATTEMPTS} attempts to append {kind!r} lost against others",
            state="the event was not recorded",
            do="look who writes there: `inv status`, `inv history`",
        )

    def events(self, after: int = 0) -> Iterator[Event]:
        """The events after number ``after``, up to the head as it stands when the first is asked for."""
        for number in range(after + 1, self.head().number + 1):
            event = self.event(number)
            if event is None:
                raise self._broken(f"event {number} is missing")
            yield event

    def event(self, number: int) -> Event | None:
        """The event of this number, if there is one."""
        found = self.store.get(event_key(self.scope, number))
        if found is None:
            return None
        try:
            return read_event(found[0])
        except ValueError as error:
            raise self._broken(f"event {number} {error}") from None

    def verify(self, expect: str | None = None) -> Verification:
        """Recompute everything, see ``verify.verify``."""
        from .verify import verify  # it stands on this module

        return verify(self.store, self.scope, expect)

    def _append_once(self, kind: str, facts: Mapping[str, Json], token: int, *, is_behind: bool) -> Event:
        """Three requests: the head, the event, the head. Whether an event lies beyond the head is only looked at when
        writing there has met one (``is_behind``)."""
        stored, tag = self._stored()
        head = self._caught_up(stored) if is_behind else stored
        if head.number > stored.number:
            tag = self._move(head, tag)
        if token and token < head.token:
            raise LeaseLost(
                f"the lease of {self.scope} was taken over: ours has token {token}, the ledger is at {head.token}",
                state=f"{kind!r} was not recorded",
                do="do nothing more here; `inv status` says who is at work",
            )
        event, document = chained(head.number + 1, head.digest, self._now(), kind, facts, self._who, token)
        self.store.put(event_key(self.scope, event.number), document, None)
        with suppress(Conflict, Unreachable):  # it is recorded; the next writer takes it into the head
            self._move(grown(head, event), tag)
        return event

    def _move(self, head: Head, tag: Tag | None) -> Tag:
        return self.store.put(head_key(self.scope), write_head(head), tag)

    def _stored(self) -> tuple[Head, Tag | None]:
        """The stored head and its tag; the empty one for a new stream, or when the head was deleted."""
        found = self.store.get(head_key(self.scope))
        if found is None:
            return EMPTY, None
        try:
            head, is_ours = read_head(found[0])
        except ValueError:
            raise self._broken("its head is unreadable") from None
        return (head if is_ours else self._caught_up(EMPTY, head.number)), found[1]

    def _caught_up(self, head: Head, upto: int | None = None) -> Head:
        """The head after all events, or those up to a number, that lie beyond it: at most one, as a rule."""
        while head.number != upto and (event := self._next(head)):
            head = grown(head, event)
        return head

    def _next(self, head: Head) -> Event | None:
        event = self.event(head.number + 1)
        if event is not None and (event.number, event.previous) != (head.number + 1, head.digest):
            raise self._broken(f"event {head.number + 1} does not follow on the one before")
        return event

    def _broken(self, how: str) -> Unreachable:
        return Unreachable(
            f"the ledger of {self.scope} is broken: {how}",
            state="nothing was changed",
            do="`inv history --verify` lists all that is wrong; bring the store back from a copy",
        )
