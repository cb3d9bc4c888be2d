"""Who is behind the ids that the ledger has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..paint import Paint, table
from .reading import fields, word


def people(answer: Mapping[str, Any], paint: Paint) -> list[str]:
    """One line per id."""
    rows = [(key, str(name)) for key, name in fields(answer, "people").items()]
    heading = f"people and machines in {word(answer, 'file')}"
    return [paint(heading, "bold"), *(table(rows, "  ") if rows else ["  nobody yet"])]
