"""Reading ahead: who reads one event after the other gets a hundred at once, or a history would take minutes.

Only events are kept, which never change once they are there; and each is handed out once.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .table import pattern

if TYPE_CHECKING:
    from ...ports import Tag
    from .line import Line
    from .table import Table

_EVENT = re.compile(r"(.*/events/)([0-9]{12})\.json")
_AT_ONCE = 100

Found = tuple[bytes, "Tag"]


class Ahead:
    """Values by their keys, over a line."""

    def __init__(self, line: Line, table: Table) -> None:
        self._line = line
        self._table = table
        self._next = ""
        """The key that would follow on the one read last."""
        self._known: dict[str, Found] = {}

    def get(self, key: str) -> Found | None:
        """The value and its tag, or ``None``. Raises as ``Line.ask``."""
        is_next, self._next = key == self._next, _following(key) or self._next
        found = self._known.pop(key, None)
        if found is not None:
            return found
        if is_next:
            return self._read_on(key)
        rows = self._line.ask(self._table.read, [key], "nothing was changed").rows
        return (bytes(rows[0][0]), rows[0][1]) if rows else None

    def _read_on(self, key: str) -> Found | None:
        folder = key.rpartition("/")[0]
        rows = self._line.ask(self._table.read_on, [key, pattern(f"{folder}/"), _AT_ONCE], "nothing was changed").rows
        self._known = {row[0]: (bytes(row[1]), row[2]) for row in rows}
        return self._known.pop(key, None)


def _following(key: str) -> str | None:
    """The key of the event after this one; ``None`` when this is no event's."""
    found = _EVENT.fullmatch(key)
    return f"{found[1]}{int(found[2]) + 1:012}.json" if found else None
