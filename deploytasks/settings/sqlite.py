"""A SQLite database that both colors share."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from .base import Duration
from .migrations import Migrations


class SqliteSettings(Migrations):
    """``database: {kind: sqlite, path: data/library.sqlite3, backups: data/backups, keep: 14, migrate: "…"}``."""

    kind: Literal["sqlite"] = "sqlite"
    path: Annotated[str, Field(min_length=1)]
    """The database file, relative to the project."""
    backups: Annotated[str, Field(min_length=1)] | None = None
    """The folder of copies, relative to the project; ``backups`` in the state folder, when nothing is said."""
    keep: Annotated[int, Field(ge=1, le=10_000)] = 14
    """How many copies stay."""
    marker: Annotated[str, Field(min_length=1)] | None = None
    """A file whose presence says that something else works on the database, relative to the project. Migrations that
    we run ourselves are known without it."""
    patience: Annotated[Duration, Field(gt=0, le=60)] = 2.0
    """Seconds to wait for another writer before it counts as being at work."""
