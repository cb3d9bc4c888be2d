"""Run a command, then say what it left behind: processes that still run, network namespaces that are still there.

    python3 .ci/leftovers.py python3 bootstrap.py pytest -n 2

Whatever loses its parent comes to this process (a child subreaper, see prctl(2)), detached or not, so nothing of
other people's is ever counted. Leaves with the command's code, or with 1 when something was left. Linux alone can
tell; elsewhere the command just runs.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SUBREAPER = 36
"""PR_SET_CHILD_SUBREAPER in <linux/prctl.h>."""
GRACE = float(os.environ.get("LEFTOVERS_GRACE", "10"))
"""Seconds for what is just ending."""
NAMESPACES = Path("/run/netns")
OURS = re.compile(r"dtl(\d+)h\d+")
"""How tests/lab/namespaces.py names what it makes; the number is claimed by a lock on a file of that name."""
CLAIMS = Path(tempfile.gettempdir()) / "deploytasks-lab"


def main(command: list[str]) -> int:
    """Run ``command`` and count."""
    adopting = sys.platform == "linux" and ctypes.CDLL(None).prctl(SUBREAPER, 1, 0, 0, 0) == 0
    if not adopting:
        print("leftovers: this system cannot tell; nothing is counted", file=sys.stderr)
    signal.signal(signal.SIGINT, lambda *_: None)  # a terminal sends it to the command as well
    signal.signal(signal.SIGTERM, lambda *_: running.terminate())
    running = subprocess.Popen(command)
    code = _wait_for(running.pid)
    running.returncode = code
    left = [*_processes(), *_namespaces()] if adopting else []
    for what in left:
        print(f"leftovers: {what}", file=sys.stderr)
    return code or bool(left)


def _wait_for(child: int) -> int:
    """Wait for ``child``, and reap whatever else ends meanwhile; its exit code as a shell would say it."""
    while True:
        ended, status = os.wait()
        if ended == child:
            code = os.waitstatus_to_exitcode(status)
            return code if code >= 0 else 128 - code


def _processes() -> list[str]:
    """What still runs after the grace, which is then killed with all its children."""
    deadline = time.monotonic() + GRACE
    while (left := _children()) and time.monotonic() < deadline:
        time.sleep(0.1)
    found = [f"process {pid}: {_command(pid)}" for pid in left]
    while left := _children():  # the children of who was killed come to us in turn
        for pid in left:
            os.kill(pid, signal.SIGKILL)
        time.sleep(0.05)
    return found


def _children() -> list[int]:
    """Ours that still run; those that ended are reaped."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    found = Path(f"/proc/self/task/{os.getpid()}/children").read_text(encoding="ascii")
    return [int(pid) for pid in found.split()]


def _command(pid: int) -> str:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace").strip()
    return "?"


def _namespaces() -> list[str]:
    """Those of the laboratory that nobody claims any more."""
    found = sorted(NAMESPACES.iterdir()) if NAMESPACES.is_dir() else []
    numbers = {path.name: OURS.match(path.name) for path in found}
    return [f"network namespace {name}" for name, number in numbers.items() if number and _is_free(number[1])]


def _is_free(number: str) -> bool:
    try:
        with (CLAIMS / number).open("rb") as claim:
            fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
