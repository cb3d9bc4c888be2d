"""A store in a folder of this machine: one file per key, durable, compared and swapped between processes.

``put`` writes a new file aside and brings it to disk first. Creating is then one ``link``, which fails if the
name is there; swapping is a comparison and a ``rename`` under a ``flock`` that is held for microseconds only. A
reader therefore sees a whole value or none, and a process killed anywhere leaves the store as it was before or
after. The tag of a value is the SHA-256 of its content.

Files whose names start with twelve digits (the ledger's events) lie in folders of a thousand, ``<nine digits>~``;
keys do not show it.
"""

from __future__ import annotations

import errno
import hashlib
import heapq
import os
import re
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from ..durable import locked, make_folder, sync_folder, written_aside
from ..errors import Conflict, Unreachable
from ..ports import Finding, Tag
from .keys import segments

if TYPE_CHECKING:
    from ..settings.directory import DirectorySettings
    from .site import Site

_NUMBERED = re.compile(r"([0-9]{9})[0-9]{3}(?![0-9])")
_SHARD = re.compile(r"[0-9]{9}~")
_PATIENCE = 5.0
"""Seconds to wait for another process's swap, which takes microseconds."""
_DEBRIS_AGE = 3600.0
"""Seconds after which a file written aside belongs to nobody: whoever wrote it was killed."""
_LITTLE_SPACE = 100 * 2**20
"""Bytes."""

_DO = {
    errno.ENOSPC: "free some space there, then run the same command again",
    errno.EDQUOT: "free some of your quota there, then run the same command again",
    errno.EROFS: "mount it writable, or set `store.path` to a folder that is",
    errno.EACCES: "give yourself access to that folder, or set `store.path` to another one",
    errno.EPERM: "give yourself access to that folder, or set `store.path` to another one",
    errno.ENOTDIR: "move away the file that stands where the folder should be, or set `store.path`",
    errno.ETIMEDOUT: "look who has it open (`fuser -v` on that file): continue (`kill -CONT`) or end that process",
}


class DirectoryStore:
    """The ``Store`` of one machine. The folder is made on the first write. No key may be another's folder."""

    def __init__(self, settings: DirectorySettings, site: Site) -> None:
        self._root = site.folder / "store" if settings.path is None else site.path(settings.path)
        self._has_swept = False

    def get(self, key: str) -> tuple[bytes, Tag] | None:
        """The value and its tag, or ``None``. Raises ``Unreachable``."""
        path = self._path(key)
        with self._translated("read", path):
            content = _content(path)
        return None if content is None else (content, _tag(content))

    def put(self, key: str, value: bytes, expect: Tag | None) -> Tag:
        """Write durably if the key still has the tag ``expect`` (``None``: must not exist), else ``Conflict``.

        Raises ``Unreachable`` when it cannot; what was there before is then whole, and, only if the very last
        fsync failed, the new value may have come in its place.
        """
        path = self._path(key)
        with self._translated("write", path):
            make_folder(path.parent)
            with written_aside(self._aside(), value) as aside:
                if expect is None:
                    _create(path, aside)
                else:
                    _swap(path, aside, expect)
            sync_folder(path.parent)
        return _tag(value)

    def keys(self, prefix: str, after: str = "") -> Iterator[str]:
        """Keys with this prefix greater than ``after``, in order. Raises ``Unreachable``."""
        folder, slash, _ = prefix.rpartition("/")
        start = self._path(folder) if folder else self._root
        with self._translated("list", start):
            yield from _walk(start, folder + slash, prefix, after)

    def diagnose(self) -> Sequence[Finding]:
        """Whether one could write here, tried with a file that is deleted again, and how much space is left."""
        if not self._root.exists():
            return [self._not_there_yet()]
        try:
            with self._translated("write", self._root), written_aside(self._aside(), b"doctor") as aside:
                linked = aside.with_name(aside.name + "-linked")
                os.link(aside, linked)
                linked.unlink()
            free = os.statvfs(self._root)
        except Unreachable as error:
            return [Finding("store", "fail", error.what, error.do)]
        left = free.f_bavail * free.f_frsize
        if left < _LITTLE_SPACE:
            return [Finding("store", "warn", f"{self._root}: {left // 2**20} MiB left", _DO[errno.ENOSPC])]
        return [Finding("store", "ok", f"{self._root} is writable, {left // 2**20} MiB left")]

    def _not_there_yet(self) -> Finding:
        above = next(folder for folder in self._root.parents if folder.exists())
        if above.is_dir() and os.access(above, os.W_OK | os.X_OK):
            return Finding("store", "ok", f"{self._root} will be made on the first write")
        return Finding("store", "fail", f"{self._root} cannot be made in {above}", _DO[errno.EACCES])

    def _path(self, key: str) -> Path:
        """The file of a key. A key cannot lead out of the folder, nor to one of our own files."""
        *folders, name = segments(key)
        numbered = _NUMBERED.match(name)
        shard = [f"{numbered[1]}~"] if numbered else []
        return self._root.joinpath(*folders, *shard, name)

    def _aside(self) -> Path:
        """Where files are written before they come to their place; on first use, swept of what the killed left."""
        folder = self._root / ".aside"
        make_folder(folder)
        if not self._has_swept:
            self._has_swept = True
            for old in folder.iterdir():
                with suppress(OSError):  # another process sweeps as well
                    if time.time() - old.stat().st_mtime > _DEBRIS_AGE:
                        old.unlink()
        return folder

    @contextmanager
    def _translated(self, verb: str, path: Path) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            reason = error.strerror or str(error)
            code = errno.ETIMEDOUT if isinstance(error, TimeoutError) else error.errno
            raise Unreachable(
                f"cannot {verb} {path} in the store: {reason}",
                state="what the store held before is whole" if verb == "write" else "nothing was changed",
                do=_DO.get(code or 0, f"look at {self._root} (`inv doctor`), or set `store.path` to another folder"),
            ) from error


def _tag(content: bytes) -> Tag:
    return hashlib.sha256(content).hexdigest()


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def _create(path: Path, aside: Path) -> None:
    try:
        os.link(aside, path)
    except FileExistsError:
        # Over NFS, a link whose answer got lost is tried again, and finds itself there.
        if not aside.samefile(path):
            raise Conflict(path.name) from None


def _swap(path: Path, aside: Path, expect: Tag) -> None:
    with locked(path.parent / ".lock", _PATIENCE):
        found = _content(path)
        if found is None or _tag(found) != expect:
            raise Conflict(path.name)
        aside.replace(path)


def _walk(folder: Path, base: str, prefix: str, after: str) -> Iterator[str]:
    """The keys below ``folder``, whose own key is ``base`` (empty, or ending in a slash), in order."""
    names = _names(folder)
    shards = sorted(name for name in names if _SHARD.fullmatch(name))
    plain = sorted(name for name in names if not _SHARD.fullmatch(name))
    return heapq.merge(
        _walk_plain(folder, plain, base, prefix, after),
        _walk_shards(folder, shards, base, prefix, after),
    )


def _names(folder: Path) -> list[str]:
    """What is in a folder and not ours. Folders end in a slash, as in their keys; shards in their ``~``."""
    try:
        with os.scandir(folder) as entries:
            return [
                entry.name + "/" * (entry.is_dir() and not _SHARD.fullmatch(entry.name))
                for entry in entries
                if not entry.name.startswith(".")
            ]
    except FileNotFoundError:
        return []


def _walk_plain(folder: Path, names: Sequence[str], base: str, prefix: str, after: str) -> Iterator[str]:
    for name in names:
        key = base + name
        if not _may_hold(key, prefix, after):
            continue
        if name.endswith("/"):
            yield from _walk(folder / name, key, prefix, after)
        elif key.startswith(prefix) and key > after:
            yield key


def _walk_shards(folder: Path, names: Sequence[str], base: str, prefix: str, after: str) -> Iterator[str]:
    for name in names:
        if _may_hold(base + name[:-1], prefix, after):
            plain = [inner for inner in sorted(_names(folder / name)) if not inner.endswith("/")]
            yield from _walk_plain(folder / name, plain, base, prefix, after)


def _may_hold(start: str, prefix: str, after: str) -> bool:
    """Whether keys that begin with ``start`` can have the prefix and be greater than ``after``."""
    shared = min(len(start), len(prefix))
    return start[:shared] == prefix[:shared] and start >= after[: len(start)]
