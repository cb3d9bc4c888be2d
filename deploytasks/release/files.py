"""Tracked files, replaced whole or not at all, with their permissions."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from .. import durable


def content(file: Path) -> bytes | None:
    """What is in it; ``None`` when it is not there."""
    try:
        return file.read_bytes()
    except FileNotFoundError:
        return None


def aside(file: Path, name: str) -> Path:
    """Where the new content is written before it takes the file's place; ``name``: the release's, to know it again."""
    return file.with_name(f".{name}-{file.name}"[:200])


def replace(file: Path, new: bytes, name: str) -> None:
    """Give a file another content. Raises ``OSError``; the file is whole then, old or new."""
    beside = aside(file, name)
    beside.unlink(missing_ok=True)
    try:
        handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(handle, "wb") as opened:
            opened.write(new)
            opened.flush()
            os.fsync(opened.fileno())
        beside.chmod(_mode(file))
        beside.replace(file)
        durable.sync_folder(file.parent)
    finally:
        with suppress(OSError):
            beside.unlink(missing_ok=True)


def _mode(file: Path) -> int:
    try:
        return file.stat().st_mode & 0o7777
    except FileNotFoundError:
        return 0o644
