"""Releases as folders of files, archives of them as they are built, and hosts of several shells that count commands."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from deploytasks.errors import Unreachable
from deploytasks.ports import Release, release_name
from deploytasks.providers.hosts.host import CommandFailed
from deploytasks.release import archive
from deploytasks.release.archive import Entry


class Thing(NamedTuple):
    """A file, or with ``is_link`` a symbolic link whose target is the content."""

    content: bytes
    is_executable: bool = False
    is_link: bool = False


Tree = Mapping[bytes, Thing]
"""Things by their paths."""


def release_of(tree: Tree, archives: Path, version: str = "1.0.0") -> Release:
    """A release with its archive, made as ``inv build`` makes it."""
    archives.mkdir(parents=True, exist_ok=True)
    entries = sorted((Entry(os.fsdecode(path), *tree[path]) for path in tree), key=lambda one: archive.order(one.path))
    aside = archives / "aside"
    with aside.open("wb") as sink:
        digest = archive.write(entries, sink)
    built = archives / f"{release_name(version, digest)}.tar.gz"
    aside.rename(built)
    return Release(version, "c0ffee", digest, str(built))


def found(folder: Path) -> dict[str, tuple[str, bytes, float]]:
    """All that lies below a folder but our own marker: kind and mode, content, and the time of a file."""
    seen = {}
    for path in folder.rglob("*"):
        status, name = path.lstat(), str(path.relative_to(folder))
        if path.is_symlink():
            seen[name] = ("link", os.fsencode(os.readlink(path)), 0.0)  # noqa: PTH115  # the very text of the link
        elif path.is_dir():
            seen[name] = (f"folder {status.st_mode:o}", b"", 0.0)
        else:
            seen[name] = (f"file {status.st_mode:o}", path.read_bytes(), status.st_mtime)
    del seen[".digest"]
    return seen


class Counting:
    """A host of this machine that counts what travels. ``shell``: the command line up to the command;
    ``path``: where its programs are looked for; ``before``: shell text that every command begins with."""

    def __init__(
        self, *, shell: tuple[str, ...] = ("/bin/sh", "-c"), path: str | None = None, before: str = ""
    ) -> None:
        self.name = "counting"
        self.round_trips = 0
        self.bytes = 0
        self._shell, self._before = shell, before
        self._environment = {**os.environ, **({"PATH": path} if path else {})}

    def run(self, command: str, timeout: float, given: str | None = None) -> str:
        self.round_trips += 1
        self.bytes += len(command) + (Path(given).stat().st_size if given else 0)
        with open(given or os.devnull, "rb") as source:  # noqa: PTH123  # the null device is no Path's business
            try:
                done = subprocess.run(
                    [*self._shell, self._before + command], stdin=source, capture_output=True,
                    timeout=timeout, check=False, env=self._environment,
                )  # fmt: skip
            except subprocess.TimeoutExpired as error:
                raise Unreachable(f"{self.name}: not done after {timeout:.1f} s") from error
        if done.returncode:
            said = (done.stdout + done.stderr).decode(errors="replace")
            raise CommandFailed(self.name, done.returncode, said)
        return done.stdout.decode(errors="replace")


TOOLS = """
    awk cat chmod cp cut date df env find grep gzip head id kill ln ls mkdir mv printf readlink rm sed setsid sh
    sha256sum sleep sort tail tar touch tr
"""
"""What our commands call."""


def programs(folder: Path, **instead: str | None) -> str:
    """A folder of links to what a host needs, with other programs in the place of some (``None``: without it)."""
    folder.mkdir()
    for name in (*TOOLS.split(), *instead):
        at = instead.get(name, shutil.which(name))
        if at and not (folder / name).exists():
            (folder / name).symlink_to(at)
    return str(folder)
