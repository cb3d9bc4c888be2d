"""Evidence in the ledger: what was proven, of which exact content, by which command, and for how long it counts."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..ledger.projections import Evidence, Standing

FRESH = timedelta(hours=24)
SKEW = timedelta(minutes=10)
"""How far the clocks of two machines may be apart; what is dated later than that is believed by nobody."""


def key(digest: str, command: str) -> str:
    """What the evidence is about: this content, proven by this command. SHA-256 (hex)."""
    return hashlib.sha256(json.dumps([digest, command]).encode()).hexdigest()


def fresh(standing: Standing, item: str, about: str, now: datetime) -> Evidence | None:
    """The evidence for exactly this, if there is any that is not older than a day."""
    for found in standing.evidence:
        if found.item == item and found.key == about and is_within(found.at, FRESH, now):
            return found
    return None


def is_within(at: datetime, within: timedelta, now: datetime) -> bool:
    """Whether something happened at most so long ago, and does not lie in the future."""
    return -SKEW <= now - at <= within
