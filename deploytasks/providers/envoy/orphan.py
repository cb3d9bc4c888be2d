"""Starts a process that outlives us.

With hot restart on, Envoy asks Linux to end it together with its parent (``PR_SET_PDEATHSIG``, see
``hot_restart_impl.cc``). The death of our supervisor must not close the site, so Envoy begins its life with
a parent that never dies: init, or the session's reaper.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from ..identity import identity


def start(command: Sequence[str], log: Path) -> str:
    """Run a command with ``log`` for its output; its identity (empty when it ended at once)."""
    reader, writer = os.pipe()
    middle = os.fork()
    if middle == 0:
        _fork_again(command, log, writer)
    os.close(writer)
    os.waitpid(middle, 0)
    with os.fdopen(reader) as told:
        pid = told.read()
    return identity(int(pid or 0)) or ""


def _fork_again(command: Sequence[str], log: Path, writer: int) -> NoReturn:
    """In the process between: start the real one, tell its pid, end."""
    middle = os.getpid()
    try:
        fresh = os.fork()
        if fresh == 0:
            _become(command, log, middle)
        os.write(writer, str(fresh).encode())
    finally:
        os._exit(0)


def _become(command: Sequence[str], log: Path, middle: int) -> NoReturn:
    """In the real one: wait until the process between is gone, then be the command."""
    try:
        while os.getppid() == middle:
            time.sleep(0.001)
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        output = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        os.dup2(output, 1)
        os.dup2(output, 2)
        os.execv(command[0], list(command))  # noqa: S606  # the point of it
    finally:
        os._exit(127)
