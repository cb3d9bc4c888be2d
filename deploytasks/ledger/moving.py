"""A ledger as a file, to move it between stores: JSON lines, a header and then each event exactly as it was recorded.

A file is checked whole before anything of it is written. What a ledger has already is compared, and only what it lacks
is added: an import that broke off is just repeated. Leases stay where they are; the head is folded anew.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, NamedTuple

from ..errors import Conflict, GateRefused, Unreachable, UsageError
from ..ports import Digest, Event, Json
from .chain import EMPTY, Head, Ledger, event_key, grown, head_key, write_head
from .event import GENESIS, canonical, read_event
from .facts import text, whole

FORMAT = 1
_HEAD_EVERY = 100
"""Events between two writes of the head: so many are folded again when an import breaks off."""


class Header(NamedTuple):
    """The first line of a file: whose ledger it is, how many events it has, and the digest of the last."""

    scope: str
    count: int  # type: ignore[assignment]  # a tuple's method has this name as well, and nobody counts in this one
    head: Digest
    about: Mapping[str, Json]
    """When, by whom, from which kind of store."""


def export(ledger: Ledger, about: Mapping[str, Json]) -> Iterator[bytes]:
    """The lines of a file, up to the head as it stands now. Raises ``Unreachable`` when the chain is broken."""
    head = ledger.head()
    header: dict[str, Json] = {**about, "ledger": ledger.scope, "format": FORMAT}
    yield canonical({**header, "events": head.number, "head": head.digest}) + b"\n"
    previous = GENESIS
    for number in range(1, head.number + 1):
        found = ledger.store.get(event_key(ledger.scope, number))
        try:
            event = _following(found[0] if found else b"", number, previous)
        except ValueError as error:
            raise Unreachable(
                f"the ledger of {ledger.scope} is broken: event {number} {error}",
                state="nothing was changed",
                do="`inv history --verify` lists all that is wrong",
            ) from None
        previous = event.digest
        yield (found or (b"",))[0] + b"\n"
    if previous != head.digest:
        raise Unreachable(f"the ledger of {ledger.scope} is broken: its head is not the digest of its last event")


def checked(file: Path) -> Header:
    """The header of a file whose every line was checked. Raises ``UsageError`` with the line that is wrong."""
    with _opened(file) as lines:
        header = _header(file, lines.readline())
        number, head = 0, GENESIS
        for event, _ in _events(file, lines):
            number, head = event.number, event.digest
    if (number, head) != (header.count, header.head):
        raise _unusable(file, f"it has {number} events of {header.count}: it was cut off, or changed")
    return header


def missing(ledger: Ledger, file: Path, header: Header) -> int:
    """How many of a file's events the ledger does not have yet.

    Raises ``GateRefused`` when the two tell different stories: nothing of one belongs into the other.
    """
    head = ledger.head()
    common = min(head.number, header.count)
    if common and _digest_in_file(file, common) != _digest_in(ledger, head, common):
        raise GateRefused(
            f"the ledger of {ledger.scope} has {head.number} events that are not those of {file.name}",
            state="nothing was changed",
            do="import into an empty store: set `store` to another folder or table",
        )
    return header.count - common


def adopt(ledger: Ledger, file: Path) -> None:
    """Write the events of a checked file that the ledger lacks, in order. Under the lease. Can be repeated."""
    head = ledger.head()
    with _opened(file) as lines:
        lines.readline()
        for event, document in _events(file, lines):
            if event.number > head.number:
                _put(ledger, event, document)
                head = grown(head, event)
                if event.number % _HEAD_EVERY == 0:
                    _move_head(ledger, head)
    _move_head(ledger, head)


def _put(ledger: Ledger, event: Event, document: bytes) -> None:
    key = event_key(ledger.scope, event.number)
    try:
        ledger.store.put(key, document, None)
    except Conflict:
        if (ledger.store.get(key) or (b"",))[0] != document:
            raise GateRefused(
                f"somebody else recorded event {event.number} of {ledger.scope} meanwhile",
                state="what was imported before it stays",
                do="import into an empty store, while nobody is at work",
            ) from None


def _move_head(ledger: Ledger, head: Head) -> None:
    found = ledger.store.get(head_key(ledger.scope))
    if head != EMPTY:
        with suppress(Conflict):  # somebody appended after the last of ours, and took it into the head
            ledger.store.put(head_key(ledger.scope), write_head(head), found[1] if found else None)


def _digest_in(ledger: Ledger, head: Head, number: int) -> Digest:
    if number == head.number:
        return head.digest
    return next(ledger.events(after=number - 1)).digest


def _digest_in_file(file: Path, number: int) -> Digest:
    with _opened(file) as lines:
        lines.readline()
        return next(event.digest for event, _ in _events(file, lines) if event.number == number)


def _events(file: Path, lines: BinaryIO) -> Iterator[tuple[Event, bytes]]:
    """The events after the header, each with its bytes, each following on the one before."""
    previous = GENESIS
    for number, line in enumerate(lines, 1):
        document = line.removesuffix(b"\n")
        try:
            event = _following(document, number, previous)
        except ValueError as error:
            raise _unusable(file, f"line {number + 1}: event {number} {error}") from None
        previous = event.digest
        yield event, document


def _following(document: bytes, number: int, previous: Digest) -> Event:
    """The event in these bytes. Raises ``ValueError`` when it is not the one that follows."""
    event = read_event(document)
    if (event.number, event.previous) != (number, previous):
        raise ValueError("does not follow on the one before")
    return event


def _header(file: Path, line: bytes) -> Header:
    try:
        found = json.loads(line)
    except ValueError:
        found = None
    if not isinstance(found, dict) or not text(found, "ledger"):
        raise _unusable(file, "its first line is no header")
    if found.get("format") != FORMAT:
        raise _unusable(file, f"its format is {found.get('format')!r}, and this version reads {FORMAT}")
    return Header(text(found, "ledger"), whole(found, "events"), text(found, "head"), found)


def _opened(file: Path) -> BinaryIO:
    try:
        return file.open("rb")
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}") from None


def _unusable(file: Path, why: str) -> UsageError:
    return UsageError(
        f"{file.name} is no ledger that could be imported: {why}",
        state="nothing was changed",
        do="export it again: inv history --export FILE",
    )
