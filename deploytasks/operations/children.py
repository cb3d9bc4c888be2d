"""Other ``inv`` processes of this project, started by one of its tasks."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

CLEARING_UP = 60.0
"""Seconds that one gets to take itself back when whoever has started it leaves."""


@contextmanager
def started(arguments: Sequence[str], root: Path, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """``inv`` with these arguments, in a session of its own; what it says is added to ``log``. None is left behind:
    one that still runs at the end is asked to stop, and takes itself back."""
    with log.open("ab") as said:
        said.write(f"\n$ inv {' '.join(arguments)}\n".encode())
        said.flush()
        child = subprocess.Popen(
            [sys.executable, "-m", "invoke", *arguments], cwd=root, env={**os.environ},
            stdin=subprocess.DEVNULL, stdout=said, stderr=said, start_new_session=True,
        )  # fmt: skip
    try:
        yield child
    finally:
        if child.poll() is None:
            child.terminate()
            child.wait(CLEARING_UP)
