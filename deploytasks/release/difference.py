"""What of a release has to travel to a host that has another one.

A difference is the archive of the new release in which every file that the other one has as well, with the same
content and mode, is a hard link to it. ``tar`` unpacks it to what the whole archive gives; nothing that came into the
other release's folder later can come along.

Why links and not copies: 1,500 files of 6 MB cost a host 55 ms of CPU by ``tar``, 50 ms by ``cp -Rp``, and 20 ms as
links (ext4), and then they are hashed, 30 ms. With copies, a second release would cost what the first one did, and wear
the disk as much. The price: a program that writes *into* a file it was shipped with writes it for every release that
shares the file. New files and files that are replaced (written beside and renamed, as Python's byte code is) are not
concerned. Such a program is found out: each installation hashes every file that it linked, and where one is not what
the release says, the whole archive is unpacked and nothing shared.
"""

from __future__ import annotations

import gzip
import os
import time
from contextlib import suppress
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from threading import Lock
from typing import IO, NamedTuple

from .. import durable
from ..ports import Release
from . import manifest
from .members import BLOCK, Unfit, members

_KEPT = 7 * 86400.0
"""Seconds that a difference is kept for the next host or deployment."""
_WORTH = 0.5
"""A difference of more than this share of the whole archive is not worth its checks."""

_UNFIT = (Unfit, EOFError, OSError)
"""What stands for: there is no difference, the host shall say what is wrong with the archive."""

_SMALL = 0.1
"""A difference of at most this share of the whole archive may be sent before anybody knows whether it helps."""

_one_at_a_time = Lock()
"""Hosts are installed in parallel, and all need the same difference."""


class Difference(NamedTuple):
    """A difference, built: the file that travels, its SHA-256, and what it must give on the host."""

    path: str
    digest: str
    base: str
    """The folder name of the release that it builds on."""
    base_digest: str
    """The digest of that release."""
    result: str
    """The digest of the manifest of what is unpacked."""
    modes: tuple[str, ...]
    """The modes of its files, in octal digits."""


def likely(release: Release, archives: Path) -> Difference | None:
    """From the release whose archive was made last before: hosts probably have that one. ``None`` when there is no
    other archive here, or when the difference is not small."""
    with _one_at_a_time:
        return _likely(release, archives)


@lru_cache(maxsize=64)
def _likely(release: Release, archives: Path) -> Difference | None:
    with suppress(*_UNFIT):
        made = Path(release.archive).stat().st_mtime
        others = [one for one in archives.glob("*.tar.gz") if one.name != f"{release.name}.tar.gz"]
        ages = {one: one.stat().st_mtime for one in others}
        before = max((one for one in others if ages[one] <= made), key=ages.__getitem__, default=None)
        if before is None:
            return None
        base = before.name.removesuffix(".tar.gz"), manifest.digest_of(str(before))
        found = _between(release, base, str(before), "", archives)
        return found if found and _size(found.path) <= _SMALL * _size(release.archive) else None
    return None


def _size(file: str) -> int:
    return Path(file).stat().st_size


def to_archive(release: Release, name: str, digest: str, archives: Path) -> Difference | None:
    """From the release ``name`` with ``digest``, whose archive is in ``archives``; ``None`` when it is not there, or
    when the whole archive serves better."""
    archive = archives / f"{name}.tar.gz"
    return _built(release, (name, digest), str(archive), "", archives) if archive.is_file() else None


def to_listing(release: Release, name: str, digest: str, listing: str, archives: Path) -> Difference | None:
    """From the release ``name`` as a host lists it; ``None`` when the whole archive serves better."""
    return _built(release, (name, digest), "", listing, archives)


def modes_of(release: Release) -> tuple[str, ...]:
    """The modes of a release's files, in octal digits; none when it cannot be compared to anything."""
    with _one_at_a_time, suppress(*_UNFIT):
        return manifest.of_archive(release.archive, release.digest).modes
    return ()


def _built(release: Release, base: tuple[str, str], archive: str, listing: str, archives: Path) -> Difference | None:
    with _one_at_a_time, suppress(*_UNFIT):
        return _between(release, base, archive, listing, archives)
    return None


@lru_cache(maxsize=64)
def _between(release: Release, base: tuple[str, str], archive: str, listing: str, archives: Path) -> Difference | None:
    """``base``: name and digest of the release that its archive or its listing describes."""
    files = manifest.of_archive(archive, base[1]).files if archive else manifest.of_listing(listing)
    whole = manifest.of_archive(release.archive, release.digest)
    shared = frozenset(path for path, file in whole.files.items() if files.get(path) == file)
    if not shared:
        return None
    file = _kept(release, base[0], shared, archives)
    if _size(str(file)) > _WORTH * _size(release.archive):
        return None
    return Difference(str(file), sha256(file.read_bytes()).hexdigest(), *base, whole.digest, whole.modes)


def _kept(release: Release, name: str, shared: frozenset[str], archives: Path) -> Path:
    """The file of a difference, written if it is not there. What nobody asked for in a week is deleted."""
    folder = archives / "differences"
    key = sha256(os.fsencode("\0".join([name, release.digest, *sorted(shared)]))).hexdigest()
    file = folder / f"{release.name}-{key[:12]}.tar.gz"
    if file.exists():
        os.utime(file)
        return file
    durable.make_folder(folder)
    for old in folder.iterdir():
        with suppress(OSError):
            if old.stat().st_mtime < time.time() - _KEPT:
                old.unlink()
    aside = folder / f".{os.getpid()}-{os.urandom(4).hex()}"
    try:
        with aside.open("wb") as sink:
            _write(release.archive, name, shared, sink)
        aside.replace(file)
    finally:
        aside.unlink(missing_ok=True)
    return file


def _write(archive: str, name: str, shared: frozenset[str], sink: IO[bytes]) -> None:
    """Members in the archive's order; the names of links begin in the folder that it is unpacked in."""
    with gzip.GzipFile("", "wb", 6, sink, mtime=0) as packed:
        for member, content in members(archive):
            path = manifest.path_of(member)
            if member.is_file and path in shared:
                packed.write(member.as_link(os.fsencode(f"../../{name}/{path}")))
                continue
            packed.write(member.head)
            for piece in content:
                packed.write(piece)
            packed.write(bytes(member.padded() - member.size))
        packed.write(bytes(2 * BLOCK))
