"""Keeps secret values out of everything that is recorded or shown."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any

_SECRET_NAME = re.compile(
    r"TOKEN|SECRET|PASSWORD|PASSWD|API_?KEY|ACCESS_?KEY|WEBHOOK|CREDENTIAL|PRIVATE", re.IGNORECASE
)
_IN_A_URL = re.compile(r"(?<=://)([^\s/@:'\"]*):(?![$*])[^\s/@'\"]+(?=@)")
"""``user:password`` of a URL, whoever wrote that: a command that somebody typed may hold one that nobody knows. What
the shell fills in is none."""
_SHORTEST = 6
"""Shorter values would blacken ordinary words."""
_told: set[str] = set()
"""Secrets that no variable's name gives away."""


def hide(*values: str) -> None:
    """Count these as secret from now on: what was read from a password file, or out of a URL."""
    _told.update(value for value in values if len(value) >= _SHORTEST)


def secrets() -> tuple[str, ...]:
    """Values of environment variables whose names say that they are secret, and those hidden; longest first."""
    named = {value for name, value in os.environ.items() if _SECRET_NAME.search(name) and len(value) >= _SHORTEST}
    return tuple(sorted(named | _told, key=len, reverse=True))


def clean(value: Any, hidden: tuple[str, ...] | None = None) -> Any:
    """The same plain data with every secret value replaced by ``***``."""
    hidden = secrets() if hidden is None else hidden
    if isinstance(value, str):
        for secret in hidden:
            value = value.replace(secret, "***")
        return _IN_A_URL.sub(r"\1:***", value) if "://" in value else value
    if isinstance(value, Mapping):
        return {key: clean(item, hidden) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [clean(item, hidden) for item in value]
    return value
