"""A real Redis of a test's own: on a free port, with a password if asked for, gone at the end."""

from __future__ import annotations

import ctypes
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from urllib.parse import quote

import redis as client

from lab.parts import program


class Server:
    """One server. ``user`` and ``password`` are empty unless it asks for them."""

    def __init__(self, folder: Path, *, secured: bool = False, options: Sequence[str] = ()) -> None:
        self.host = "127.0.0.1"
        self.port = free_port()
        self.user = "deployer" if secured else ""
        self.password = f"p@ss/{secrets.token_hex(6)}:%27" if secured else ""
        self._folder = folder
        self._options = options
        self._running: subprocess.Popen[bytes] | None = None
        self._configure()

    @property
    def url(self) -> str:
        """Its address, with user and password where there are any."""
        who = f"{self.user}:{quote(self.password, safe='')}@" if self.user else ""
        return f"redis://{who}{self.address}/0"

    @property
    def address(self) -> str:
        """``host:port``."""
        return f"{self.host}:{self.port}"

    @property
    def pid(self) -> int:
        """Of the running server."""
        assert self._running is not None
        return self._running.pid

    def client(self) -> client.Redis:
        """A client that may do everything its user may."""
        return client.Redis.from_url(self.url, socket_timeout=5, socket_connect_timeout=5)

    def start(self) -> None:
        """Run it, on the same port as before. Returns when it answers."""
        with (self._folder / "redis.log").open("ab") as log:
            self._running = subprocess.Popen(
                [program("redis-server"), str(self._folder / "redis.conf")],
                cwd=self._folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                preexec_fn=partial(_end_with_us, os.getpid()),  # noqa: PLW1509  # it makes two system calls
            )  # fmt: skip
        until = time.monotonic() + 20
        while self._running.poll() is None and time.monotonic() < until:
            with suppress(client.RedisError, OSError), self.client() as asking:
                asking.ping()
                return
            time.sleep(0.01)
        self.kill()
        raise AssertionError(f"Redis does not start:\n{(self._folder / 'redis.log').read_text()[-2000:]}")

    def kill(self) -> None:
        """End it at once. Fine when it does not run."""
        running, self._running = self._running, None
        if running is not None:
            running.kill()
            running.wait(20)

    def _configure(self) -> None:
        lines = [
            f"bind {self.host}", f"port {self.port}", f"dir {self._folder}", "daemonize no",
            "appendonly yes", "appendfsync always", 'save ""', *self._options,
        ]  # fmt: skip
        if self.user:
            lines += ["user default off", f"user {self.user} on >{self.password} ~* &* +@all"]
        file = self._folder / "redis.conf"
        file.touch(0o600)
        file.write_text("\n".join(lines) + "\n")


@contextmanager
def redis(folder: Path, *, secured: bool = False, options: Sequence[str] = ()) -> Iterator[Server]:
    """A running server. ``secured``: it asks for a user and a password. ``options``: lines of its configuration."""
    program("redis-server")
    place = Path(tempfile.mkdtemp(prefix="redis-", dir=folder))
    server = Server(place, secured=secured, options=options)
    try:
        server.start()
        yield server
    finally:
        server.kill()
        shutil.rmtree(place, ignore_errors=True)


def free_port() -> int:
    """One that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _end_with_us(parent: int) -> None:
    """Runs in the child: when the tests are killed, the server goes as well."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
        if os.getppid() != parent:
            os.kill(os.getpid(), signal.SIGKILL)
