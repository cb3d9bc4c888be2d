"""Answers that go to a file: there whole, or not at all."""

from __future__ import annotations

from pathlib import Path

from ..durable import make_folder, written_aside
from ..errors import UsageError


def written(given: str, content: bytes, name: str, *, option: str = "--html") -> Path:
    """Write a file, readable for its owner only: it says who did what. ``given``: the file, or a folder, in which it
    is called ``name``. Raises ``UsageError`` when it cannot be written there."""
    file = Path(given).expanduser()
    file = file / name if file.is_dir() else file
    try:
        make_folder(file.absolute().parent)
        with written_aside(file.absolute().parent, content, 0o600) as aside:
            aside.replace(file)
    except OSError as error:
        why = error.strerror or str(error)
        raise UsageError(f"{file} cannot be written: {why}", do=f"say another file with {option}") from error
    return file
