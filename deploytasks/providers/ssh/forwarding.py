"""A local port that leads through a connection to an address, or to a UNIX socket, as the host sees it."""

from __future__ import annotations

import selectors
import socket
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

from ...errors import DeployError
from .connection import Connection
from .execution import LOST

if TYPE_CHECKING:
    from paramiko import Channel

_PIECE = 32 * 1024


class Forward:
    """Listens on a loopback port. Each connection there gets a channel and a thread of its own.

    Where the host or the address cannot be reached, the local connection is closed at once.
    """

    def __init__(self, connection: Connection, name: str, to: str) -> None:
        self._connection = connection
        self._name = name
        self._to = to
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        host, port = self._listener.getsockname()
        self.address = f"{host}:{port}"
        threading.Thread(target=self._accept, name=f"ssh-forward-{name}", daemon=True).start()

    def close(self) -> None:
        """Take no connections any more."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                local, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(local,), name="ssh-forwarded", daemon=True).start()

    def _serve(self, local: socket.socket) -> None:
        with local, suppress(DeployError, OSError, *LOST), self._channel() as channel:
            _join(local, channel)

    def _channel(self) -> Channel:
        limit = self._connection.limit
        self._connection.reach(self._name, limit)
        transport = self._connection.transport
        path = self._to.removeprefix("unix:")
        if path.startswith("/"):
            return transport.open_unix(path, limit)
        host, _, port = self._to.rpartition(":")
        return transport.open_channel("direct-tcpip", (host.strip("[]"), int(port)), ("127.0.0.1", 0), timeout=limit)


def _join(local: socket.socket, channel: Channel) -> None:
    """Carry bytes both ways until both sides have ended."""
    with selectors.DefaultSelector() as waiting:
        waiting.register(local, selectors.EVENT_READ)
        waiting.register(channel, selectors.EVENT_READ)
        while waiting.get_map():
            for key, _ in waiting.select():
                if key.fileobj is local:
                    piece = local.recv(_PIECE)
                    channel.sendall(piece) if piece else channel.shutdown_write()
                else:
                    piece = channel.recv(_PIECE)
                    local.sendall(piece) if piece else local.shutdown(socket.SHUT_WR)
                if not piece:
                    waiting.unregister(key.fileobj)
