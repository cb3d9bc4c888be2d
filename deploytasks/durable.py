"""Files that are either there, whole, or not there: also after ``kill -9``, also after a power cut.

The recipe (see "Files are hard", danluu.com/file-consistency): write beside, fsync the file, rename or link it
to its place, fsync the folder. All of it raises ``OSError``; callers put it into their own words.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


def make_folder(folder: Path, mode: int = 0o777) -> None:
    """Make a folder and those above it, durably; fine when it is there. ``mode`` is for the last one."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    with suppress(FileExistsError):  # another process made it just now; a file in its place shows on first use
        folder.mkdir(mode)
    sync_folder(folder.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def written_aside(folder: Path, content: bytes, mode: int = 0o666) -> Iterator[Path]:
    """A new file in ``folder`` with this content, on disk. The body links or renames it to its place; what is
    left of it afterwards is deleted. Its name starts with a dot."""
    aside = folder / f".{os.getpid()}-{os.urandom(6).hex()}"
    try:
        handle = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
        try:
            _write_all(handle, content)
            os.fsync(handle)
        finally:
            os.close(handle)
        yield aside
    finally:
        with suppress(OSError):
            aside.unlink()


def _write_all(handle: int, content: bytes) -> None:
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(handle, rest) :]


@contextmanager
def locked(file: Path, patience: float) -> Iterator[None]:
    """Hold an exclusive ``flock`` on a file, which is made if needed. Between processes and between threads.

    Raises ``TimeoutError`` after ``patience`` seconds: whoever holds it may have been stopped, and would hold it
    for ever.
    """
    handle = os.open(file, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        if not lock_within(handle, patience):
            raise TimeoutError(f"{file} stays locked by another process")
        yield
    finally:
        os.close(handle)


def lock_within(handle: int, patience: float, bearing: type[OSError] = BlockingIOError) -> bool:
    """Take an exclusive ``flock`` on an open file, and say whether we got it within ``patience`` seconds.

    ``bearing``: the errors that are waited out; any other is raised. ``OSError`` is for those who would rather go on
    without a lock than not at all.
    """
    until = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except bearing:
            if time.monotonic() >= until:
                return False
            time.sleep(0.001 + jitter() * 0.004)
        else:
            return True


def jitter() -> float:
    """A random number from 0 to 1, so that those who collided do not collide again."""
    # The module ``random`` takes milliseconds to import, and a rollback pays for them.
    return int.from_bytes(os.urandom(2)) / 65535
