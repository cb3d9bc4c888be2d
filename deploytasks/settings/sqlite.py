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
    """The database file; relative to the project."""
    backups: Annotated[str, Field(min_length=1)] | None = None
    """The folder of copies; by default ``backups`` in the environment's state folder. Relative to the project."""
    keep: Annotated[int, Field(ge=1, le=10_000)] = 14
    """How many copies stay."""
    marker: Annotated[str, Field(min_length=1)] | None = None
    """A file whose presence says that something else works on the database. Migrations that we run ourselves are known
    without it. Relative to the project."""
    patience: Annotated[Duration, Field(gt=0, le=60)] = 2.0
    """How long to wait for another writer before it counts as being at work."""
