"""From what the settings and the ssh_config say to a connection. Nothing is opened here."""

from __future__ import annotations

import atexit
import logging
import threading
from functools import cache
from pathlib import Path
from typing import NamedTuple

from fabric import Config

from ...errors import SettingsError, UsageError
from ...settings.ssh import SshAccess
from .connection import Connection, Terms
from .said import ssh_config

logging.getLogger("paramiko").setLevel(logging.CRITICAL)  # it would print tracebacks of what we report as errors

_connections: dict[Address, Connection] = {}
_in_the_making: set[Address] = set()
_lock = threading.RLock()


class Address(NamedTuple):
    """Where to, and how: all that makes a connection this one and not another."""

    endpoint: str
    access: SshAccess
    root: Path
    is_gateway: bool = False
    line: str = ""
    """Who has it for himself; empty: everybody."""


def connection(endpoint: str, access: SshAccess, root: Path, *, is_gateway: bool = False, line: str = "") -> Connection:
    """The connection to ``[user@]host[:port]``, the same one every time. Raises ``UsageError`` for a missing file."""
    address = Address(endpoint, access, root, is_gateway, line)
    with _lock:
        if address not in _connections:
            if address in _in_the_making:
                raise SettingsError(
                    [f"ssh: the way to {endpoint} leads through itself"], do="mend ProxyJump or gateway"
                )
            _in_the_making.add(address)
            try:
                _connections[address] = _new(address)
            finally:
                _in_the_making.discard(address)
        return _connections[address]


def _new(address: Address) -> Connection:
    access, root = address.access, address.root
    user, host, port = parts(address.endpoint)
    config = _config(_file(access.ssh_config, root, "ssh_config"))
    to_jumps = access.model_copy(update={"gateway": None})
    terms = Terms(
        access,
        _file(access.key, root, "key"),
        _file(access.known_hosts, root, "known_hosts"),
        jump=lambda hop: connection(hop, to_jumps, root, is_gateway=True),
    )
    if address.is_gateway:  # `user` and `port` are about the hosts behind it
        user = user or (None if "user" in config.base_ssh_config.lookup(host) else access.user)
    else:
        user, port = user or access.user, port or access.port
    gateway = terms.jump(access.gateway) if access.gateway else None
    return Connection(host, terms, user=user, port=port, config=config, gateway=gateway)


def parts(endpoint: str) -> tuple[str | None, str, int | None]:
    """User, host and port of ``[user@]host[:port]``; an IPv6 address stands in brackets."""
    user, _, rest = endpoint.rpartition("@")
    host, bracket, port = rest.partition("]")
    if bracket:
        return user or None, host[1:], int(port[1:]) if port else None
    host, _, port = rest.partition(":")
    return user or None, host, int(port) if port else None


def _file(given: str | None, root: Path, what: str) -> Path | None:
    if given is None:
        return None
    path = root / Path(given).expanduser()
    if not path.exists():
        raise UsageError(f"ssh.{what}: there is no file {path}", do="mend the path in invoke.yaml, or make the file")
    return path


@cache
def _config(file: Path | None) -> Config:
    """Fabric's settings around one ssh_config, which all hosts share: one for each would cost more than connecting."""
    overrides = {"load_ssh_configs": False, "run": {"in_stream": False, "hide": True}}
    return Config(overrides=overrides, ssh_config=ssh_config(file), lazy=True)


def close_all() -> None:
    """Close every connection, gateways last."""
    with _lock:
        for each in sorted(_connections.values(), key=lambda one: one.gateway is None):
            each.close()


atexit.register(close_all)
