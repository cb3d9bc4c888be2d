"""One command on one channel: what goes in, what comes out, and when to stop waiting. One thread, no polling."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager, suppress
from typing import IO, TYPE_CHECKING

from paramiko.ssh_exception import SSHException

from .output import Errors, Output

if TYPE_CHECKING:
    from collections.abc import Iterator

    from paramiko import Channel

PIECE = 32 * 1024
"""Bytes that are handed on at once: what a packet of paramiko holds."""

LOST = (SSHException, EOFError, OSError)
"""What paramiko raises when a connection is gone."""

_LOOK = 0.2
"""Seconds between two looks at what the host says while it takes none of what we send."""
_REST = 1.0
"""Seconds that the end of stderr may take when a command has failed."""


@contextmanager
def closed_after(channel: Channel) -> Iterator[Channel]:
    """Close a channel after the block. That says something to the host, which may be gone by then."""
    try:
        yield channel
    finally:
        with suppress(*LOST):
            channel.close()


class TimeIsUp(Exception):
    """The command was not done in time."""


class GivenUp(Exception):
    """Whoever waits for the command does not want it any more."""


class _Wake(threading.Event):
    """Set by both buffers of a channel; cleared by us alone, or one buffer would hide the other's news."""

    def clear(self) -> None:
        """Not when a buffer is empty."""

    def forget(self) -> None:
        """Wait for the next news."""
        super().clear()


class Execution:
    """A wrapped command. ``deadline`` is on the monotonic clock."""

    def __init__(self, token: str, deadline: float) -> None:
        self.output = Output(token)
        self.errors = Errors(token)
        self._deadline = deadline
        self._wake = _Wake()
        self._is_given_up = False

    def give_up(self) -> None:
        """End the waiting, from another thread."""
        self._is_given_up = True
        self._wake.set()

    def run(self, channel: Channel, command: str, given: IO[bytes] | None) -> int | None:
        """The exit code, or ``None`` when there is none: the connection was lost, or the wrapper was killed.

        Raises ``TimeIsUp``, ``GivenUp``, or one of ``LOST``.
        """
        channel.in_buffer.set_event(self._wake)
        channel.in_stderr_buffer.set_event(self._wake)
        channel.exec_command(command)
        if given is not None:
            self._send(channel, given)
        if not channel.closed and not channel.eof_received:
            channel.shutdown_write()
        self._wait(channel)
        if self.output.code is None:
            return channel.recv_exit_status() if channel.status_event.is_set() and channel.exit_status >= 0 else None
        return self.output.code

    def _send(self, channel: Channel, given: IO[bytes]) -> None:
        channel.settimeout(_LOOK)
        while piece := given.read(PIECE):
            left = memoryview(piece)
            while left:
                try:
                    sent = channel.send(left)
                    left = left[sent:]
                except TimeoutError:
                    sent = -1
                except OSError:  # the command has ended, and wants no more
                    return
                self._drain(channel)
                if sent == 0 or self.output.code is not None:
                    return
                self._time_left()

    def _wait(self, channel: Channel) -> None:
        """Until the command has ended, and has said why when it has failed."""
        enough = 0.0
        while True:
            self._wake.forget()
            is_over = channel.closed  # looked at before the last draining
            self._drain(channel)
            code = self.output.code
            if is_over or code == 0 or (code is not None and self.errors.is_whole):
                return
            if code is None:
                self._wake.wait(self._time_left())
                continue
            enough = enough or time.monotonic() + _REST
            if time.monotonic() >= enough:
                return
            self._wake.wait(enough - time.monotonic())

    def _drain(self, channel: Channel) -> None:
        while channel.recv_ready() or channel.recv_stderr_ready():
            if channel.recv_ready():
                self.output.feed(channel.recv(PIECE * 8))
            if channel.recv_stderr_ready():
                self.errors.feed(channel.recv_stderr(PIECE))

    def _time_left(self) -> float:
        if self._is_given_up:
            raise GivenUp
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeIsUp
        return left
