"""What both kinds of hosts have in common."""

from __future__ import annotations

import atexit
import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import ClassVar

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from deploytasks.settings.ssh import SshAccess


class LabHost:
    """One host. ``root`` is a folder as seen on that host: the same path on all, with other content on each.
    ``path`` gives the same file as the test sees it."""

    root: str
    can_cut: ClassVar[bool] = False

    def __init__(self, lab: Lab, number: int, address: str, port: int) -> None:
        self.lab = lab
        self.number = number
        self.name = f"h{number}"
        self.address = address
        self.port = port
        self.user = lab.user
        self.key = lab.key
        self.known_hosts = lab.known_hosts
        self.folder = lab.folder / self.name
        self.home = self.folder / "srv"
        self.home.mkdir(parents=True)
        self.host_key = keypair(self.folder / "host_key")
        self.bashrc = self.folder / "bashrc"
        self.bashrc.touch()

    @property
    def endpoint(self) -> str:
        """``user@address:port``."""
        return f"{self.user}@{self.address}:{self.port}"

    def access(self, **more: object) -> SshAccess:
        """How the host is reached: the lab's key and host keys, and no ssh_config of this machine."""
        given = {"key": str(self.key), "known_hosts": str(self.known_hosts), "ssh_config": str(self.lab.no_config)}
        return SshAccess.model_validate(given | more)

    def path(self, path: str | Path) -> Path:
        """The file that this host knows by ``path``."""
        given = Path(path)
        return self.home / given.relative_to(self.root) if given.is_relative_to(self.root) else given

    def known_line(self) -> str:
        """Its line in a file of host keys."""
        name = self.address if self.port == 22 else f"[{self.address}]:{self.port}"
        return f"{name} {self.host_key.with_suffix('.pub').read_text()}"

    def start(self) -> None:
        """Let it take connections."""
        raise NotImplementedError

    def stop(self) -> None:
        """Take no connections any more, and drop those there are. What was started and detached goes on."""
        raise NotImplementedError

    def cut(self) -> None:
        """Take its link down: packets vanish."""
        raise NotImplementedError

    def mend(self) -> None:
        """Take its link up again."""
        raise NotImplementedError

    def processes(self) -> list[int]:
        """All that runs on it."""
        raise NotImplementedError


class Lab:
    """Some hosts; ``here`` is the address by which they reach the test."""

    is_real: ClassVar[bool]
    here: str

    def __init__(self, folder: Path, user: str, key: Path) -> None:
        self.folder = folder
        self.user = user
        self.key = key
        self.known_hosts = folder / "known_hosts"
        self.no_config = folder / "no_ssh_config"
        self.no_config.touch()
        self.hosts: list[LabHost] = []

    def open(self, count: int) -> None:
        """Start that many hosts."""
        raise NotImplementedError

    def close(self) -> None:
        """End all of it. Can be called twice."""
        raise NotImplementedError

    def run_in(self, name: str, argv: Sequence[str], **options: object) -> subprocess.Popen[bytes]:
        """Run a program on a host, as a child of the test: in its network, with its ``/srv``."""
        raise NotImplementedError

    def host(self, name: str) -> LabHost:
        """The host of that name."""
        return next(one for one in self.hosts if one.name == name)

    def write_known_hosts(self) -> None:
        """Write the file of host keys."""
        self.known_hosts.write_text("".join(one.known_line() for one in self.hosts))

    def ssh_config(self, path: Path) -> Path:
        """Write an ssh_config that knows the hosts by their names: ``h1``, ``h2`` and so on."""
        blocks = [
            f"Host {one.name}\n  HostName {one.address}\n  Port {one.port}\n  User {one.user}\n"
            f'  IdentityFile {one.key}\n  UserKnownHostsFile "{one.known_hosts}"\n'
            for one in self.hosts
        ]
        path.write_text("\n".join(blocks))
        return path


def keypair(path: Path) -> Path:
    """A new key of OpenSSH's form; the public one beside it."""
    key = Ed25519PrivateKey.generate()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()))
    public = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
    path.with_suffix(".pub").write_text(f"{public} lab\n")
    return path


def wait_for_banner(address: str, port: int, running: Callable[[], bool], within: float = 20.0) -> None:
    """Until an SSH server greets there."""
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection((address, port), timeout=1.0) as link:
            if link.recv(4) == b"SSH-":
                return
        if not running():
            break
        time.sleep(0.01)
    pytest.fail(f"no SSH server came up at {address}:{port}")


def kill_all(find: Callable[[], list[int]], within: float = 10.0) -> None:
    """KILL, until ``find`` finds none any more."""
    deadline = time.monotonic() + within
    while (found := find()) and time.monotonic() < deadline:
        for pid in found:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.01)


def is_running(pid: int) -> bool:
    """Whether a process runs, and is not only a zombie that nobody has waited for."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    return False


@contextlib.contextmanager
def clean_up(lab: Lab) -> Iterator[None]:
    """Close the lab at the end, and also when the process ends without having come to it."""
    atexit.register(lab.close)
    try:
        yield
    finally:
        lab.close()
        atexit.unregister(lab.close)
