"""From what the settings and the ssh_config say to a connection. Nothing is opened here."""

from __future__ import annotations

import atexit
import logging
import threading
from functools import cache
from pathlib import Path
from typing import NamedTuple

from fabric import Config
from paramiko import SSHConfig

from ...errors import UsageError
from ...settings.ssh import SshAccess
from .connection import Connection

logging.getLogger("paramiko").setLevel(logging.CRITICAL)  # it would print tracebacks of what we report as errors

_connections: dict[Address, Connection] = {}
_lock = threading.RLock()


class Address(NamedTuple):
    """Where to, and how: all that makes a connection this one and not another."""

    endpoint: str
    access: SshAccess
    root: Path
    is_gateway: bool = False


def connection(endpoint: str, access: SshAccess, root: Path, *, is_gateway: bool = False) -> Connection:
    """The connection to ``[user@]host[:port]``, the same one every time. Raises ``UsageError`` for a missing file."""
    address = Address(endpoint, access, root, is_gateway)
    with _lock:
        if address not in _connections:
            _connections[address] = _new(address)
        return _connections[address]


def _new(address: Address) -> Connection:
    access, root = address.access, address.root
    user, host, port = parts(address.endpoint)
    gateway = None
    if access.gateway and not address.is_gateway:
        gateway = connection(access.gateway, access, root, is_gateway=True)
    return Connection(
        host,
        user=user or (access.user if not address.is_gateway else None),
        port=port or (access.port if not address.is_gateway else None),
        config=_config(_file(access.ssh_config, root, "ssh_config")),
        gateway=gateway,
        access=access,
        key=_file(access.key, root, "key"),
        known_hosts=_file(access.known_hosts, root, "known_hosts"),
        jump=lambda hop: connection(hop, access.model_copy(update={"gateway": None}), root, is_gateway=True),
    )


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
    """Fabric's settings, which all hosts share, around one ssh_config: ``file``, or the user's and the system's."""
    found = SSHConfig()
    for path in [file] if file else [Path.home() / ".ssh" / "config", Path("/etc/ssh/ssh_config")]:
        if path.is_file():
            found.parse(path.read_text().splitlines())
    overrides = {"load_ssh_configs": False, "run": {"in_stream": False, "hide": True}}
    return Config(overrides=overrides, ssh_config=found, lazy=True)


def close_all() -> None:
    """Close every connection, gateways last."""
    with _lock:
        for each in sorted(_connections.values(), key=lambda one: one.gateway is None):
            each.close()


atexit.register(close_all)
