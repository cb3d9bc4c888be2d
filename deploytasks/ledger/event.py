"""An event as bytes: canonical JSON, chained to the one before by SHA-256.

The digest of an event covers everything but itself, the digest of the event before included. So whoever knows
one digest can tell whether anything up to there was changed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime

from ..ports import Digest, Event, Json
from .facts import instant, part, text, whole

GENESIS: Digest = "0" * 64
"""What the first event has for the digest of the one before."""

_FIELDS = {"at", "digest", "facts", "kind", "number", "previous", "token", "who"}


def canonical(value: Json) -> bytes:
    """The one way to write a JSON value: sorted keys, no blanks, UTF-8.

    A lone surrogate, as in file names that are not UTF-8, stays escaped. Raises ``ValueError`` for NaN and
    infinities, ``TypeError`` for what JSON cannot hold.
    """
    written = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return written.encode("utf-8", "backslashreplace")


def instant_text(at: datetime) -> str:
    """An aware instant as ISO 8601, UTC, with microseconds, so that texts sort like instants."""
    if at.tzinfo is None:
        raise ValueError(f"{at} has no time zone")
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def chained(
    number: int, previous: Digest, at: datetime, kind: str, facts: Mapping[str, Json], who: str, token: int
) -> tuple[Event, bytes]:
    """A new event and its bytes. Its facts are as they will be read back: tuples have become lists."""
    body: dict[str, Json] = {
        "number": number,
        "at": instant_text(at),
        "kind": kind,
        "facts": facts,
        "who": who,
        "token": token,
        "previous": previous,
    }
    document = canonical({**body, "digest": _digest(body)})
    return read_event(document), document


def read_event(document: bytes) -> Event:
    """The event in these bytes. Raises ``ValueError``, with the reason, unless they are exactly what was written."""
    try:
        found = json.loads(document)
        body = {name: value for name, value in found.items() if name != "digest"}
        is_canonical = canonical(found) == document
    except (ValueError, AttributeError, RecursionError):
        raise ValueError("is not an event") from None
    at = instant(found, "at")
    if set(found) != _FIELDS or at is None or not isinstance(found["facts"], dict):
        raise ValueError("is not an event")
    if not is_canonical or _digest(body) != found["digest"]:
        raise ValueError("was changed: its digest does not fit its content")
    return Event(
        number=whole(found, "number"),
        at=at,
        kind=text(found, "kind"),
        facts=part(found, "facts"),
        who=text(found, "who"),
        token=whole(found, "token"),
        previous=text(found, "previous"),
        digest=text(found, "digest"),
    )


def _digest(body: Mapping[str, Json]) -> Digest:
    return hashlib.sha256(canonical(body)).hexdigest()
