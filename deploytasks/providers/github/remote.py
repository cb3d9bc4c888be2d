"""Which repository a git remote is. Pure."""

from __future__ import annotations

import re
from urllib.parse import urlsplit


def web_host(api: str) -> str:
    """Where the repositories are whose API is at this base URL: ``github.com`` for ``https://api.github.com``."""
    host = (urlsplit(api).hostname or "").lower()
    return host.removeprefix("api.") if host == "api.github.com" or host.endswith(".ghe.com") else host


def repository_of(remote: str, host: str) -> str | None:
    """``owner/name`` of a remote's URL, as git knows it, if it is at this host.

    ``git@HOST:owner/name.git``, ``ssh://git@HOST/owner/name``, ``https://HOST/owner/name.git``; whoever logs in and on
    which port does not matter, and ``ssh.github.com`` is GitHub as well.
    """
    found = re.fullmatch(r"(?:\w[\w+.-]*://)?(?:[^@/]*@)?([^:/]+)(?::\d+)?[:/]/*([^/]+)/([^/]+?)(?:\.git)?/?", remote)
    if found is None:
        return None
    there = found[1].lower()
    is_it = there == host or (host == "github.com" and there in ("ssh.github.com", "www.github.com"))
    return f"{found[2]}/{found[3]}" if is_it else None
