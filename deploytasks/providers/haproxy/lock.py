"""The lock of a folder: ``flock`` on the folder itself, so that no lock file has an owner.

Scripts on the same host take the same lock with ``flock(1)``; the kernel frees it when its holder dies.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ...durable import lock_within
from ...errors import Unreachable

PATIENCE = 2.0
"""Seconds to wait for another writer."""


@contextmanager
def locked(folder: Path) -> Iterator[bool]:
    """Hold the right to write, and say whether we got it within ``PATIENCE``. Raises ``Unreachable``."""
    try:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise Unreachable(
            f"{folder} cannot be used: {error.strerror}",
            state="nothing was written",
            do="make it as docs/haproxy.md says, or mend traffic.state",
        ) from error
    try:
        yield lock_within(handle, PATIENCE, bearing=OSError)
    finally:
        os.close(handle)
