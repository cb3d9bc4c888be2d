"""What an archive unpacks to, as a text that a host can make of a folder as well: so that both can be compared.

One line for each thing, sorted bytewise: ``d ./folder``, ``l ./link``, ``<mode> ./file`` and ``<sha256>  ./file``, as
``find`` and ``sha256sum`` write them. Where a link leads is not said: links are never taken over from elsewhere.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from .members import Member, Unfit, members

_BLOCK = 1 << 20
_UNSAFE = re.compile(r"[\x00-\x1f\x7f\\]")
"""What tools escape or cut at, each in its own way, when they print names."""


class File(NamedTuple):
    """A regular file: its permissions, and the SHA-256 (hex) of its content."""

    mode: int
    digest: str


@dataclass(frozen=True)
class Manifest:
    """Files by their paths (relative, with ``/``), and the paths of folders and links."""

    files: Mapping[str, File]
    folders: frozenset[str]
    links: frozenset[str]

    @cached_property
    def modes(self) -> tuple[str, ...]:
        """The permissions that occur, in octal digits."""
        return tuple(sorted({f"{file.mode:o}" for file in self.files.values()}))

    @cached_property
    def digest(self) -> str:
        """The SHA-256 (hex) of the text."""
        lines = ["d .", *(f"d ./{path}" for path in self.folders), *(f"l ./{path}" for path in self.links)]
        for path, file in self.files.items():
            lines += [f"{file.mode:o} ./{path}", f"{file.digest}  ./{path}"]
        return sha256(b"".join(line + b"\n" for line in sorted(map(os.fsencode, lines)))).hexdigest()


@lru_cache(maxsize=4)
def of_archive(archive: str, digest: str) -> Manifest:
    """The manifest of an archive whose SHA-256 is ``digest``.

    Raises ``Unfit`` when it is not, or when something in it is neither a file nor a folder nor a symbolic link, and
    ``OSError`` or ``EOFError`` when it cannot be read.
    """
    if digest_of(archive) != digest:
        raise Unfit(f"{archive} is not what it was")
    files: dict[str, File] = {}
    folders: set[str] = set()
    links: set[str] = set()
    for member, content in members(archive):
        path = path_of(member)
        folders.update(_above(path))
        if path in files or path in links:
            raise Unfit(f"{path} is there twice")
        if member.is_file:
            files[path] = File(member.mode, _hashed(content))
        elif member.kind == b"2":
            links.add(path)
        else:
            folders.add(path)
    folders.discard("")
    if folders & (files.keys() | links):
        raise Unfit("something is a folder and a file")
    return Manifest(files, frozenset(folders), frozenset(links))


def of_listing(text: str) -> dict[str, File]:
    """The files of a folder on a host, by its manifest. Lines that are no file's are passed over."""
    modes: dict[str, int] = {}
    digests: dict[str, str] = {}
    for line in text.split("\n"):
        if found := re.fullmatch(r"([0-7]{1,5}) \./(.+)", line):
            modes[found[2]] = int(found[1], 8)
        elif found := re.fullmatch(r"([0-9a-f]{64})  \./(.+)", line):
            digests[found[2]] = found[1]
    return {path: File(mode, digests[path]) for path, mode in modes.items() if path in digests}


def path_of(member: Member) -> str:
    """A member's path, without ``./`` before it; empty for the top. Raises ``Unfit`` for one that leads elsewhere, or
    that tools print in different ways."""
    name = member.name.decode("utf-8", "surrogateescape")
    path = name.removeprefix("./").rstrip("/") if name != "." else ""
    if _UNSAFE.search(path) or path.startswith("/") or any(part in {"", ".", ".."} for part in path.split("/") if path):
        raise Unfit(f"{path!r} cannot be compared")
    return path


def _above(path: str) -> list[str]:
    parts = path.split("/")
    return ["/".join(parts[:count]) for count in range(1, len(parts))]


def digest_of(archive: str) -> str:
    """The SHA-256 (hex) of a file."""
    with Path(archive).open("rb") as file:
        return _hashed(iter(lambda: file.read(_BLOCK), b""))


def _hashed(content: Iterator[bytes]) -> str:
    hashed = sha256()
    for block in content:
        hashed.update(block)
    return hashed.hexdigest()
