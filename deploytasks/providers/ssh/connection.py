"""Fabric's connection with verified host keys, an end to all waiting, and an address that is looked up once."""

from __future__ import annotations

import itertools
import socket
import threading
import time
from collections.abc import Callable
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import fabric
from paramiko import SSHClient
from paramiko.ssh_exception import SSHException

from ...errors import Unreachable
from . import known_hosts, said
from .alarms import alarms
from .authentication import Keys
from .dialing import dial
from .failures import by_gateway, cannot_connect
from .transport import StreamTransport
from .tunnel import Tunnel
from .verifying import Known

if TYPE_CHECKING:
    from collections.abc import Iterator

    from paramiko import Channel

    from ...settings.ssh import SshAccess

AT_ONCE = 4
"""Commands at once on one connection; sshd allows 10 sessions (MaxSessions) unless told otherwise."""

_SOON = 10.0
"""Seconds after a host fell silent in which it is not waited for at full length again."""
_AGAIN = 0.5
"""Seconds that connecting to it may take then, or twice what it took the last time if that is more."""
_LAST = 0.4
"""Seconds between ending a connection and ending that of its gateway, when the first did not help."""


class Terms(NamedTuple):
    """What the settings say, with the files they name; and how to find the connection to a jump."""

    access: SshAccess
    key: Path | None
    known_hosts: Path | None
    jump: Callable[[str], Connection]


class Connection(fabric.Connection):
    """A connection to one host, opened on first use and again after it was lost. ``reach`` is for any thread."""

    # What the class does not have, Fabric's connection takes for a configuration key.
    connects = 0
    """How often it was opened."""
    turns: threading.BoundedSemaphore
    """Whose turn it is to run a command."""
    _terms: Terms
    _opening: threading.Lock
    _label = ""
    _deadline = 0.0
    hasty = False
    """Whether it is not waited for at full length again, just after it fell silent."""
    _took = 0.0
    """Seconds of the last connecting that succeeded."""
    _silent_until = 0.0
    """Until when (monotonic clock) it counts as silent."""
    _sock: Any = None

    def __init__(self, host: str, terms: Terms, **given: Any) -> None:
        turns = threading.BoundedSemaphore(AT_ONCE)
        self._set(_terms=terms, _opening=threading.Lock(), turns=turns)
        super().__init__(host, connect_timeout=None, **given)

    @property
    def where(self) -> str:
        """``user@host:port``."""
        return f"{self.user}@{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}"

    @property
    def limit(self) -> float:
        """Seconds that connecting may take: the settings', or the ssh_config's when that is less."""
        return min(self._terms.access.connect_within, said.limit(self.ssh_config))

    def get_gateway(self) -> Connection | str | None:
        """As Fabric's, from ProxyJump or ProxyCommand; but jumps verify host keys, and come in ssh's order."""
        hops = said.hops(self.ssh_config)
        if not hops:
            return said.command(self.ssh_config)
        if hops[-1].rpartition("@")[2].partition(":")[0] in (self.original_host, self.host):
            return None  # a wildcard in the ssh_config that means the jump as well
        jumps = [self._terms.jump(hop) for hop in hops]
        for before, after in itertools.pairwise(jumps):
            after.gateway = before
        return jumps[-1]

    # -- opening -------------------------------------------------------------

    def open(self) -> None:
        """Connect, unless that is done. What Fabric calls by itself."""
        self.reach(self.original_host, self.limit)

    def reach(self, label: str, within: float) -> None:
        """Connect, unless that is done, within that many seconds. ``label``: the host's name for people.

        Raises ``Unreachable``, or one of its children in ``failures``.
        """
        if self.is_connected:
            return
        began = time.monotonic()
        is_silent = self.hasty and began < self._silent_until
        if is_silent:
            within = min(within, max(_AGAIN, 2 * self._took))
        if not self._opening.acquire(timeout=max(0.05, within)):
            raise cannot_connect(label, self.where, TimeoutError(), within, is_late=True)
        try:
            if not self.is_connected:
                self._connect(label, began, within)
        except Unreachable:
            if not is_silent and time.monotonic() >= began + within:
                self.fell_silent()
            raise
        finally:
            self._opening.release()

    def fell_silent(self) -> None:
        """Note that nothing came in all the time that was given. What follows is mostly an attempt to clear up, on a
        host that is as silent as before: a failure is not to take several times as long for that."""
        self._silent_until = time.monotonic() + _SOON

    def _connect(self, label: str, began: float, within: float) -> None:
        self._label, self._deadline = label, began + within
        self.close()
        try:
            with self.bounded(self._left()):
                self._open_patiently()
                self.transport.set_keepalive(self._terms.access.keepalive)
                self.connects += 1
                self._took, self._silent_until = time.monotonic() - began, 0.0
        except BaseException as error:
            self.close()
            if not isinstance(error, Exception):
                raise
            now = time.monotonic()
            raise cannot_connect(label, self.where, error, now - began, is_late=now >= self._deadline) from error

    def _open_patiently(self) -> None:
        """Connect; again, when sshd hangs up before its greeting, as it does to some while many knock (MaxStartups)."""
        for pause in (0.2, 0.6, 0.0):
            self._prepare()
            try:
                super().open()
            except (SSHException, EOFError):
                transport = self.client.get_transport()
                was_greeted = transport is None or transport.remote_version
                if was_greeted or not pause or self._left() < 2 * pause:
                    raise
            else:
                return
            self.close()
            time.sleep(pause)

    def _prepare(self) -> None:
        terms, asked = self._terms, self.ssh_config
        files = [terms.known_hosts] if terms.known_hosts else said.known_hosts(asked)
        policy = Known(known_hosts.read(files), said.key_name(asked, self.host, int(self.port)), self._label)
        self.client = SSHClient()
        self.client.set_missing_host_key_policy(policy)
        named = [*([terms.key] if terms.key else []), *said.identities(asked)]
        left = self._left()
        self.connect_kwargs = {
            "auth_strategy": Keys(self.user, named, only_these=said.only_identities(asked)),
            "transport_factory": lambda sock, **given: policy.prefer(StreamTransport(sock, **given)),
            "timeout": left, "banner_timeout": left, "auth_timeout": left, "channel_timeout": left,
        }  # fmt: skip
        if not self.gateway:
            self._sock = dial(self.host, int(self.port), self._deadline, terms.access.lost_after)
            self.connect_kwargs["sock"] = self._sock

    def open_gateway(self) -> Any:
        """A channel of the gateway to this host, or Fabric's ProxyCommand."""
        if isinstance(self.gateway, str):
            self._sock = super().open_gateway()
            return self._sock
        with by_gateway(self._label):
            self.gateway.reach(self.gateway.original_host, self._left())
        where = (self.host, int(self.port))
        self._sock = Tunnel(self.gateway.transport.open_channel("direct-tcpip", where, ("", 0), timeout=self._left()))
        return self._sock

    def _left(self) -> float:
        return max(0.05, self._deadline - time.monotonic())

    def session(self, label: str, within: float) -> Channel:
        """A channel for one command. A connection that turns out to be dead already is opened once more.

        Raises ``Unreachable``, or what paramiko raises when the connection is lost.
        """
        deadline = time.monotonic() + within
        before = self.connects
        self.reach(label, min(self.limit, within))
        try:
            return self.transport.open_session(timeout=max(0.05, deadline - time.monotonic()))
        except (SSHException, EOFError, OSError):
            left = deadline - time.monotonic()
            if self.is_connected or self.connects != before or left <= 0:
                raise
        self.reach(label, min(self.limit, left))
        return self.transport.open_session(timeout=max(0.05, deadline - time.monotonic()))

    # -- ending --------------------------------------------------------------

    @contextmanager
    def bounded(self, seconds: float) -> Iterator[None]:
        """End the connection when the block takes longer; then, if that did not help, its gateway's."""
        with alarms.within(seconds, self.sever):
            if isinstance(self.gateway, Connection):
                with alarms.within(seconds + _LAST, self.gateway.sever):
                    yield
            else:
                yield

    def sever(self) -> None:
        """End the connection now, from any thread, without waiting for anything: whoever waits for it wakes up."""
        sock = self._sock
        if isinstance(sock, Tunnel):
            sock.sever()
        elif isinstance(sock, socket.socket):
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        elif sock is not None:
            sock.close()

    def close(self) -> None:
        """Close. It opens again when it is used again."""
        self.sever()
        with self.bounded(_LAST), suppress(OSError, SSHException, EOFError):
            self.client.close()
        self._sock = None
