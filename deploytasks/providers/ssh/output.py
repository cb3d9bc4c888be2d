"""The command's own output among what a log-in shell and left-over children may have said."""

from __future__ import annotations

from collections.abc import Callable

_TAIL = 64 * 1024
"""Bytes of stderr that are kept for an error's text."""


class Output:
    """Takes stdout piece by piece; knows what lies between the wrapper's two marks."""

    def __init__(self, token: str) -> None:
        self.token = token
        self._begin = f"\n{token} begin\n".encode()
        self._end = f"\n{token} ".encode()
        self._bytes = bytearray()
        self._start = -1
        self._looked = 0
        self._stop = -1
        self.code: int | None = None
        """With what the command has ended; ``None`` when it has not."""

    @property
    def has_begun(self) -> bool:
        """Whether the wrapper runs."""
        return self._start >= 0

    @property
    def text(self) -> bytes:
        """What the command has said so far."""
        if not self.has_begun:
            return b""
        return bytes(self._bytes[self._start : self._stop if self.code is not None else len(self._bytes)])

    @property
    def before(self) -> bytes:
        """What came before the command."""
        return b"" if self.has_begun else bytes(self._bytes[-_TAIL:])

    def feed(self, piece: bytes) -> None:
        """Take a piece of stdout."""
        if self.code is not None:
            return
        self._bytes += piece
        if not self.has_begun:
            found = self._bytes.find(self._begin)
            if found < 0:
                return
            self._start = self._looked = found + len(self._begin)
        self._find_end()

    def _find_end(self) -> None:
        found = self._bytes.find(self._end, max(self._start, self._looked))
        line_end = self._bytes.find(b"\n", found + 1) if found >= 0 else -1
        if line_end >= 0:
            self.code = int(self._bytes[found + len(self._end) : line_end])
            self._stop = found
            del self._bytes[line_end + 1 :]
        elif found < 0:
            self._looked = max(self._start, len(self._bytes) - len(self._end))


class Errors:
    """The last part of stderr. The wrapper ends it with a mark when the command has failed."""

    def __init__(self, token: str) -> None:
        self._end = f"\n{token}\n".encode()
        self._bytes = bytearray()

    def feed(self, piece: bytes) -> None:
        """Take a piece."""
        self._bytes += piece
        if len(self._bytes) > 2 * _TAIL:
            del self._bytes[:-_TAIL]

    @property
    def text(self) -> bytes:
        """What is kept."""
        return bytes(self._bytes[-_TAIL:].partition(self._end)[0])

    @property
    def is_whole(self) -> bool:
        """Whether all came that a failed command has said."""
        return self._end in self._bytes[-_TAIL:]


class Lines:
    """The lines of a command that is followed, each as soon as it is whole."""

    def __init__(self, token: str, line: Callable[[str], None]) -> None:
        self.token = token
        self._begin = f"{token} begin".encode()
        self._end = f"{token} ".encode()
        self._line = line
        self._rest = b""
        self.has_begun = False
        self._held_back = False
        self.code: int | None = None
        """With what the command has ended; ``None`` when it has not."""

    def feed(self, piece: bytes) -> None:
        """Take a piece of stdout, and hand on the lines that are whole with it."""
        *whole, self._rest = (self._rest + piece).split(b"\n")
        for each in whole:
            self._take(each)

    def _take(self, given: bytes) -> None:
        if self.code is not None:
            return
        if not self.has_begun:
            self.has_begun = given == self._begin
        elif given.startswith(self._end):
            self.code = int(given[len(self._end) :])
        else:
            self._hand_on(given)

    def _hand_on(self, given: bytes) -> None:
        """An empty line waits for the next one: the last one before the end is the wrapper's."""
        if self._held_back:
            self._line("")
        self._held_back = not given
        if given:
            self._line(given.decode(errors="replace"))
