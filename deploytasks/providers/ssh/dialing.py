"""A TCP connection within a time that bounds the name's look-up too."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from typing import Any

_Found = list[tuple[Any, Any, Any, Any, Any]]


def dial(host: str, port: int, deadline: float, lost_after: float) -> socket.socket:
    """A connection to the first of the host's addresses that takes one, until ``deadline`` (monotonic clock).

    ``lost_after``: seconds without an answer after which the kernel gives the connection up. Raises ``OSError``.
    """
    failed: OSError | None = None
    found = _addresses(host, port, deadline)
    for left, (family, kind, protocol, _, address) in zip(range(len(found), 0, -1), found, strict=True):
        sock = socket.socket(family, kind, protocol)
        try:
            sock.settimeout(max(0.05, (deadline - time.monotonic()) / left))
            _give_up_after(sock, lost_after)
            sock.connect(address)
        except OSError as error:
            sock.close()
            failed = error
        except BaseException:
            sock.close()
            raise
        else:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return sock
    raise failed or OSError(f"{host} has no address")


def _give_up_after(sock: socket.socket, seconds: float) -> None:
    """Let the kernel end a connection whose data nobody acknowledges. Without it, a cut link is noticed after 15
    minutes. macOS has no such option: there, only the timeouts of commands help."""
    option = getattr(socket, "TCP_USER_TIMEOUT", None)
    if option is not None:
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.IPPROTO_TCP, option, int(seconds * 1000))


def _addresses(host: str, port: int, deadline: float) -> _Found:
    """What the name stands for. The resolver has no timeout, so a name is looked up on a thread that is left behind."""
    with contextlib.suppress(socket.gaierror):
        return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    found: _Found = []
    failed: list[OSError] = []

    def look() -> None:
        try:
            found.extend(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except OSError as error:
            failed.append(error)

    thread = threading.Thread(target=look, name="ssh-resolver", daemon=True)
    thread.start()
    thread.join(max(0.05, deadline - time.monotonic()))
    if failed:
        raise failed[0]
    if thread.is_alive():
        raise TimeoutError(f"the name {host} was not resolved in time")
    return found
