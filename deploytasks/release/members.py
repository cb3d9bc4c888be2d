"""The members of an archive, read as fast as they are copied: a difference is made while all hosts wait for it.

Of tar's formats these are understood: GNU's, in which ``archive`` writes, and plain ustar. ``tarfile`` understands all
and takes three times as long.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from typing import IO, NamedTuple, cast

BLOCK = 512
_PIECE = 1 << 20
_LONG_NAME, _LONG_LINK = b"L", b"K"
_KINDS = frozenset((b"0", b"\0", b"2", b"5", _LONG_NAME, _LONG_LINK))
_LONGEST = 1 << 16
"""Bytes of the longest name that is believed."""


class Unfit(Exception):
    """An archive that holds what cannot be compared."""


class Member(NamedTuple):
    """One member. ``head``: its header as it stands there, with the headers that hold a long name."""

    name: bytes
    kind: bytes
    """``0`` a file, ``2`` a symbolic link, ``5`` a folder; see tar(5)."""
    mode: int
    size: int
    """Bytes of content."""
    head: bytes

    @property
    def is_file(self) -> bool:
        """Whether it is a plain regular file."""
        return self.kind in (b"0", b"\0")

    def as_link(self, target: bytes) -> bytes:
        """The header of a hard link of this name, mode and time to ``target``, which has no content."""
        before, own = self.head[:-BLOCK], self.head[-BLOCK:]
        if len(target) > 100:
            before += _long(target, own)
        size = b"%011o\0" % 0
        return before + _summed(own[:124] + size + own[136:156] + b"1" + target[:100].ljust(100, b"\0") + own[257:])

    def padded(self) -> int:
        """The room that the content takes."""
        return -(-self.size // BLOCK) * BLOCK


def members(archive: str) -> Iterator[tuple[Member, Iterator[bytes]]]:
    """Each member with its content in pieces; what is not taken of it is passed over.

    Raises ``Unfit`` for what is no such archive, ``OSError`` or ``EOFError`` for one that cannot be read.
    """
    try:
        with gzip.open(archive, "rb") as file:
            yield from _members(cast("IO[bytes]", file))
    except (ValueError, zlib.error) as error:
        raise Unfit(f"{archive}: {error}") from error


def _members(file: IO[bytes]) -> Iterator[tuple[Member, Iterator[bytes]]]:
    before, name = b"", b""
    while (head := file.read(BLOCK)).strip(b"\0"):
        member = _member(head, before, name)
        if member.kind in (_LONG_NAME, _LONG_LINK):
            if member.size > _LONGEST:
                raise Unfit(f"a name of {member.size} bytes")
            text = file.read(member.padded())
            before += head + text
            name = text[: member.size].rstrip(b"\0") if member.kind == _LONG_NAME else name
            continue
        content = _content(file, member.size)
        yield member, content
        for _ in content:
            pass
        file.read(member.padded() - member.size)
        before, name = b"", b""


def _member(head: bytes, before: bytes, name: bytes) -> Member:
    magic, kind = head[257:263], head[156:157]
    if magic not in (b"ustar ", b"ustar\0") or kind not in _KINDS:
        raise Unfit(f"a member of kind {kind!r} in the format {magic!r}")
    short, prefix = head[:100].partition(b"\0")[0], head[345:500].partition(b"\0")[0]
    if magic == b"ustar\0" and prefix:
        short = prefix + b"/" + short
    return Member(name or short, kind, _number(head[100:108]), _number(head[124:136]), before + head)


def _number(field: bytes) -> int:
    return int(field.rstrip(b" \0") or b"0", 8)


def _content(file: IO[bytes], left: int) -> Iterator[bytes]:
    while left:
        piece = file.read(min(left, _PIECE))
        if not piece:
            raise EOFError("the archive was cut off")
        left -= len(piece)
        yield piece


def _long(text: bytes, like: bytes) -> bytes:
    """The GNU header for a link target that is too long for its field."""
    size = b"%011o\0" % (len(text) + 1)
    name = b"././@LongLink".ljust(100, b"\0")
    header = name + like[100:124] + size + like[136:156] + _LONG_LINK + bytes(100) + like[257:]
    return _summed(header) + (text + b"\0").ljust(-(-(len(text) + 1) // BLOCK) * BLOCK, b"\0")


def _summed(header: bytes) -> bytes:
    """A header with its check sum, which counts its own field as blanks."""
    total = sum(header[:148]) + sum(header[156:]) + 8 * 32
    return header[:148] + b"%06o\0 " % total + header[156:]
