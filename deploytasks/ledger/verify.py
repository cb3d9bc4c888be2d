"""Looking for anything in the stream that nobody wrote: changed, removed, reordered, cut off.

Hash chaining finds every edit that leaves later events as they were. Whoever can write to the store could write
the whole stream anew, or cut its end off; that shows only to someone who kept a digest from before: ``expect``. Or in a
store that keeps what was there before (``Keeping``): each event is written once, and never deleted.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from ..errors import UsageError
from ..ports import Digest, Event, Keeping, Store
from .chain import EMPTY, Head, event_key, grown, head_key, read_head
from .event import GENESIS, read_event

MOST_PROBLEMS = 50
SHORTEST_DIGEST = 12
"""Characters: what a person copied must be long enough to mean one event."""


class Verification(NamedTuple):
    """``count`` events were found, ``head`` is the digest of the last; ``problems`` are sentences for people."""

    ok: bool
    count: int  # type: ignore[assignment]  # a tuple's method has this name as well, and nobody counts in this one
    head: Digest
    problems: tuple[str, ...]


def verify(store: Store, scope: str, expect: str | None = None) -> Verification:
    """Read the whole stream of ``scope`` and recompute everything.

    ``expect`` is the digest, or its beginning, of an event known from before: if it is not in the chain, the
    stream was cut off or written anew. Changes nothing; others may append meanwhile.
    """
    if expect is not None and len(expect) < SHORTEST_DIGEST:
        raise UsageError(f"{expect!r} is too short for a digest", do=f"give at least {SHORTEST_DIGEST} characters")
    return _Inspection(store, scope, expect).report()


class _Inspection:
    """One pass over the stream; it holds a head and a few texts, never the events."""

    def __init__(self, store: Store, scope: str, expect: str | None) -> None:
        self._store = store
        self._scope = scope
        self._expect = expect
        self._is_expected_found = expect is None or GENESIS.startswith(expect)
        self._problems: list[str] = []
        self._count = 0
        self._head = EMPTY
        """Recomputed so far."""
        self._at_stored: Head | None = None
        """As recomputed at the number that the stored head has."""

    def report(self) -> Verification:
        # The stored head is read before the events: those appended meanwhile then lie beyond it, which is no fault.
        stored = self._stored_head()
        for key in self._store.keys(f"{self._scope}/events/"):
            self._look_at(key)
            if stored and self._head.number == stored[0].number and self._at_stored is None:
                self._at_stored = self._head
        self._compare_heads(stored)
        self._look_for_lag()
        if isinstance(self._store, Keeping):
            self._problems.extend(self._store.rewritten(f"{self._scope}/events/"))
        if not self._is_expected_found:
            self._problems.append(f"no event has the digest {self._expect}: the end was cut off, or written anew")
        return Verification(not self._problems, self._count, self._head.digest, tuple(self._shortened()))

    def _look_for_lag(self) -> None:
        """At most one event may lie beyond the head, read after the events."""
        now = self._stored_head()
        number = now[0].number if now else 0
        if self._head.number > number + 1:
            self._problems.append(f"the head stands at event {number}, and the last one is {self._head.number}")

    def _stored_head(self) -> tuple[Head, bool] | None:
        found = self._store.get(head_key(self._scope))
        try:
            return read_head(found[0]) if found else None
        except ValueError:
            return None  # as if it were missing: the events then lie beyond it

    def _look_at(self, key: str) -> None:
        number = self._head.number + 1
        if key > event_key(self._scope, number):
            number = self._skip_to(key, number)
        if key != event_key(self._scope, number):
            self._problems.append(f"{key} is not an event's key")
            return
        self._count += 1
        found = self._store.get(key)
        try:
            event = read_event(found[0] if found else b"")
        except ValueError as error:
            self._problems.append(f"event {number} {error}")
            self._head = self._head._replace(number=number, digest="")
            return
        self._problems.extend(self._faults(event, number))
        self._head = grown(self._head, event)._replace(number=number)
        self._is_expected_found = self._is_expected_found or event.digest.startswith(self._expect or GENESIS)

    def _skip_to(self, key: str, number: int) -> int:
        """The number in a key that comes too early: those between are missing. The digest before is then unknown."""
        digits = key.rpartition("/")[2].removesuffix(".json")
        if not (digits.isdecimal() and int(digits) > number and event_key(self._scope, int(digits)) == key):
            return number
        last = int(digits) - 1
        self._problems.append(
            f"event {number} is missing" if last == number else f"events {number} to {last} are missing"
        )
        self._head = self._head._replace(number=last, digest="")
        return last + 1

    def _faults(self, event: Event, number: int) -> Iterator[str]:
        if event.number != number:
            yield f"event {number} says that it is event {event.number}"
        if self._head.digest and event.previous != self._head.digest:
            yield f"event {number} does not follow on the one before"
        if event.token and event.token < self._head.token:
            yield f"event {number} was written under lease {event.token}, after lease {self._head.token}"

    def _compare_heads(self, stored: tuple[Head, bool] | None) -> None:
        if stored is None:
            return
        head, is_ours = stored
        if head.number > self._head.number:
            self._problems.append(f"the head stands at event {head.number}, and the last one is {self._head.number}")
            return
        recomputed = self._at_stored or EMPTY
        if (head.digest, head.token) != (recomputed.digest, recomputed.token):
            self._problems.append(f"the head's digest or token is not that of event {head.number}")
        elif is_ours and head.standing != recomputed.standing:
            self._problems.append("the head tells another standing than the events add up to")

    def _shortened(self) -> Iterator[str]:
        yield from self._problems[:MOST_PROBLEMS]
        if len(self._problems) > MOST_PROBLEMS:
            yield f"… and {len(self._problems) - MOST_PROBLEMS} more"
