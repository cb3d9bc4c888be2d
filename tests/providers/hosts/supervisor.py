"""A small supervisor, for tests, that speaks as systemctl and journalctl do. A program of its own: no imports of ours.

It runs ``app.py`` from ``current-<unit>`` of its root, a folder as we lay it out, on a port that stands in the file
``<unit>.port`` beside it, and is told by its first argument what it is called as.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path


def main(here: Path, called: str, *arguments: str) -> int:
    unit = arguments[-1].removeprefix("library-")
    if called == "sudo":  # sudo -n systemctl …
        return main(here, *arguments[1:])
    if called == "journalctl":
        said = here / f"{unit}.said"
        sys.stdout.write(said.read_text() if said.exists() else "")
        return 0
    verb = arguments[0]
    if verb == "is-active":
        return 0 if lives(pid_of(here, unit)) else 3
    if verb in {"restart", "stop"} and not (here / f"{unit}.sticks").exists():
        stop(here, unit)
    if verb == "restart":
        if (here / f"{unit}.broken").exists():
            sys.stderr.write("Job for library failed. See journalctl.\n")
            return 1
        start(here, unit)
    return 0


def start(here: Path, unit: str) -> None:
    """Serve, as far from whoever asked as a supervisor's children are."""
    port = (here / f"{unit}.port").read_text()
    with (here / f"{unit}.said").open("a") as said:
        process = subprocess.Popen(
            [sys.executable, "app.py", port], cwd=here.parent / "root" / f"current-{unit}", start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=said, stderr=said, env={**os.environ, "COLOR": unit},
        )  # fmt: skip
    (here / f"{unit}.pid").write_text(str(process.pid))


def stop(here: Path, unit: str) -> None:
    """KILL, and wait until it is gone."""
    pid = pid_of(here, unit)
    while lives(pid):
        with contextlib.suppress(OSError):
            os.kill(pid, signal.SIGKILL)
        time.sleep(0.01)


def pid_of(here: Path, unit: str) -> int:
    """Zero when it never ran."""
    file = here / f"{unit}.pid"
    return int(file.read_text()) if file.exists() else 0


def lives(pid: int) -> bool:
    """Whether a process runs; nobody may have waited for one that has ended."""
    if not pid:
        return False
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    if Path("/proc/self").exists():
        return False
    shown = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    return bool(shown.strip()) and not shown.startswith("Z")


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), *sys.argv[2:]))
