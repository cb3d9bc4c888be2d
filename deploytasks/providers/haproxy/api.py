"""HAProxy's runtime API over a socket that this machine can reach: a UNIX socket, or ``host:port``."""

from __future__ import annotations

import socket
import time

from .balancer import Silent

MOST = 64 * 1024 * 1024
"""Bytes of an answer; no ``show stat`` is larger."""


def ask(address: str, command: str, timeout: float) -> str:
    """Send one command, and return all that comes back.

    Raises ``Silent`` when the answer is not whole within ``timeout`` seconds.
    """
    deadline = time.monotonic() + timeout
    try:
        with _connected(address, deadline) as link:
            link.settimeout(_left(deadline))
            link.sendall(command.encode())
            reply = _whole(link, deadline).decode("utf-8", "replace")
    except OSError as error:
        reason = error.strerror or str(error) or type(error).__name__
        raise Silent(f"haproxy at {address}: {reason}", do=_remedy(error)) from error
    return whole(reply, address)


def whole(reply: str, name: str) -> str:
    """An answer, once it is sure that it is one: each ends with an empty line, and half a map would be a wrong map.

    Raises ``Silent``.
    """
    if reply == "\n" or reply.endswith("\n\n"):
        return reply
    what = "broke off in the middle of its answer" if reply else "closed the connection without an answer"
    raise Silent(f"haproxy at {name} {what}", do="`inv doctor` says what is wrong with it")


def _connected(address: str, deadline: float) -> socket.socket:
    if not address.startswith("/"):
        host, _, port = address.rpartition(":")
        return socket.create_connection((host.strip("[]"), int(port)), timeout=_left(deadline))
    link = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        link.settimeout(_left(deadline))
        link.connect(address)
    except OSError:
        link.close()
        raise
    return link


def _whole(link: socket.socket, deadline: float) -> bytes:
    """Until HAProxy closes. The socket's own timeout is for each piece: one that drips would keep us for ever."""
    pieces: list[bytes] = []
    size = 0
    while True:
        link.settimeout(_left(deadline))
        piece = link.recv(1 << 16)
        if not piece:
            return b"".join(pieces)
        pieces.append(piece)
        size += len(piece)
        if size > MOST:
            raise OSError("an answer without an end")


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError("timed out")
    return left


def _remedy(error: OSError) -> str:
    if isinstance(error, PermissionError):
        return "let the deploying user use the stats socket: `user`, `group` and `mode` of that line in haproxy.cfg"
    if isinstance(error, FileNotFoundError | ConnectionRefusedError):
        return "start haproxy; or mend traffic.balancers, or the `stats socket` line in haproxy.cfg"
    return "check that haproxy runs and that its stats socket can be reached"
