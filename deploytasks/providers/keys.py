"""What may be a key of a store: the same everywhere, so that a ledger can move."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ..errors import UsageError

_SEGMENT = re.compile(r"[\w@+=,-][\w@+=,. -]*")
_LONGEST = 200
"""Characters, between two slashes."""


def segments(key: str) -> Sequence[str]:
    """The parts of a key, between its slashes. Raises ``UsageError`` for what is none."""
    found = key.split("/")
    if not all(_SEGMENT.fullmatch(segment) and len(segment) <= _LONGEST for segment in found):
        raise UsageError(
            f"{key!r} cannot be a key of the store",
            do="use letters, digits and -_.@+=, in the names of application and environment",
        )
    return found
