"""A host over SSH: what ``hosts.Host`` promises, and more."""

from __future__ import annotations

import math
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING

from paramiko.ssh_exception import ChannelException

from ... import interrupt
from ...errors import DeployError, Unreachable, UsageError
from ..hosts.host import CommandFailed, last_lines
from . import wrapping
from .connection import AT_ONCE
from .execution import LOST, PIECE, Execution, GivenUp, TimeIsUp, closed_after
from .failures import ConnectionLost, said
from .forwarding import Forward
from .output import Lines

if TYPE_CHECKING:
    from paramiko import Channel

    from .connection import Connection

_TO_KILL = 1.3
"""Seconds to kill what we give up."""
_GRACE = 2
"""Seconds after which a host ends by itself what we would have killed before."""
BY_ITSELF = "the host cannot be asked now; it ends the command by itself when its time is up"
KILLED = "it was killed with everything it had started"


class SshHost:
    """Runs commands, each on a channel of its own of one connection. For any thread; ``AT_ONCE`` run at once."""

    def __init__(self, connection: Connection, name: str, another: Callable[[str], Connection] | None = None) -> None:
        self.name = name
        self.connection = connection
        self._another = another
        self._round_trips = 0
        self._forwarding = threading.Lock()
        self._forwards: dict[str, Forward] = {}

    @property
    def round_trips(self) -> int:
        """How many commands were sent, killing included. Connecting is counted by ``connection.connects``."""
        return self._round_trips

    def run(self, command: str, timeout: float, given: str | None = None) -> str:
        timeout = max(timeout, 0.05)
        deadline = time.monotonic() + timeout
        with _opened(given) as source, self._turn(timeout):
            execution = Execution(secrets.token_hex(8), deadline)
            code = self._run(execution, command, timeout, deadline, source)
            return self._judged(code, execution)

    def follow(self, command: str, line: Callable[[str], None]) -> int:
        """Run a command for as long as it likes, and hand on each line that it says, stderr too; its exit code.

        Raises ``Unreachable`` when the host cannot be reached or the connection is lost. When it is left by an
        exception, the command is killed.
        """
        limit = self.connection.limit
        lines = Lines(secrets.token_hex(8), line)
        try:
            with self.connection.bounded(limit + _TO_KILL):
                channel = self.connection.session(self.name, limit)
                self._round_trips += 1
                channel.exec_command(wrapping.followed(command, lines.token))
            # Whoever ends our waiting from another thread makes the channel look like one that has ended.
            with closed_after(channel), interrupt.reaching(channel.in_buffer.close):
                while lines.code is None and (piece := channel.recv(PIECE)):
                    lines.feed(piece)
        except LOST as error:
            raise self._lost(error) from error
        except BaseException:
            self._kill(lines.token, patiently=not lines.has_begun)
            raise
        return self._followed(lines, channel)

    def _followed(self, lines: Lines, channel: Channel) -> int:
        if lines.code is not None:
            return lines.code
        if not channel.eof_received and self.connection.is_connected:
            state = self._kill(lines.token, patiently=not lines.has_begun)
            raise Unreachable(f"{self.name}: a command was given up", state=state)
        raise self._lost(EOFError())

    def forward(self, to: str) -> str:
        """A local address, ``127.0.0.1:port``, that leads through this connection to ``to`` as the host sees it:
        ``host:port``, or the path of a UNIX socket. The same one every time, for as long as the process lives.

        Ask for it before each use: ``Unreachable`` is raised when the host cannot be reached now.
        """
        self.connection.reach(self.name, self.connection.limit)
        with self._forwarding:
            if to not in self._forwards:
                self._forwards[to] = Forward(self.connection, self.name, to)
            return self._forwards[to].address

    def apart(self, line: str) -> SshHost:
        """The same host over a connection that only ``line`` uses: what hangs there, or ends it because something took
        too long, does not touch the others' commands."""
        return SshHost(self._another(line), self.name) if self._another else self

    def close(self) -> None:
        """Close the connection and what it forwards. It opens again when it is used again."""
        with self._forwarding:
            for each in self._forwards.values():
                each.close()
            self._forwards.clear()
        self.connection.close()

    # -- running -------------------------------------------------------------

    def _run(
        self, execution: Execution, command: str, timeout: float, deadline: float, source: IO[bytes] | None
    ) -> int | None:
        """The exit code. Whatever else ends it, the command is killed."""
        token = execution.output.token
        is_sent = False
        with ExitStack() as stack:
            stack.enter_context(self.connection.bounded(deadline - time.monotonic() + _TO_KILL))
            stack.enter_context(interrupt.reaching(execution.give_up))
            try:
                left = max(0.05, deadline - time.monotonic())
                channel = stack.enter_context(closed_after(self.connection.session(self.name, left)))
                is_sent = True
                self._round_trips += 1
                return execution.run(channel, wrapping.wrapped(command, token, math.ceil(left) + _GRACE), source)
            except (TimeIsUp, GivenUp) as error:
                state = self._kill(token, patiently=not execution.output.has_begun)
                raise self._late(timeout, execution, state, given_up=isinstance(error, GivenUp)) from None
            except LOST as error:
                if time.monotonic() >= deadline:
                    state = BY_ITSELF if is_sent else "it was not started"
                    raise self._late(timeout, execution, state) from error
                raise self._lost(error) from error
            except DeployError:
                raise
            except BaseException:
                self._kill(token, patiently=not execution.output.has_begun)
                raise

    def _kill(self, token: str, *, patiently: bool) -> str:
        """Kill a command with all it started; what to say about it."""
        if not self.connection.is_connected:
            return BY_ITSELF
        with suppress(*LOST), closed_after(self.connection.transport.open_session(timeout=_TO_KILL)) as channel:
            self._round_trips += 1
            channel.exec_command(wrapping.kill(token, patiently=patiently))
            channel.status_event.wait(_TO_KILL)
            if channel.exit_status >= 0:
                return KILLED
        return BY_ITSELF

    def _judged(self, code: int | None, execution: Execution) -> str:
        output = execution.output
        text = output.text.decode(errors="replace")
        if code == 0 and output.has_begun:
            return text
        errors = execution.errors.text.decode(errors="replace")
        if code is None and not self.connection.is_connected:
            raise self._lost(EOFError())
        if not output.has_begun:
            errors = output.before.decode(errors="replace") + errors
            what, state = "the log-in shell, instead of running a command,", "the command was not run"
            raise CommandFailed(self.name, 126 if code is None else code, errors, what=what, state=state)
        if output.code is None:
            raise CommandFailed(self.name, 137, text + errors, what="a command was killed on the host: it")
        raise CommandFailed(self.name, output.code, text + errors)

    @contextmanager
    def _turn(self, timeout: float) -> Iterator[None]:
        if not self.connection.turns.acquire(timeout=timeout):
            what = f"{self.name}: a command was not begun after {timeout:.1f} s: {AT_ONCE} others were at work"
            raise Unreachable(what, state="it was not started", do="wait for them, or give more time")
        try:
            yield
        finally:
            self.connection.turns.release()

    def _late(self, timeout: float, execution: Execution, state: str, *, given_up: bool = False) -> Unreachable:
        output = execution.output.text + execution.errors.text
        lines = "; ".join(last_lines(output.decode(errors="replace"), 2))
        why = "was given up" if given_up else f"was not done after {timeout:.1f} s"
        return Unreachable(f"{self.name}: a command {why}{': ' if lines else ''}{lines}", state=state)

    def _lost(self, error: BaseException) -> Unreachable:
        if isinstance(error, ChannelException):
            do = "raise MaxSessions in its sshd_config"
            return Unreachable(f"{self.name}: takes no more commands at once: {error.text}", do=do)
        if self.connection.is_connected:
            return Unreachable(f"{self.name}: does not run commands: {said(error)}", do="check the user's log-in there")
        self.connection.fell_silent()
        return ConnectionLost(f"{self.name}: the connection was lost during a command", state=BY_ITSELF)


@contextmanager
def _opened(given: str | None) -> Iterator[IO[bytes] | None]:
    if given is None:
        yield None
        return
    try:
        file = Path(given).open("rb")  # noqa: SIM115  # closed below; the body's own errors are not about this file
    except OSError as error:
        raise UsageError(f"cannot read {given}: {error.strerror}") from error
    with file:
        yield file
