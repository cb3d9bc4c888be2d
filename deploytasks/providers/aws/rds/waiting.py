"""Waiting for what RDS does by itself: by looking, with a word about how far it is, and never for ever."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

from ....errors import Unreachable

_SILENCES = 10
"""Looks in a row that may fail while one waits: a wait of hours outlives a bad minute."""


class Over(Unreachable):
    """What was waited for will not come by itself."""


class Wait(Protocol):
    """See ``Waiting.until``."""

    def until(self, look: Callable[[], str | None], what: str) -> None: ...


class Waiting:
    """Until ``timeout`` seconds are over. ``hear`` is told how far it is, whenever that has changed."""

    def __init__(self, timeout: float, poll: float, hear: Callable[[str], None]) -> None:
        self._timeout = timeout
        self._until = time.monotonic() + timeout
        self._poll = poll
        self._hear = hear
        self._said = ""

    def until(self, look: Callable[[], str | None], what: str) -> None:
        """Look until that returns ``None``; otherwise it returns how far it is, in a few words.

        ``what`` is waited for: ``the snapshot shop-1``. Raises ``Unreachable`` when the time is over, with the last
        word; and what ``look`` raises, but for a few silences once it has answered.
        """
        far, silences = "", _SILENCES
        while True:
            try:
                found = look()
            except Over:
                raise
            except Unreachable:
                silences += 1
                if silences > _SILENCES:
                    raise
            else:
                if found is None:
                    return
                far, silences = found, 0
                self._say(f"{what}: {far}")
            if time.monotonic() + self._poll > self._until:
                raise Unreachable(
                    f"{what} is not done after {self._timeout:g} s: {far}",
                    state="AWS goes on with it",
                    do="`inv resume` goes on with it; `database.within` gives it longer",
                )
            time.sleep(self._poll)

    def _say(self, text: str) -> None:
        if text != self._said:
            self._said = text
            with suppress(Exception):  # whoever listens must not stop it
                self._hear(text)


def is_well(status: str) -> bool:
    """Whether a database works and nothing is being done to it. ``storage-optimization`` lasts for hours, and hinders
    neither a snapshot nor a change."""
    return status in ("available", "storage-optimization")


def is_broken(status: str) -> bool:
    """Whether a database will not become available by itself."""
    return status in _BROKEN or status.startswith(("incompatible-", "inaccessible-encryption", "insufficient-"))


_BROKEN = frozenset({"failed", "deleting", "deleted", "restore-error", "storage-full", "stopped", "stopping"})
