"""The file that HAProxy's log lines end up in: here, or on a balancer's host. Read in pieces, from any place."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from shlex import quote
from typing import NamedTuple, Protocol

from ...errors import DeployError, Unreachable
from ..hosts.host import Host


class Piece(NamedTuple):
    """What stands at a place of a log, and which file its path names by now."""

    inode: int
    size: int
    """Bytes of the file at the path."""
    content: bytes


class LogFile(Protocol):
    """A log that is rotated now and then. Raises ``Unreachable`` when it cannot be read."""

    name: str

    def piece(self, inode: int, offset: int, most: int) -> Piece:
        """Up to ``most`` bytes of the file with this inode: the one at the path, or one that was it before a
        rotation and lies beside it. Nothing when there is none."""


class NearLog:
    """A log on this machine."""

    def __init__(self, path: str) -> None:
        self.name = path
        self._path = Path(path)

    def piece(self, inode: int, offset: int, most: int) -> Piece:
        try:
            now = self._path.stat()
            return Piece(now.st_ino, now.st_size, self._content(inode, offset, most))
        except OSError as error:
            raise _unreadable(self.name, str(error)) from error

    def _content(self, inode: int, offset: int, most: int) -> bytes:
        for path in (self._path, *self._path.parent.glob(f"{self._path.name}?*")):
            with suppress(FileNotFoundError):
                if path.stat().st_ino == inode:
                    with path.open("rb") as file:
                        file.seek(offset)
                        return file.read(most)
        return b""


class FarLog:
    """A log on another host: one command for each piece."""

    def __init__(self, name: str, reach: Callable[[], Host], path: str, timeout: float = 30.0) -> None:
        self.name = f"{path} on {name}"
        self._reach = reach
        self._path = path
        self._timeout = timeout

    def piece(self, inode: int, offset: int, most: int) -> Piece:
        try:
            said = self._reach().run(_reading(self._path, inode, offset, most), self._timeout)
            head, _, content = said.partition("\n")
            now, size = (int(part) for part in head.split())
        except (DeployError, ValueError) as error:
            raise _unreadable(self.name, getattr(error, "what", str(error))) from error
        return Piece(now, size, content.encode("latin-1", "replace"))


def _reading(path: str, inode: int, offset: int, most: int) -> str:
    """Prints inode and size of the file, then the piece. A byte above 127 becomes one below: places stay right."""
    return rf"""LC_ALL=C; export LC_ALL
log={quote(path)}
set -- $(ls -idL "$log") && now=$1 && size=$(wc -c <"$log") || exit 1
echo "$now" $size
[ "$now" = {inode} ] || log=$(find "${{log%/*}}" -maxdepth 1 -inum {inode} -name "${{log##*/}}?*" | head -n 1)
[ -n "$log" ] || exit 0
tail -c +{offset + 1} "$log" | head -c {most} | tr '\200-\377' '?'
"""


def _unreadable(name: str, why: str) -> Unreachable:
    return Unreachable(f"haproxy's log {name} cannot be read: {why}", do="mend metrics.log, or who may read the file")
