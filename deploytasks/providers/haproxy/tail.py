"""Following a log from an instant on, over rotations, a bounded piece at a time."""

from __future__ import annotations

import time
from collections.abc import Iterator

from .logfile import LogFile
from .requests import Counts, parse

PIECE = 4 * 1024 * 1024
"""Bytes held at once."""
_PROBE = 16 * 1024
_FIRST_STEP = 64 * 1024


class Tail:
    """One log, counted as far as it has been read."""

    def __init__(self, log: LogFile, counts: Counts, since: int) -> None:
        self.log = log
        self.counts = counts
        self._since = since
        self._inode: int | None = None
        self._offset = 0
        self._old = 0
        """Where the file ended when we came. What is behind it is counted whatever the balancer's clock says."""

    def catch_up(self, timeout: float) -> bool:
        """Count what is new; whether that is all there is (``False``: time was up). Raises ``Unreachable``."""
        deadline = time.monotonic() + timeout
        if self._inode is None:
            self._inode, self._offset, self._old = beginning(self.log, self._since)
        while self._read_piece():
            if time.monotonic() > deadline:
                return False
        return True

    def _read_piece(self) -> bool:
        """Count one piece; whether there may be more."""
        inode = self._inode or 0
        is_old = self._offset < self._old
        most = min(PIECE, self._old - self._offset) if is_old else PIECE
        piece = self.log.piece(inode, self._offset, most)
        if piece.inode == inode and piece.size < self._offset:  # cut off in place
            self._offset = self._old = 0
            return True
        whole = _whole_lines(piece.content)
        self.counts.take(_texts(piece.content[:whole]), self._since if is_old else 0)
        self._offset += whole
        if is_old:
            self._old = self._old if whole else 0
            return True
        if whole == 0 and piece.inode != inode:  # all of the rotated one was read
            self._inode, self._offset = piece.inode, 0
            return True
        return len(piece.content) == most or piece.inode != inode


def beginning(log: LogFile, since: int) -> tuple[int, int, int]:
    """The inode of a log, a place in it before which nothing ended at ``since`` (milliseconds) or later, its size.

    It is looked for from the end, in growing steps: a log is long, and ``since`` mostly just now.
    """
    now = log.piece(0, 0, 0)
    step = _FIRST_STEP
    while step < now.size:
        place = now.size - step
        content = log.piece(now.inode, place, _PROBE).content
        start = content.find(b"\n") + 1
        first = next((found for found in map(parse, _texts(content[start:])) if found), None)
        if first is not None and first.at < since:
            return now.inode, place + start, now.size
        step *= 4
    return now.inode, 0, now.size


def _whole_lines(content: bytes) -> int:
    """How many bytes of it are whole lines. A line as long as a piece is none of ours: it is passed over."""
    end = content.rfind(b"\n") + 1
    return len(content) if end == 0 and len(content) == PIECE else end


def _texts(content: bytes) -> Iterator[str]:
    return (line.decode("latin-1") for line in content.splitlines())
