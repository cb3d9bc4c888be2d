"""The workflows of docs/ci, for repositories on GitHub or GitLab."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

_PACKED = Path(__file__).parents[1] / "templates/ci"
_IN_THE_CHECKOUT = Path(__file__).parents[2] / "docs/ci"
PLACES = {"github": ".github/workflows/{}", "gitlab": "{}"}
"""Hub → where it looks for its files."""


def workflows(hub: str) -> Mapping[str, str]:
    """Path → text of the workflows for ``github`` or ``gitlab``; none for others."""
    folder = (_PACKED if _PACKED.is_dir() else _IN_THE_CHECKOUT) / hub
    if not hub or not folder.is_dir():
        return {}
    place = PLACES[hub]
    return {place.format(_named(file, hub)): file.read_text(encoding="utf-8") for file in sorted(folder.iterdir())}


def _named(file: Path, hub: str) -> str:
    return f".{file.name}" if hub == "gitlab" and not file.name.startswith(".") else file.name
