"""The store of one machine: a folder."""

from __future__ import annotations

from typing import Literal

from .base import Value


class DirectorySettings(Value):
    """``store: {kind: directory, path: …}``."""

    kind: Literal["directory"] = "directory"
    path: str | None = None
    """The folder, from the project's folder on if relative. By default ``store`` in the state folder of the
    environment."""
    shared: bool = False
    """Said by whoever knows it: everybody who deploys uses this very folder, on the one machine that deploys."""
