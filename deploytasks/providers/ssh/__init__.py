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

_hosts: dict[tuple[str, SshAccess, Path, str, bool], SshHost] = {}
_lock = threading.Lock()


def host(endpoint: str, access: SshAccess, root: Path, *, name: str | None = None, hasty: bool = False) -> SshHost:
    """The host at ``[user@]host[:port]``; ``host`` may be a name of the ssh_config. Does not connect yet.

    ``root``: the project's folder, where relative paths of ``access`` start. ``name``: what people call it; by default
    the host's part of the endpoint. ``hasty``: one of many, not waited for at full length again just after it fell
    silent; never for a balancer, which is asked until it is back. Raises ``UsageError`` when a file that ``access``
    names cannot be read.
    """
    link = connection(endpoint, access, root, line="hasty" if hasty else "")  # one of its own: others wait longer
    called = name or link.original_host
    with _lock:
        key = (endpoint, access, root, called, hasty)
        found = _hosts.get(key)
        if found is None:
            link.hasty = hasty
            found = SshHost(link, called, lambda line: connection(endpoint, access, root, line=line))
            _hosts[key] = found
        return found
