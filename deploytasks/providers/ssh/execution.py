"""One command on one channel: what goes in, what comes out, and when to stop waiting. One thread, no polling."""

from __future__ import annotations

import socket
import threading
import time
from typing import IO, TYPE_CHECKING

from paramiko.ssh_exception import SSHException

from .failures import ConnectionLost
from .output import Output, Tail

if TYPE_CHECKING:
    from paramiko import Channel

_PIECE = 32 * 1024
_LOOK = 0.2
"""Seconds between two looks at what the host says while it takes none of what we send."""


class TimeIsUp(Exception):
    """The command was not done in time."""


class _Wake(threading.Event):
    """Set by both buffers of a channel; cleared by us alone, or one buffer would hide the other's news."""

    def clear(self) -> None:
        """Not when a buffer is empty."""

    def forget(self) -> None:
        """Wait for the next news."""
        super().clear()


class Execution:
    """Runs what was wrapped. ``deadline`` is on the monotonic clock."""

    def __init__(self, channel: Channel, token: str, deadline: float) -> None:
        self.output = Output(token)
        self.errors = Tail()
        self._channel = channel
        self._deadline = deadline
        self._wake = _Wake()
        channel.in_buffer.set_event(self._wake)
        channel.in_stderr_buffer.set_event(self._wake)

    def run(self, command: str, given: IO[bytes] | None) -> int:
        """The exit code. Raises ``TimeIsUp``, ``ConnectionLost``, or paramiko's and the system's errors."""
        self._channel.exec_command(command)
        if given is not None:
            self._send(given)
        if not self._channel.closed:
            self._channel.shutdown_write()
        return self._finish()

    def _send(self, given: IO[bytes]) -> None:
        self._channel.settimeout(_LOOK)
        while piece := given.read(_PIECE):
            left = memoryview(piece)
            while left:
                try:
                    sent = self._channel.send(left)
                    left = left[sent:]
                except TimeoutError:
                    sent = -1
                except OSError:  # the command has ended, and wants no more
                    return
                self._drain()
                if sent == 0 or self.output.code is not None:
                    return
                self._check_time()

    def _finish(self) -> int:
        while True:
            self._wake.forget()
            self._drain()
            if self.output.code is not None:
                return self._ended(self.output.code)
            if self._channel.closed or self._channel.eof_received:
                self._drain()
                return self._ended(self.output.code)
            self._wake.wait(self._check_time())

    def _ended(self, code: int | None) -> int:
        """The exit code. Waits for what is still on its way to stderr when it will be shown."""
        if code != 0:
            self._channel.status_event.wait(min(1.0, max(0.0, self._deadline - time.monotonic())))
            self._drain()
        status = self._channel.recv_exit_status() if self._channel.status_event.is_set() else -1
        if code is None and status == -1:
            raise ConnectionLost("the connection was lost")
        return status if code is None else code

    def _drain(self) -> None:
        channel = self._channel
        while channel.recv_ready() or channel.recv_stderr_ready():
            if channel.recv_ready():
                self.output.feed(channel.recv(_PIECE * 8))
            if channel.recv_stderr_ready():
                self.errors.feed(channel.recv_stderr(_PIECE))

    def _check_time(self) -> float:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeIsUp
        return left


LOST = (SSHException, EOFError, socket.error, ConnectionLost)
"""What paramiko raises when a connection is gone."""
