"""Hosts over SSH: Fabric's connections, with host keys always verified and an end to everything that takes too long.

A connection is opened when it is first needed, shared by all sections that name the same endpoint in the same way,
opened again after it was lost, and closed when the process ends.
"""

from __future__ import annotations

import threading
from pathlib import Path

from ...settings.ssh import SshAccess
from .host import SshHost
from .reaching import connection

__all__ = ["SshHost", "host"]

_hosts: dict[tuple[str, SshAccess, Path, str], SshHost] = {}
_lock = threading.Lock()


def host(endpoint: str, access: SshAccess, root: Path, *, name: str | None = None) -> SshHost:
    """The host at ``[user@]host[:port]``; ``host`` may be a name of the ssh_config. Does not connect yet.

    ``root``: the project's folder, where relative paths of ``access`` start. ``name``: what people call it; by default
    the host's part of the endpoint. Raises ``UsageError`` when a file that ``access`` names cannot be read.
    """
    link = connection(endpoint, access, root)
    called = name or link.original_host
    with _lock:
        found = _hosts.get((endpoint, access, root, called))
        if found is None:
            found = SshHost(link, called, lambda line: connection(endpoint, access, root, line=line))
            _hosts[endpoint, access, root, called] = found
        return found
