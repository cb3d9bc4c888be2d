"""Addresses and UNIX sockets of a host, at a local port."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from providers.ssh.conftest import reached

from deploytasks.errors import Unreachable

if TYPE_CHECKING:
    from lab.hosts import Lab

ECHO = """
import socket, sys, threading
where = sys.argv[1]
server = socket.create_server(tuple([where.split(":")[0], int(where.split(":")[1])])) if ":" in where else None
if server is None:
    server = socket.socket(socket.AF_UNIX)
    server.bind(where)
    server.listen(20)
def answer(link):
    with link:
        whole = b""
        while piece := link.recv(65536):
            whole += piece
        link.sendall(whole[::-1])
print("ready", flush=True)
while True:
    threading.Thread(target=answer, args=(server.accept()[0],), daemon=True).start()
"""
"""Says what it was told backwards, when the other side has ended."""


def free_port() -> int:
    """A port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@pytest.fixture(params=["address", "socket"])
def target(request: pytest.FixtureRequest, lab: Lab) -> Iterator[str]:
    """Where the echo listens, as the first host sees it."""
    one = lab.hosts[0]
    socket_path = f"{one.root}/echo.sock" if lab.is_real else str(one.path(f"{one.root}/echo.sock"))
    where = f"{one.address}:{free_port()}" if request.param == "address" else socket_path
    one.path(f"{one.root}/echo.sock").unlink(missing_ok=True)
    with lab.run_in("h1", [sys.executable, "-c", ECHO, where], stdout=subprocess.PIPE) as server:
        assert server.stdout
        assert b"ready\n" == server.stdout.readline()
        yield where
        server.kill()


def ask(address: str, what: bytes) -> bytes:
    """What the echo answers."""
    host, _, port = address.rpartition(":")
    with socket.create_connection((host, int(port)), timeout=10) as link:
        link.sendall(what)
        link.shutdown(socket.SHUT_WR)
        whole = b""
        while piece := link.recv(65536):
            whole += piece
        return whole


def test_leads_to_the_host(lab: Lab, target: str) -> None:
    """Bytes go both ways and each side's end is passed on; one address for all times."""
    host = reached(lab.hosts[0])
    address = host.forward(target)
    assert address.startswith("127.0.0.1:")
    assert b"olleh" == ask(address, b"hello")
    big = bytes(range(256)) * 8000
    assert big[::-1] == ask(address, big)
    assert address == host.forward(target)


def test_survives_a_lost_connection(lab: Lab, target: str) -> None:
    """The address stays the same, and leads to the host again through a new connection."""
    one = lab.hosts[0]
    host = reached(one)
    address = host.forward(target)
    host.connection.close()
    assert b"olleh" == ask(address, b"hello")


def test_nobody_listens_there(lab: Lab) -> None:
    """The local connection is closed at once, and nobody waits."""
    address = reached(lab.hosts[0]).forward(f"{lab.hosts[0].address}:{free_port()}")
    began = time.monotonic()
    try:
        assert b"" == ask(address, b"hello")
    except OSError:
        """Closed as well."""
    assert time.monotonic() - began < 5


def test_a_host_that_is_not_there(lab: Lab) -> None:
    """Asking for the address says so, with the host's name."""
    one = lab.hosts[1]
    host = reached(one)
    host.close()
    one.stop()
    try:
        with pytest.raises(Unreachable, match="h2: "):
            host.forward("127.0.0.1:80")
    finally:
        one.start()


def test_closing_ends_it(lab: Lab, target: str) -> None:
    """After `close` nobody listens at the local port any more."""
    host = reached(lab.hosts[0], keepalive=30)
    address = host.forward(target)
    host.close()
    with pytest.raises(OSError, match="refused"):
        ask(address, b"hello")
