"""Who a process is, beyond its number: a reused pid is a stranger, and must never be signalled.

An identity is the text ``pid:start:boot``. On Linux, ``start`` is the process's start in clock ticks since
boot (field 22 of ``/proc/<pid>/stat``, see proc(5)) and ``boot`` the kernel's random id of this boot.
Elsewhere ``start`` is what ``ps -o lstart=`` says, to the second, and ``boot`` is empty.
"""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

_PROC = Path("/proc")


def identity(pid: int) -> str | None:
    """The identity of the process ``pid``; ``None`` when there is none, or only a zombie is left of it."""
    if pid <= 0:
        return None
    if (_PROC / "self" / "stat").exists():
        start = _start_in_proc(pid)
        boot = (_PROC / "sys/kernel/random/boot_id").read_text().strip()
    else:
        start, boot = _start_from_ps(pid), ""
    return f"{pid}:{start}:{boot}" if start else None


def pid_of(known: str) -> int:
    """The pid inside an identity; 0 for a text that is none."""
    number = known.partition(":")[0]
    return int(number) if number.isdecimal() else 0


def is_alive(known: str) -> bool:
    """Whether the very process that this identity names still runs."""
    return identity(pid_of(known)) == known


def signal_if_same(known: str, signum: int) -> bool:
    """Send a signal to the process that this identity names, and to no other; whether it was sent.

    On Linux the process is held by a pidfd (``pidfd_open(2)``) while it is checked, so that the number
    cannot change hands between the check and the signal.
    """
    pid = pid_of(known)
    handle = hold(pid)
    try:
        if not is_alive(known):
            return False
        if handle is None:
            os.kill(pid, signum)
        else:
            _signal_held(handle, pid, signum)
        return True
    except ProcessLookupError:
        return False
    finally:
        if handle is not None:
            os.close(handle)


def _start_in_proc(pid: int) -> str | None:
    try:
        text = (_PROC / str(pid) / "stat").read_text(errors="replace")
    except OSError:
        return None
    fields = text.rpartition(")")[2].split()  # the name before ")" may itself hold blanks and parentheses
    state, start = fields[0], fields[19]
    return None if state in "ZXx" else start


def _start_from_ps(pid: int) -> str | None:
    shown = subprocess.run(
        ["ps", "-o", "stat=,lstart=", "-p", str(pid)],
        capture_output=True, text=True, check=False, timeout=5, env={**os.environ, "LC_ALL": "C"},
    )  # fmt: skip
    state, _, start = shown.stdout.strip().partition(" ")
    return None if not state or state.startswith("Z") else "-".join(start.split()).replace(":", ".")


def hold(pid: int) -> int | None:
    """A pidfd: a file descriptor that turns readable when this process ends. ``None`` where there is no such thing."""
    opener = getattr(os, "pidfd_open", None)
    if opener is None or pid <= 0:
        return None
    try:
        return int(opener(pid))
    except OSError:
        return None


def _signal_held(handle: int, pid: int, signum: int) -> None:
    send = getattr(signal, "pidfd_send_signal", None)
    if send is None:
        os.kill(pid, signum)
    else:
        send(handle, signum)
