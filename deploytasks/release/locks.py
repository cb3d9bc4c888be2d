"""Locks that a killed git left behind, and gits that outlived who started them."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from .. import runners
from ..errors import GateRefused
from . import git
from .changing import MARK
from .cut import Cut

_PATIENCE = 10.0
"""Seconds in which a git that is at work may finish."""
_LOOK = 0.05
"""Seconds between two looks."""
_SETTLED = 2.0
"""Seconds that a lock must have been the same: editors have some of their own, for an instant, without any git."""
_ASIDE = frozenset(
    (b"fsmonitor--daemon", b"credential-cache--daemon", b"daemon", b"gc", b"maintenance", b"repack", b"pack-objects")
)
"""Commands of git that go on in the background, and touch neither index nor branch."""


def wait_for_survivors(cut: Cut) -> None:
    """Let the git of a killed release finish: it would go on while we take back. Raises ``GateRefused``."""
    until = time.monotonic() + _PATIENCE
    while left := [pid for pid in _gits() if _is_marked(pid, cut.id)]:
        if time.monotonic() > until:
            raise GateRefused(
                f"git, started by a release that was killed, still runs: process {left[0]}",
                state=f"the release of {cut.version} is half made",
                do="wait for it, or end it, and run this again",
            )
        time.sleep(_LOOK)


def free(cut: Cut) -> None:
    """Remove the locks of a git that was killed. They are removed only while no git is at work in this work tree;
    where that cannot be told, they stay. Raises ``GateRefused`` when they do."""
    until, since, before = time.monotonic() + _PATIENCE, time.monotonic(), _held(cut)
    while left := _held(cut):
        now = time.monotonic()
        if left != before or _at_work(cut):
            since, before = now, left
        if now - since > _SETTLED and _can_tell():
            for lock in left:
                lock.unlink(missing_ok=True)
        elif now > until:
            held = min(left)
            raise GateRefused(
                f"git's lock {held} stays: a git at work, or one that was killed, holds it",
                state=f"the release of {cut.version} is half made",
                do=f"when no git runs here: rm {held}; then run this again",
            )
        time.sleep(_LOOK)


def _held(cut: Cut) -> dict[Path, tuple[int, int]]:
    """The locks that are there, each with what tells it from the next one of its name."""
    found = {}
    for lock in _locks(cut):
        with suppress(FileNotFoundError):
            seen = lock.stat()
            found[lock] = (seen.st_ino, seen.st_mtime_ns)
    return found


def _locks(cut: Cut) -> Iterator[Path]:
    yield cut.git_dir / "index.lock"
    yield cut.git_dir / "HEAD.lock"
    yield from cut.git_dir.glob("next-index-*.lock")
    for name in (f"refs/heads/{cut.branch}", f"refs/tags/{cut.tag}", "packed-refs"):
        yield cut.top / git.line(cut.top, "rev-parse", "--git-path", f"{name}.lock")


def _can_tell() -> bool:
    return Path("/proc/self/environ").exists()


def _gits() -> Iterator[int]:
    """The processes of git, but for those that started us."""
    above = set(_ancestors())
    for entry in Path("/proc").iterdir() if _can_tell() else ():
        if entry.name.isdecimal() and int(entry.name) not in above:
            with suppress(OSError):  # it ended meanwhile
                words = (entry / "cmdline").read_bytes().split(b"\0")
                program = os.path.basename(words[0])  # noqa: PTH119  bytes
                if program.startswith(b"git") and not {program.removeprefix(b"git-"), *words[1:2]} & _ASIDE:
                    yield int(entry.name)


def _ancestors() -> Iterator[int]:
    parents, pid = runners.parents(), os.getpid()
    while pid := parents.get(pid, 0):
        yield pid


def _is_marked(pid: int, name: str) -> bool:
    try:
        return f"{MARK}={name}".encode() in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return False


def _at_work(cut: Cut) -> bool:
    """Whether some git works in this work tree. A git goes to its top before it does anything."""
    for pid in _gits():
        with suppress(OSError):
            where = Path(os.readlink(f"/proc/{pid}/cwd"))  # noqa: PTH115  Path.readlink needs the file to be a link
            if where.is_relative_to(cut.top.resolve()) or where.is_relative_to(cut.git_dir.resolve()):
                return True
    return False
