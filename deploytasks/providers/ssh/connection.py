"""Fabric's connection with verified host keys, an end to all waiting, and an address that is looked up once."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import fabric
from paramiko import Channel, SSHClient
from paramiko.ssh_exception import SSHException

from ...errors import Unreachable
from ...settings.ssh import SshAccess
from . import known_hosts
from .alarms import alarms
from .authentication import Keys
from .dialing import dial
from .failures import cannot_connect
from .transport import StreamTransport
from .verifying import Known

_GLOBAL = Path("/etc/ssh/ssh_known_hosts")


class Connection(fabric.Connection):
    """A connection to one host, opened on first use and again after it was lost. ``reach`` is for any thread."""

    # Fabric's connection takes an attribute that its class does not have for a configuration key.
    access: SshAccess = SshAccess()
    connects = 0
    _key: Path | None = None
    _known: Path | None = None
    _jump: Callable[[str], Connection] | None = None
    _opening: threading.Lock = threading.Lock()
    _deadline = 0.0
    _sock: socket.socket | Channel | None = None

    def __init__(
        self,
        host: str,
        *,
        access: SshAccess,
        key: Path | None,
        known_hosts: Path | None,
        jump: Callable[[str], Connection],
        **given: Any,
    ) -> None:
        self._set(access=access, _key=key, _known=known_hosts, _jump=jump, _opening=threading.Lock())
        super().__init__(host, connect_timeout=None, **given)

    @property
    def where(self) -> str:
        """``user@host:port``."""
        return f"{self.user}@{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}"

    def get_gateway(self) -> Connection | str | None:
        """As Fabric's, from ProxyJump or ProxyCommand, but with jumps that verify host keys, in ssh's order."""
        jumps = self.ssh_config.get("proxyjump", "none")
        if jumps.lower() == "none":
            command = self.ssh_config.get("proxycommand", "none")
            return None if command.lower() == "none" else command
        assert self._jump is not None
        *before, last = (hop.strip().removeprefix("ssh://") for hop in jumps.split(","))
        nearest = self._jump(last)
        if nearest.host == self.host and nearest.port == self.port:
            return None  # a wildcard in the ssh_config that also means the jump itself
        for hop in reversed(before):
            nearest.gateway = nearest.gateway or self._jump(hop)
            nearest = nearest.gateway
        return self._jump(last)

    # -- opening -------------------------------------------------------------

    def open(self) -> None:
        """Connect, unless that is done. What Fabric calls by itself."""
        self.reach(self.host, self.limit)

    @property
    def limit(self) -> float:
        """Seconds that connecting may take: the settings', or the ssh_config's when that is less."""
        configured = self.ssh_config.get("connecttimeout", "")
        return (
            min(self.access.connect_within, float(configured)) if configured.isdecimal() else self.access.connect_within
        )

    def reach(self, label: str, within: float) -> None:
        """Connect, unless that is done, within that many seconds. ``label``: the host's name for people.

        Raises ``Unreachable``, or one of its children in ``failures``.
        """
        if self.is_connected:
            return
        began = time.monotonic()
        if not self._opening.acquire(timeout=max(0.0, within)):
            raise cannot_connect(label, self.where, TimeoutError(), within, is_late=True)
        try:
            if not self.is_connected:
                self._connect(label, began, within)
        finally:
            self._opening.release()

    def _connect(self, label: str, began: float, within: float) -> None:
        self._deadline = began + within
        self.client.close()
        with alarms.within(self._left(), self.sever) as alarm:
            try:
                self._prepare(label)
                super().open()
                self.transport.set_keepalive(self.access.keepalive)
                self.connects += 1
            except Exception as error:
                self.sever()
                self.client.close()
                late = alarm.rang or self._left() <= 0
                raise cannot_connect(label, self.where, error, within, is_late=late) from error

    def _prepare(self, label: str) -> None:
        policy = Known(known_hosts.read(self._known_files()), self._key_name(), label)
        self.client = SSHClient()
        self.client.set_missing_host_key_policy(policy)
        left = self._left()
        self.connect_kwargs = {
            "auth_strategy": Keys(self.user, self._identities(), only_these=self._asks("identitiesonly")),
            "transport_factory": lambda sock, **given: _transport(sock, policy, given),
            "timeout": left, "banner_timeout": left, "auth_timeout": left, "channel_timeout": left,
        }  # fmt: skip
        if not self.gateway:
            self._sock = dial(self.host, self.port, self._deadline, self.access.lost_after)
            self.connect_kwargs["sock"] = self._sock

    def open_gateway(self) -> Any:
        """A channel of the gateway to this host, or Fabric's ProxyCommand."""
        if isinstance(self.gateway, str):
            self._sock = super().open_gateway()
            return self._sock
        try:
            self.gateway.reach(self.gateway.original_host, self._left())
        except Unreachable as error:
            error.what = f"by its gateway: {error.what}"
            error.args = (error.what,)
            raise
        where = (self.host, int(self.port))
        self._sock = self.gateway.transport.open_channel("direct-tcpip", where, ("", 0), timeout=self._left())
        return self._sock

    def _left(self) -> float:
        return max(0.05, self._deadline - time.monotonic())

    # -- what the ssh_config says ----------------------------------------------

    def _asks(self, option: str) -> bool:
        return bool(self.ssh_config.get(option, "no").lower() == "yes")

    def _identities(self) -> list[Path]:
        configured = [Path(file).expanduser() for file in self.ssh_config.get("identityfile", [])]
        return [*([self._key] if self._key else []), *configured]

    def _key_name(self) -> str:
        """The name of this host in files of host keys."""
        alias = self.ssh_config.get("hostkeyalias")
        return alias or (self.host if int(self.port) == 22 else f"[{self.host}]:{self.port}")

    def _known_files(self) -> list[Path]:
        if self._known:
            return [self._known]
        own = self.ssh_config.get("userknownhostsfile", "~/.ssh/known_hosts ~/.ssh/known_hosts2").split()
        everyone = self.ssh_config.get("globalknownhostsfile", str(_GLOBAL)).split()
        return [Path(file).expanduser() for file in [*own, *everyone] if file.lower() != "none"]

    # -- ending --------------------------------------------------------------

    def sever(self) -> None:
        """End the connection now, from any thread, without waiting for anything: whoever waits for it wakes up."""
        sock = self._sock
        if isinstance(sock, Channel):
            sock.in_buffer.close()
            transport = self.client.get_transport()
            if transport is not None:
                transport.packetizer.close()
        elif sock is not None:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR) if isinstance(sock, socket.socket) else sock.close()

    def close(self) -> None:
        """Close. It opens again when it is used again."""
        with suppress(OSError, SSHException, EOFError):
            self.client.close()
        self.sever()


def _transport(sock: Any, policy: Known, given: dict[str, Any]) -> StreamTransport:
    transport = StreamTransport(sock, **given)
    policy.prefer(transport)
    return transport
