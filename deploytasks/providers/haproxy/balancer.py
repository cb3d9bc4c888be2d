"""What one HAProxy is to us: two maps, in force and on disk, and a socket that answers."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from ...errors import SplitMoved, Unreachable
from .keys import Keys, in_words


class Table(NamedTuple):
    """One map: what HAProxy calls it, and the file it is loaded from (``None``: out of our reach)."""

    map: str
    file: str | None


class Differs(SplitMoved):
    """A compare-and-swap found other keys than it expected; nothing was written."""

    def __init__(self, name: str, found: Keys) -> None:
        super().__init__(f"haproxy at {name} uses other keys than expected: {in_words(found)}")
        self.found = found


class Silent(Unreachable):
    """HAProxy itself does not answer, though its host may."""


class Busy(Unreachable):
    """Another process holds the lock; nothing was written."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"another process is writing to haproxy at {name}",
            state="nothing was written",
            do="try again when it is done",
        )


class Balancer(Protocol):
    """One HAProxy. All methods raise ``Unreachable`` when it does not do it within ``timeout`` seconds."""

    name: str
    split: Table
    maintenance: Table

    def ask(self, command: str, timeout: float) -> str:
        """Send one command to the runtime API; its answer."""

    def in_force(self, table: Table, timeout: float) -> Keys:
        """The keys that HAProxy uses now."""

    def kept(self, table: Table, timeout: float) -> Keys:
        """The keys in the file, which HAProxy uses when it starts."""

    def write(self, table: Table, keys: Keys, timeout: float, expect: Keys | None = None) -> None:
        """Replace all keys of a map, in force and on disk, durably.

        With ``expect``, under the lock of the map's folder: raises ``Differs`` when HAProxy uses other keys, ``Busy``
        when the lock is not to be had, and leaves everything as it was when anything fails. Without, it goes as far
        as it can: traffic first, then the file; a HAProxy that is down finds the keys when it starts.
        """
