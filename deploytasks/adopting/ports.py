"""Where the embedded environment listens: addresses that are free on this machine now."""

from __future__ import annotations

import socket
from collections.abc import Iterator

USUAL = "127.0.0.1:8080"
"""Where users come in when nobody says otherwise."""
_TO_COLORS = 21
"""From the port of users to the first color's: 8080, 8101, 8102."""
_LAST = 65_535


def parsed(address: str) -> tuple[str, int]:
    """Host and port of ``HOST:PORT``. Raises ``ValueError`` in one sentence."""
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) <= _LAST:
        raise ValueError(f"{address!r} is no address: say HOST:PORT, such as {USUAL}")
    return host, int(port)


def nearest(address: str) -> str:
    """The address, or the next one above it on which nobody listens; itself when there is none."""
    host, port = parsed(address)
    return next((f"{host}:{each}" for each in range(port, _LAST + 1) if _is_free(host, each)), address)


def beside(address: str) -> tuple[str, str]:
    """Addresses of the two colors, some ports above that of users; always on this machine alone."""
    _, users = parsed(address)
    free = (port for port in _around(users + _TO_COLORS) if port != users and _is_free("127.0.0.1", port))
    return f"127.0.0.1:{next(free)}", f"127.0.0.1:{next(free)}"


def _around(port: int) -> Iterator[int]:
    yield from range(min(port, _LAST), _LAST + 1)
    yield from range(1024, port)


def _is_free(host: str, port: int) -> bool:
    """Whether somebody may listen there. An address that is not this machine's is left to validation."""
    try:
        with socket.create_server((host.strip("[]"), port), family=_family(host)):
            return True
    except OSError:
        return False


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if host.startswith("[") else socket.AF_INET
