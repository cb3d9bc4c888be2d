"""What an agent beside the application does: it reads the access log, and reports each request to those who watch."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

LOG_FORMAT = "%(s)s %(D)s %(U)s"
"""Of gunicorn: status, microseconds, path."""
_PAUSE = 0.05


class Request(NamedTuple):
    """One request that the application has answered."""

    color: str
    version: str
    path: str
    status: int
    seconds: float


@contextmanager
def agent(folder: Path, report: Callable[[Request], None]) -> Iterator[None]:
    """Report every request in the logs ``<color>-<version>.log`` of a folder, but for health checks, while it runs."""
    over = threading.Event()

    def follow() -> None:
        read: dict[Path, int] = {}
        while not over.wait(_PAUSE):
            for file in folder.glob("*.log"):
                for request in _new(file, read):
                    report(request)

    thread = threading.Thread(target=follow, name="agent", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(10)


def _new(file: Path, read: dict[Path, int]) -> Iterator[Request]:
    """The whole lines that were added since the last look."""
    color, _, version = file.stem.partition("-")
    with file.open("rb") as log:
        log.seek(read.get(file, 0))
        added = log.read()
    whole = added[: added.rfind(b"\n") + 1]
    read[file] = read.get(file, 0) + len(whole)
    for line in whole.decode().splitlines():
        status, microseconds, path = line.split(" ", 2)
        if path != "/health":
            yield Request(color, version, path, int(status), int(microseconds) / 1e6)
