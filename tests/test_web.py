"""The small HTTP client: how long it lets itself be kept."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator

import pytest

from deploytasks import web
from deploytasks.errors import Unreachable


@pytest.fixture
def dripping() -> Iterator[str]:
    """A server that sends a byte of its page now and then, and would go on for a minute."""
    stop = threading.Event()
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        link, _ = server.accept()
        with link:
            link.recv(4096)
            link.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 600\r\n\r\n")
            while not stop.wait(0.1):
                try:
                    link.sendall(b"x")
                except OSError:
                    return

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.getsockname()[1]}/"
    stop.set()
    thread.join(5)
    server.close()


def test_a_page_that_only_drips_is_given_up(dripping: str) -> None:
    """The timeout is for the whole answer, not for each piece of it."""
    began = time.monotonic()
    with pytest.raises(Unreachable, match="timed out"):
        web.fetch(dripping, timeout=0.5)
    assert time.monotonic() - began < 5
