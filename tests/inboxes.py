"""Recipients that keep what they were told in a file, so that several processes may tell the same one."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from deploytasks.bulletins import Bulletin, Memory, Sending, Severity, reaches
from deploytasks.errors import Undeliverable, Unreachable
from deploytasks.ledger import Holder, Ledger
from deploytasks.outbox.courier import Courier, Opened
from deploytasks.outbox.delivery import Delivery, Me
from deploytasks.outbox.place import Places
from deploytasks.outbox.story import About
from deploytasks.outbox.tape import Tape
from deploytasks.ports import Finding, Store
from deploytasks.providers.directory import DirectoryStore
from deploytasks.providers.identity import identity, is_alive
from deploytasks.providers.site import Site
from deploytasks.settings.directory import DirectorySettings

ABOUT = About("library", "test", protected=True)


class Inbox:
    """Writes each message down as a line, with its number, change and headline.

    ``before``: called before each is taken; what it raises, or where it hangs, is what happens then.
    """

    def __init__(
        self, file: Path, before: Callable[[Bulletin], None] = lambda bulletin: None, least: Severity = "info"
    ) -> None:
        self.file = file
        self.before = before
        self.least = least
        self.after: Callable[[Bulletin], None] = lambda bulletin: None

    def sending(self, bulletin: Bulletin, memory: Memory) -> Sending | None:
        if not reaches(bulletin, self.least):
            return None
        return Sending(f"to {self.file.stem}: {bulletin.headline}", lambda within: self._take(bulletin, memory))

    def _take(self, bulletin: Bulletin, memory: Memory) -> Memory:
        self.before(bulletin)
        line = json.dumps([bulletin.number, bulletin.change, bulletin.headline, bulletin.severity])
        handle = os.open(self.file, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.write(handle, f"{line}\n".encode())
        os.close(handle)
        self.after(bulletin)
        return {"count": int(str(memory.get("count", 0))) + 1}

    def diagnose(self) -> Sequence[Finding]:
        return [Finding(self.file.stem, "ok", "in a file")]

    @property
    def lines(self) -> list[list[Any]]:
        """What it was told."""
        return [json.loads(line) for line in self.file.read_text().splitlines()] if self.file.exists() else []

    @property
    def changes(self) -> list[str]:
        """The changes that it was told, in order."""
        return [line[1] for line in self.lines]

    @property
    def numbers(self) -> list[int]:
        """The numbers of the events that it was told of, in order."""
        return [line[0] for line in self.lines]


def silent(bulletin: Bulletin) -> None:
    """Nobody answers."""
    raise Unreachable("it is silent")


def refusing(*words: str) -> Callable[[Bulletin], None]:
    """Refuses what has one of these words in its headline."""

    def refuse(bulletin: Bulletin) -> None:
        if any(word in bulletin.headline for word in words):
            raise Undeliverable("it does not like that")

    return refuse


class Hanging:
    """Hangs until it is let go."""

    def __init__(self) -> None:
        self.began = threading.Event()
        self.go = threading.Event()

    def __call__(self, bulletin: Bulletin) -> None:
        self.began.set()
        self.go.wait(30)


class WallClock:
    """A time that tests move."""

    def __init__(self) -> None:
        self.at = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at

    def pass_by(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


class Office:
    """A ledger in a folder, and what is needed to tell its news. ``now``: the wall's clock."""

    def __init__(self, folder: Path, now: Callable[[], datetime] | None = None) -> None:
        self.folder = folder
        self.now = now or WallClock()
        self.store: Store = store(folder)
        self.ledger = Ledger(self.store, "library/test", "ann@desk", self.now)
        self.places = Places(self.store, "library/test")

    def me(self, place: str = "here") -> Me:
        """A process; one at another ``place`` cannot tell whether this one lives."""
        return Me(Holder.here("ann@desk", identity)._replace(place=place), is_alive, self.now)

    def delivery(self, inbox: Inbox, place: str = "here", name: str = "") -> Delivery:
        """Somebody who tells one recipient; each has read nothing yet."""
        tape = Tape(Ledger(store(self.folder), "library/test", "ann@desk", self.now), ABOUT)
        return Delivery(
            name or inbox.file.stem, inbox, Places(store(self.folder), "library/test"), tape, self.me(place)
        )

    def courier(self, *inboxes: Inbox, unopened: Mapping[str, str] | None = None) -> Courier:
        """Tells them all beside us."""

        def opened() -> Opened:
            tape = Tape(Ledger(store(self.folder), "library/test", "ann@desk", self.now), ABOUT)
            known = {inbox.file.stem: inbox for inbox in inboxes}
            return Opened(known, unopened or {}, tape, Places(store(self.folder), "library/test"), self.me())

        return Courier(opened)

    def inbox(self, name: str = "slack", before: Callable[[Bulletin], None] = lambda bulletin: None) -> Inbox:
        """A recipient."""
        return Inbox(self.folder / f"{name}.told", before)

    def announce(self, *names: str) -> list[int]:
        """Record news, one for each name; their numbers."""
        return [self.ledger.append("announced", {"event": "note", "message": name}).number for name in names]

    @property
    def last(self) -> int:
        """The number of the last event."""
        return self.ledger.head().number


def store(folder: Path) -> DirectoryStore:
    """A way to the store of its own."""
    site = Site("library", "test", folder, folder / "state", None, "ann@desk", {})
    return DirectoryStore(DirectorySettings(kind="directory", path=str(folder / "ledger")), site)
