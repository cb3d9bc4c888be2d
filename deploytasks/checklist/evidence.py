"""Evidence in the ledger: what was proven, of which exact content, by which command, and for how long it counts."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..ledger.projections import Evidence, Standing

FRESH = timedelta(hours=24)


def key(digest: str, command: str) -> str:
    """What the evidence is about: this content, proven by this command. SHA-256 (hex)."""
    return hashlib.sha256(json.dumps([digest, command]).encode()).hexdigest()


def fresh(standing: Standing, item: str, about: str, now: datetime) -> Evidence | None:
    """The evidence for exactly this, if there is any that is not older than a day."""
    for found in standing.evidence:
        if found.item == item and found.key == about and now - found.at <= FRESH:
            return found
    return None
