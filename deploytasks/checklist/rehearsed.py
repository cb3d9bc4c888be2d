"""What a rehearsal of the migrations has shown: whether they went through on a copy, and how long they took."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from . import evidence

if TYPE_CHECKING:
    from ..ledger.projections import Evidence
    from ..settings.base import Value
    from .subject import Subject

ITEM = "rehearsal"
"""Of the evidence that ``inv rehearse`` leaves."""


def command(database: Value | None) -> str:
    """What migrates a copy; empty when nothing is configured."""
    own = getattr(getattr(database, "rehearsal", None), "command", None)
    return str(own or getattr(database, "migrate", None) or "")


def about(digest: str, database: Value | None) -> str:
    """The key of the evidence: this content, migrated by this command."""
    return evidence.key(digest, command(database))


def found(of: Subject, database: Value | None) -> Evidence | None:
    """The last rehearsal of exactly this content, however old. Raises ``Unreachable``."""
    if of.release is None:
        return None
    seen = of.standing.evidence_of(ITEM)
    return seen if seen is not None and seen.key == about(of.release.digest, database) else None


def detail(seconds: float, size: int, copy: str, migrations: int) -> str:
    """How a rehearsal is told; ``seconds_of`` reads the number again."""
    many = "1 migration" if migrations == 1 else f"{migrations} migrations"
    return f"{seconds:.1f} s for {many} on a copy of {size / 1e6:.1f} MB ({copy})"


def seconds_of(told: str) -> float | None:
    """How long a rehearsal took, from its ``detail``."""
    number = re.match(r"(\d+(?:\.\d+)?) s ", told)
    return float(number[1]) if number else None
