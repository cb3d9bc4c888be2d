"""Where a repository is shared: GitHub or GitLab, by its remote and by its files."""

from __future__ import annotations

import re
from pathlib import Path

_HUBS = {"github": "github", "gitlab": "gitlab"}
"""Hub → what its host is called after, at home or in a company."""
_FILES = {"gitlab": ".gitlab-ci.yml", "github": ".github/workflows"}
_URL = re.compile(r"(?:ssh|https?|git)://(?:[^@/]*@)?([\w.-]+)(?::\d+)?/([\w./-]+?)(?:\.git)?/?")
_SCP = re.compile(r"(?:[\w.-]+@)?([\w.-]+):/?([\w./-]+?)(?:\.git)?/?")


def hub_of(folder: Path, remote: str) -> tuple[str, str]:
    """``github`` or ``gitlab`` and the name there, such as ``owner/name``; empty where it is neither."""
    match = _URL.fullmatch(remote) or _SCP.fullmatch(remote)
    host, name = (match[1], match[2]) if match else ("", "")
    by_name = (hub for hub, part in _HUBS.items() if part in host.split(".")[:-1])
    by_file = (hub for hub, file in _FILES.items() if (folder / file).exists())
    hub = next(by_name, "") or next(by_file, "")
    return hub, name if hub else ""
