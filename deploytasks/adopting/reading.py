"""Reading the files of a repository that is not ours."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path


def read(file: Path) -> str:
    """A text; nothing where there is none, or none that can be read. Nobody waits for what a pipe may say."""
    with suppress(OSError, UnicodeDecodeError):
        return file.read_text(encoding="utf-8") if file.is_file() else ""
    return ""
