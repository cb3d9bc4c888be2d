"""A host over SSH: what ``hosts.Host`` promises."""

from __future__ import annotations

import math
import secrets
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import IO

from ...errors import DeployError, Unreachable, UsageError
from ..hosts.host import CommandFailed, last_lines
from . import wrapping
from .alarms import alarms
from .connection import Connection
from .execution import LOST, Execution, TimeIsUp
from .failures import ConnectionLost
from .forwarding import Forward
from .output import Lines

AT_ONCE = 4
"""Commands at once on one connection; sshd allows 10 sessions (MaxSessions) unless told otherwise."""

_PIECE = 32 * 1024

_TO_KILL = 1.5
"""Seconds to kill what we give up."""
_GRACE = 3
"""Seconds after which a host ends by itself what we would have killed before."""


class SshHost:
    """Runs commands, each on a channel of its own of one connection. For any thread."""

    def __init__(self, connection: Connection, name: str) -> None:
        self.name = name
        self.connection = connection
        self._turns = threading.BoundedSemaphore(AT_ONCE)
        self._round_trips = 0
        self._forwarding = threading.Lock()
        self._forwards: dict[str, Forward] = {}

    @property
    def round_trips(self) -> int:
        """How many commands were sent, killing included. Connecting is counted by ``connection.connects``."""
        return self._round_trips

    def run(self, command: str, timeout: float, given: str | None = None) -> str:
        deadline = time.monotonic() + max(timeout, 0.05)
        with ExitStack() as stack:
            source = None
            if given is not None:
                try:
                    source = stack.enter_context(Path(given).open("rb"))
                except OSError as error:
                    raise UsageError(f"cannot read {given}: {error.strerror}") from error
            if not self._turns.acquire(timeout=max(timeout, 0.05)):
                raise Unreachable(f"{self.name}: {AT_ONCE} other commands took all of {timeout:.1f} s", do="try again")
            stack.callback(self._turns.release)
            self.connection.reach(self.name, min(self.connection.limit, deadline - time.monotonic()))
            return self._run(command, timeout, deadline, source)

    def _run(self, command: str, timeout: float, deadline: float, source: IO[bytes] | None) -> str:
        token = secrets.token_hex(8)
        left = max(0.05, deadline - time.monotonic())
        execution: Execution | None = None
        with alarms.within(left + _TO_KILL, self.connection.sever):
            try:
                self._round_trips += 1
                channel = self.connection.transport.open_session(timeout=left)
                execution = Execution(channel, token, deadline)
                code = execution.run(wrapping.wrapped(command, token, math.ceil(left) + _GRACE), source)
                channel.close()
            except TimeIsUp:
                raise self._too_late(timeout, execution, self._kill(token)) from None
            except LOST as error:
                raise self._lost(error, timeout, deadline, execution) from error
            except BaseException:
                self._kill(token)
                raise
        return self._judged(code, execution)

    def _judged(self, code: int, execution: Execution) -> str:
        text = execution.output.text.decode(errors="replace")
        if code == 0 and execution.output.has_begun:
            return text
        said = execution.errors.text.decode(errors="replace")
        if not execution.output.has_begun:
            said = execution.output.before.decode(errors="replace") + said
            raise CommandFailed(self.name, code, said, what="the log-in shell", state="the command was not run")
        raise CommandFailed(self.name, code, text + said)

    def _kill(self, token: str) -> bool:
        """Kill a command with all it started; whether the host has confirmed it."""
        deadline = time.monotonic() + _TO_KILL
        with suppress(TimeIsUp, *LOST):
            self._round_trips += 1
            channel = self.connection.transport.open_session(timeout=_TO_KILL)
            channel.exec_command(wrapping.kill(token))
            ended = channel.status_event.wait(max(0.05, deadline - time.monotonic()))
            channel.close()
            return bool(ended and channel.exit_status >= 0)
        return False

    def _too_late(self, timeout: float, execution: Execution | None, killed: bool) -> Unreachable:
        said = ""
        if execution:
            output = execution.output.text + execution.errors.text
            said = "; ".join(last_lines(output.decode(errors="replace"), 2))
        state = "it was killed with everything it had started" if killed else _BY_ITSELF
        return Unreachable(
            f"{self.name}: a command was not done after {timeout:.1f} s{': ' if said else ''}{said}", state=state
        )

    def _lost(self, error: BaseException, timeout: float, deadline: float, execution: Execution | None) -> DeployError:
        if time.monotonic() >= deadline:
            return self._too_late(timeout, execution, killed=False)
        return ConnectionLost(f"{self.name}: the connection was lost during a command ({error})", state=_BY_ITSELF)

    def follow(self, command: str, line: Callable[[str], None]) -> int:
        """Run a command for as long as it likes, and hand on each line that it says, stderr too; its exit code.

        Raises ``Unreachable`` when the host cannot be reached or the connection is lost. When it is left by an
        exception, the command is killed.
        """
        limit = self.connection.limit
        token = secrets.token_hex(8)
        lines = Lines(token, line)
        self.connection.reach(self.name, limit)
        try:
            with alarms.within(limit, self.connection.sever):
                self._round_trips += 1
                channel = self.connection.transport.open_session(timeout=limit)
                channel.exec_command(wrapping.followed(command, token))
            with channel:
                while lines.code is None and (piece := channel.recv(_PIECE)):
                    lines.feed(piece)
        except LOST as error:
            raise ConnectionLost(f"{self.name}: the connection was lost ({error})") from error
        except BaseException:
            self._kill(token)
            raise
        if lines.code is None:
            raise ConnectionLost(f"{self.name}: the connection was lost")
        return lines.code

    def forward(self, to: str) -> str:
        """A local address, ``127.0.0.1:port``, that leads through this connection to ``to`` as the host sees it:
        ``host:port``, or the path of a UNIX socket. The same one every time, for as long as the process lives.

        Raises ``Unreachable`` when the host cannot be reached now.
        """
        self.connection.reach(self.name, self.connection.limit)
        with self._forwarding:
            if to not in self._forwards:
                self._forwards[to] = Forward(self.connection, self.name, to)
            return self._forwards[to].address

    def close(self) -> None:
        """Close the connection and what it forwards. It opens again when it is used again."""
        with self._forwarding:
            for each in self._forwards.values():
                each.close()
            self._forwards.clear()
        self.connection.close()


_BY_ITSELF = "the host cannot be asked now; it ends the command by itself when its time is up"
