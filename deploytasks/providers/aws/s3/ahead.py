"""Reading ahead: who reads event after event has the next ones fetched at once, or a history would take minutes.

Only events are kept, which never change once they are there; and each is handed out once. That one is not there yet is
never kept.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .bucket import Bucket, Found

_EVENT = re.compile(r"(.*/events/)([0-9]{12})\.json")
_AT_ONCE = 16


class Ahead:
    """Objects by their keys."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket
        self._next = ""
        """The key that would follow on the one read last."""
        self._in_turn = 0
        self._known: dict[str, Found] = {}

    def get(self, key: str) -> Found | None:
        """What is there now. Raises as ``Bucket.get``."""
        self._in_turn = self._in_turn + 1 if key == self._next else 0
        self._next = next(iter(_following(key, 1)), self._next)
        found = self._known.pop(key, None)
        if found is not None:
            return found
        return self._read_on(key) if self._in_turn > 1 else self._bucket.get(key)

    def _read_on(self, key: str) -> Found | None:
        keys = [key, *_following(key, _AT_ONCE - 1)]
        with ThreadPoolExecutor(_AT_ONCE, "read ahead") as readers:
            found = dict(zip(keys, readers.map(self._bucket.get, keys), strict=True))
        self._known = {name: each for name, each in found.items() if each is not None}
        return self._known.pop(key, None)


def _following(key: str, count: int) -> Sequence[str]:
    """The keys of the events after this one; none when this is no event's."""
    found = _EVENT.fullmatch(key)
    if found is None:
        return ()
    return [f"{found[1]}{int(found[2]) + number:012}.json" for number in range(1, count + 1)]
