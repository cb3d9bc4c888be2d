"""An archive that is the same, byte for byte, wherever and whenever it is made from the same content.

Names sorted, times and owners zero, modes 644 and 755. The gzip layer does not compress: deflate's output
differs between zlib, zlib-ng and their versions, and the digest of a release must not depend on who built it.
"""

from __future__ import annotations

import io
import os
import tarfile
import zlib
from collections.abc import Iterable
from hashlib import sha256
from typing import NamedTuple, Protocol


class Entry(NamedTuple):
    """A file or a symbolic link. ``path`` is relative, with ``/``; ``content`` of a link is its target."""

    path: str
    content: bytes
    is_executable: bool = False
    is_link: bool = False


class Sink(Protocol):
    """Takes bytes."""

    def write(self, content: bytes, /) -> object: ...


def write(entries: Iterable[Entry], sink: Sink) -> str:
    """Write an archive of entries, which must come in ``order``; return its SHA-256 in hex."""
    hashed = _Hashed(sink)
    stored = _Stored(hashed)
    with tarfile.open(
        fileobj=stored, mode="w|", format=tarfile.GNU_FORMAT, encoding="utf-8", errors="surrogateescape"
    ) as tar:
        for entry in entries:
            tar.addfile(_info(entry), None if entry.is_link else io.BytesIO(entry.content))
    stored.end()
    return hashed.hash.hexdigest()


def digest(entries: Iterable[Entry]) -> str:
    """The SHA-256 that ``write`` would return, without writing anything."""
    return write(entries, _Nowhere())


def order(path: str) -> bytes:
    """The sort key of a path."""
    return os.fsencode(path)


def _info(entry: Entry) -> tarfile.TarInfo:
    info = tarfile.TarInfo(entry.path)
    info.mode = 0o755 if entry.is_executable or entry.is_link else 0o644
    if entry.is_link:
        info.type, info.linkname = tarfile.SYMTYPE, os.fsdecode(entry.content)
    else:
        info.size = len(entry.content)
    return info


class _Nowhere:
    def write(self, content: bytes, /) -> object:
        return len(content)


class _Hashed:
    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self.hash = sha256()

    def write(self, content: bytes, /) -> object:
        self.hash.update(content)
        return self._sink.write(content)


class _Stored(io.RawIOBase):
    """The gzip format (RFC 1952) around stored blocks of deflate (RFC 1951, 3.2.4)."""

    _BLOCK = 65535

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._waiting = bytearray()
        self._checksum = 0
        self._size = 0
        sink.write(b"\x1f\x8b\x08\0\0\0\0\0\0\xff")  # deflate, no name, no time, unknown system

    def write(self, content: bytes, /) -> int:  # type: ignore[override]  # narrower on purpose: tarfile writes bytes
        self._checksum = zlib.crc32(content, self._checksum)
        self._size += len(content)
        self._waiting += content
        while len(self._waiting) >= self._BLOCK:
            self._block(bytes(self._waiting[: self._BLOCK]), is_last=False)
            del self._waiting[: self._BLOCK]
        return len(content)

    def end(self) -> None:
        """Write what is left, and the checksum."""
        self._block(bytes(self._waiting), is_last=True)
        self._sink.write(self._checksum.to_bytes(4, "little") + (self._size & 0xFFFFFFFF).to_bytes(4, "little"))

    def _block(self, content: bytes, *, is_last: bool) -> None:
        size = len(content)
        self._sink.write(
            bytes([is_last]) + size.to_bytes(2, "little") + (size ^ 0xFFFF).to_bytes(2, "little") + content
        )
