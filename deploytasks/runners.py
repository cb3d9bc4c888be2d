"""Local commands that end when we do: at an interrupt, or when their time is up, with everything they started.

Invoke's own runner passes Ctrl-C to the child and keeps waiting for it, and at a timeout it kills the shell
and nobody else. ``namespace.configure({"runners": {"local": InterruptibleLocal}})`` puts this one in its place.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from invoke.exceptions import UnexpectedExit
from invoke.runners import Local, Result

from . import redaction

_LOOK = 0.2
"""Seconds between two looks whether a silent child was killed."""


class InterruptibleLocal(Local):
    """Runs a command in a session of its own, and kills all of it at an interrupt and at a timeout.

    The session keeps a Ctrl-C at the terminal from reaching the child before it reaches us. It has no
    terminal, so programs that ask one for a password fail instead of waiting (``pty=True`` gives them one).
    """

    _leader = 0
    _killed = False
    _asynchronous = False
    _disowned = False

    def run(self, command: str, **kwargs: Any) -> Result | None:
        """As Invoke's; whatever else than a result ends it takes the child along."""
        try:
            return super().run(command, **kwargs)
        except UnexpectedExit:
            raise
        except BaseException:
            self.kill()
            raise
        finally:
            if not (self._asynchronous or self._disowned):
                self._close()

    def start(self, command: str, shell: str, env: dict[str, Any]) -> None:
        """Start the command as the leader of a new session (a pseudo-terminal always is one)."""
        self.threads = {}
        with signals_deferred():
            if self.using_pty:
                super().start(command, shell, env)
                self._leader = self.pid
                return
            pipe = subprocess.PIPE
            self.process = subprocess.Popen(
                [shell, "-c", command], env=env, stdin=pipe, stdout=pipe, stderr=pipe, start_new_session=True
            )
            self._leader = self.process.pid

    def echo(self, command: str) -> None:
        """As Invoke's (``inv -e``), without secrets."""
        super().echo(str(redaction.clean(command)))

    def send_interrupt(self, interrupt: KeyboardInterrupt) -> None:
        """Kill, and let the interrupt through."""
        self.kill()
        raise interrupt

    def kill(self) -> None:
        """Kill the command with everything it started. Fine when nothing was started, or all has ended."""
        self._killed = True
        if self._leader:
            kill_tree(self._leader)
        if self._leader and not self.using_pty:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(1)

    @property
    def timed_out(self) -> bool:
        """Whether the time was up. Invoke asks whether its timer has ended, which can be later than the child."""
        return bool(self._timer and self._killed)

    def read_proc_stdout(self, num_bytes: int) -> bytes | None:
        """What the child wrote. Ends when the child was killed, even if a stranger still holds the pipe."""
        return super().read_proc_stdout(num_bytes) if self.using_pty else self._read(self.process.stdout, num_bytes)

    def read_proc_stderr(self, num_bytes: int) -> bytes | None:
        """As ``read_proc_stdout``."""
        return self._read(self.process.stderr, num_bytes)

    def _close(self) -> None:
        # Invoke leaves the pipes to the garbage collector. A thread that still reads keeps its own; after a kill it
        # ends with its next look.
        ended = [_has_ended(thread, 2 * _LOOK if self._killed else 0) for thread in self.threads.values()]
        if self._leader and not self.using_pty and all(ended):
            for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
                if pipe:
                    pipe.close()

    def _read(self, pipe: IO[bytes] | None, num_bytes: int) -> bytes | None:
        if pipe is None:
            return None
        waiting = select.poll()  # not select(): its descriptors end at 1023
        waiting.register(pipe, select.POLLIN | select.POLLHUP)
        while not waiting.poll(_LOOK * 1000):
            if self._killed:
                return None
        return os.read(pipe.fileno(), num_bytes)


def _has_ended(thread: threading.Thread, seconds: float) -> bool:
    """Whether a thread is over, within ``seconds``. One whose start an interrupt cut short may only just begin."""
    try:
        thread.join(seconds)
    except RuntimeError:
        return False
    return not thread.is_alive()


@contextlib.contextmanager
def signals_deferred() -> Iterator[None]:
    """Let SIGINT and SIGTERM wait for the end of the block: a child must not be born and forgotten in one moment.

    Children that are started in it have both signals at their defaults, also while we ignore them on the way
    back: an ignored signal is inherited, and a server started then could never be stopped by TERM. Does nothing
    outside of the main thread, where Python allows no handlers.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []
    found = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    before = {number: handler for number, handler in found.items() if handler is not None}  # None: not Python's
    for number in before:
        signal.signal(number, lambda signum, _frame: came.append(signum))
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        for came_first in came[:1]:
            os.kill(os.getpid(), came_first)


def kill_tree(leader: int) -> None:
    """SIGKILL to the process group of ``leader`` and to everything that descends from it, in any session."""
    doomed = descendants(leader, parents())
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)
    for pid in doomed:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)


def descendants(pid: int, parent_of: Mapping[int, int]) -> list[int]:
    """The children of ``pid``, their children, and so on."""
    children = [child for child, parent in parent_of.items() if parent == pid]
    return [one for child in children for one in [child, *descendants(child, parent_of)]]


def parents() -> dict[int, int]:
    """The parent of every process that can be seen."""
    if not Path("/proc/self/stat").exists():
        shown = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=False, timeout=5)
        return {int(pid): int(parent) for pid, parent in map(str.split, shown.stdout.splitlines())}
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            with contextlib.suppress(OSError):  # it ended meanwhile
                found[int(entry.name)] = int((entry / "stat").read_text(errors="replace").rpartition(")")[2].split()[1])
    return found
