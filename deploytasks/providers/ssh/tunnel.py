"""A gateway's channel in the place of a socket."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from .execution import LOST

if TYPE_CHECKING:
    from paramiko import Channel


class Tunnel:
    """What paramiko's transport asks of a socket. Closing raises nothing, for the gateway may be gone by then."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    def sever(self) -> None:
        """Wake up who reads, without saying anything to the gateway, which could wait."""
        self._channel.in_buffer.close()

    def send(self, piece: bytes) -> int:
        """As a socket's."""
        return int(self._channel.send(piece))

    def recv(self, size: int) -> bytes:
        """As a socket's."""
        return bytes(self._channel.recv(size))

    def settimeout(self, seconds: float | None) -> None:
        """As a socket's."""
        self._channel.settimeout(seconds)

    def close(self) -> None:
        """As a socket's."""
        with suppress(*LOST):
            self._channel.close()

    @property
    def _closed(self) -> bool:
        return bool(self._channel.closed)
