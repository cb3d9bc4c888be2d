"""Whether a host takes connections at all: asked before a tool that would wait for it for minutes."""

from __future__ import annotations

import os
import socket
import threading
from contextlib import suppress

WITHIN = 4.0
"""Seconds, for its name and all of its addresses."""
_PROXIES = ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy")


def takes_connections(host: str, port: int = 443, within: float = WITHIN) -> bool:
    """Whether one of its addresses does, in time. Behind a proxy nobody can tell from here: then it is taken to."""
    if any(os.environ.get(name) for name in _PROXIES):
        return True
    found = threading.Event()

    def knock() -> None:
        with suppress(OSError), socket.create_connection((host, port), timeout=within):
            found.set()

    asking = threading.Thread(target=knock, name=f"knock at {host}", daemon=True)
    asking.start()
    asking.join(within)  # a name server may be silent, and a host have many addresses
    return found.is_set()
