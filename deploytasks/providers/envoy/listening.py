"""Whether a port is free, and who has it when it is not."""

from __future__ import annotations

import socket
from contextlib import suppress
from pathlib import Path

_LISTEN = "0A"


def problem(host: str, port: int) -> str | None:
    """Why nothing could listen there now, or ``None``."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((host, port))
            trial.listen(1)
        except OSError as error:
            held = holder(port)
            return f"{error.strerror or error}" + (f" (held by {held})" if held else "")
    return None


def holder(port: int) -> str | None:
    """The process that listens on a TCP port, as ``name, pid 123``, where Linux lets us see it."""
    inodes = {inode for table in ("tcp", "tcp6") for inode in _listening(Path("/proc/net") / table, port)}
    if not inodes:
        return None
    wanted = {f"socket:[{inode}]" for inode in inodes}
    for folder in Path("/proc").glob("[0-9]*"):
        if _has_one_of(folder, wanted):
            with suppress(OSError):
                return f"{(folder / 'comm').read_text().strip()}, pid {folder.name}"
    return None


def _listening(table: Path, port: int) -> list[str]:
    try:
        lines = table.read_text().splitlines()[1:]
    except OSError:
        return []
    rows = [line.split() for line in lines]
    return [row[9] for row in rows if row[3] == _LISTEN and int(row[1].rpartition(":")[2], 16) == port]


def _has_one_of(folder: Path, wanted: set[str]) -> bool:
    try:
        handles = list((folder / "fd").iterdir())
    except OSError:
        return False
    for handle in handles:
        with suppress(OSError):
            if str(handle.readlink()) in wanted:
                return True
    return False
