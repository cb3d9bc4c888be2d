"""What a template leaves to whoever adopts it: texts in ``<…>``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

_PLACEHOLDER = re.compile(r"<[^<>]+>")


def unfilled(given: Any, path: str) -> Iterator[str]:
    """One mistake for each text that is still to be filled in, with its path."""
    if isinstance(given, dict):
        for key, value in given.items():
            yield from unfilled(value, f"{path}.{key}")
    elif isinstance(given, list):
        for at, value in enumerate(given):
            yield from unfilled(value, f"{path}[{at}]")
    elif isinstance(given, str) and _PLACEHOLDER.fullmatch(given):
        yield f"{path}: {given} is to be filled in"
