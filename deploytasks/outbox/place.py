"""How far one recipient was told: a document in the store, changed by comparing and swapping.

A claim says who is about to tell the next bulletin. It keeps two processes from telling the same one; whoever finds it
older than its time, or its holder dead, tells that bulletin again, with the same number.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import NamedTuple

from ..bulletins import Memory
from ..errors import Unreachable
from ..ledger.event import canonical, instant_text
from ..ledger.facts import Facts, instant, part, text, whole
from ..ledger.holder import Holder
from ..ports import Json, Store, Tag
from .story import Story, from_json, to_json

TTL = 60.0
"""Seconds after which a claim counts no longer, by the wall's clock: far more than sending takes, so that clocks may
differ by half of it."""


class Claim(NamedTuple):
    """Who is about to tell the next bulletin, and until when nobody else does."""

    holder: Holder
    until: datetime
    mark: str
    """Of whoever tells in that process; there may be several."""

    def counts(self, now: datetime, me: Holder, is_alive: Callable[[str], bool]) -> bool:
        """Whether its holder is about to tell: not past its time, and not surely dead. A time that is too far away is
        that of a clock that nobody should wait for."""
        known = self.holder
        means_the_same = (known.host, known.place) == (me.host, me.place) and known.identity != ""
        is_dead = means_the_same and not is_alive(known.identity)
        return now < self.until <= now + 2 * timedelta(seconds=TTL) and not is_dead


class Trouble(NamedTuple):
    """Why the next bulletin could not be told, and since when."""

    why: str
    since: datetime


class Place(NamedTuple):
    """How far a recipient was told, and what it remembers. ``upto``: the number of an event."""

    upto: int
    memory: Memory = MappingProxyType({})
    story: Story | None = None
    """After that event; ``None`` when another version of this code wrote it."""
    claim: Claim | None = None
    trouble: Trouble | None = None


class Places:
    """The places of all recipients of one ``scope``, ``application/environment``."""

    def __init__(self, store: Store, scope: str) -> None:
        self._store = store
        self._scope = scope

    def read(self, name: str) -> tuple[Place, Tag] | None:
        """The place of a recipient and its tag; ``None``: nobody told it anything yet. Raises ``Unreachable``."""
        found = self._store.get(self._key(name))
        if found is None:
            return None
        try:
            return _read(json.loads(found[0])), found[1]
        except ValueError:
            raise Unreachable(
                f"the place of {name} in the outbox is unreadable",
                state="nothing was told",
                do=f"delete {self._key(name)} from the store: then it is told what happened lately",
            ) from None

    def write(self, name: str, place: Place, expect: Tag | None) -> Tag:
        """Write it where it still has this tag; raises ``Conflict`` where it has not, and ``Unreachable``."""
        return self._store.put(self._key(name), _written(place), expect)

    def _key(self, name: str) -> str:
        return f"{self._scope}/outbox/{name}.json"


def _written(place: Place) -> bytes:
    document: dict[str, Json] = {
        "upto": place.upto,
        "memory": dict(place.memory),
        "story": to_json(place.story) if place.story else None,
        "claim": _claim_written(place.claim) if place.claim else None,
        "trouble": {"why": place.trouble.why, "since": instant_text(place.trouble.since)} if place.trouble else None,
    }
    return canonical(document)


def _claim_written(claim: Claim) -> dict[str, Json]:
    of = claim.holder
    known: dict[str, Json] = {"who": of.who, "host": of.host, "pid": of.pid, "identity": of.identity, "place": of.place}
    return {**known, "until": instant_text(claim.until), "mark": claim.mark}


def _read(found: Facts) -> Place:
    if not isinstance(found, dict) or not isinstance(found.get("upto"), int):
        raise ValueError("is not a place")
    trouble, since = part(found, "trouble"), instant(part(found, "trouble"), "since")
    return Place(
        upto=whole(found, "upto"),
        memory=dict(part(found, "memory")),
        story=from_json(part(found, "story")) if found.get("story") else None,
        claim=_claim_read(part(found, "claim")),
        trouble=Trouble(text(trouble, "why"), since) if since else None,
    )


def _claim_read(found: Facts) -> Claim | None:
    until = instant(found, "until")
    if until is None:
        return None
    known = {name: text(found, name) for name in ("who", "host", "identity", "place")}
    return Claim(Holder(pid=whole(found, "pid"), **known), until, text(found, "mark"))
