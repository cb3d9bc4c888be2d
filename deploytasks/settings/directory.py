"""The store of one machine: a folder."""

from __future__ import annotations

from typing import Literal

from .base import Value


class DirectorySettings(Value):
    """``store: {kind: directory, path: …}``."""

    kind: Literal["directory"] = "directory"
    path: str | None = None
    """The folder; by default ``store`` in the environment's state folder."""
    shared: bool = False
    """Say it where everybody who deploys does so from this one machine: a protected environment refuses a folder
    otherwise, since nobody elsewhere would see its lease. A rollback is never refused."""
