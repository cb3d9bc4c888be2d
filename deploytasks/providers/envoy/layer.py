"""Envoy's runtime keys on disk: a folder per write, put in force by renaming one link.

Envoy watches the link ``current`` and reads the folder it names: one file per key (``split/blue`` holds
``90``), all keys of a write in force at once, kept over restarts of Envoy and of the machine, and writable
while Envoy is down. See "Runtime: file system layout" in Envoy's documentation.
"""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ...durable import lock_within
from .keys import Changes

SUBDIRECTORY = "app"
PATIENCE = 2.0
"""Seconds to wait for another writer."""


class Layer:
    """The runtime keys below ``root``. Without any write there are no keys."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.link = root / "current"

    def ensure(self) -> None:
        """Have something that Envoy can watch."""
        if not self.link.is_dir():
            self.write({})

    def read(self) -> dict[str, str]:
        """All keys as they stand on disk."""
        top = Path(os.path.realpath(self.link)) / SUBDIRECTORY
        files = (path for path in top.rglob("*") if path.is_file())
        return {".".join(path.relative_to(top).parts): path.read_text(encoding="utf-8").strip() for path in files}

    def write(self, changes: Changes) -> None:
        """Change these keys and leave the others; durable when it returns. Raises ``OSError``."""
        self.root.mkdir(parents=True, exist_ok=True)
        values = {**self.read(), **changes}
        before = os.path.realpath(self.link)
        fresh = self.root / f"{time.time_ns()}-{os.getpid()}"
        try:
            _fill(fresh, {key: value for key, value in values.items() if value is not None})
            link = self.root / f".{fresh.name}"
            link.symlink_to(fresh.name)
            link.replace(self.link)
        except OSError:
            shutil.rmtree(fresh, ignore_errors=True)
            raise
        _sync(self.root)
        self._remove_others(spare={fresh.name, Path(before).name})

    @contextmanager
    def locked(self) -> Iterator[bool]:
        """Hold the right to write, and say whether we got it within ``PATIENCE``."""
        self.root.mkdir(parents=True, exist_ok=True)
        handle = os.open(self.root, os.O_RDONLY | os.O_DIRECTORY)
        try:
            yield lock_within(handle, PATIENCE, bearing=OSError)
        finally:
            os.close(handle)

    def _remove_others(self, spare: set[str]) -> None:
        """The one before stays, too: Envoy may be reading it."""
        for entry in self.root.iterdir():
            if entry.name in spare or entry == self.link:
                continue
            if entry.is_symlink():
                with suppress(OSError):
                    entry.unlink()
            else:
                shutil.rmtree(entry, ignore_errors=True)


def _fill(folder: Path, values: dict[str, str]) -> None:
    top = folder / SUBDIRECTORY
    top.mkdir(parents=True)
    written = {folder, top}
    for key, value in values.items():
        path = top.joinpath(*key.split("."))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(value, encoding="utf-8")
        written.update((path, *(parent for parent in path.parents if top in parent.parents)))
    _sync(*written)


def _sync(*paths: Path) -> None:
    """Have files and folders on the disk. All at once, so that the file system writes its journal once for
    all of them: two to three times as fast as one after the other, and a rollback waits for it."""
    problems: list[OSError] = []
    threads = [threading.Thread(target=_sync_one, args=(path, problems)) for path in paths]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if problems:
        raise problems[0]


def _sync_one(path: Path, problems: list[OSError]) -> None:
    try:
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
    except OSError as error:
        problems.append(error)
