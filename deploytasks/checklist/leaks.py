"""Nothing secret travels: the files of a release, and all else in its commit, are looked through."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import DeployError, UsageError
from .fingerprints import parts_of
from .item import Found
from .secrets import declared, secrets

if TYPE_CHECKING:
    from ..ports import Release
    from ..release.looking import Looked
    from ..world import World
    from .scanning import Finding, Needle
    from .subject import Subject

LONGEST = 60.0
"""Seconds for looking through everything."""
_TOLD = 8
"""Findings in the evidence."""


class _Seen:
    """What was looked through so far."""

    def __init__(self) -> None:
        self.files = 0
        self.size = 0
        self.findings: list[Finding] = []


def nothing_leaks(of: Subject) -> Found:
    """No value of a known secret, no key, no token and no file that should stay at home is in what is deployed, or
    beside it in the commit."""
    from ..release.members import Unfit
    from .scanning import SHORTEST, needles  # many patterns: only who looks pays for them

    if of.release is None:
        return Found("pending", "no release yet")
    world = of.world
    known = [(one.name, part) for one in secrets(world) if one.value for part in parts_of(one.value)]
    try:
        seen = look_through(_files(world, of.release), needles(known), declared(world).leaks_allowed)
    except (Unfit, EOFError, OSError) as error:
        return Found("fail", f"the archive cannot be looked through: {error}")
    except UsageError as error:
        return Found("fail", f"cannot be looked through: {error.what}")
    if seen.findings:
        return Found("fail", _told(seen.findings))
    short = sorted({name for name, part in known if len(part) < SHORTEST})
    but = f"; too short to be looked for: {', '.join(short)}" if short else ""
    size = f"{seen.size / 1e6:.1f} MB"
    count = len({name for name, part in known if len(part) >= SHORTEST})
    return Found("pass", f"{seen.files} files, {size}: none of {count} known secrets, no key, no token{but}")


def look_through(
    files: Iterable[Looked], known: Sequence[Needle], allowed: Sequence[str], longest: float = LONGEST
) -> _Seen:
    """Look through files. ``allowed``: patterns of paths that may look secret. Raises ``DeployError`` when it takes
    longer than ``longest`` seconds."""
    from .scanning import scan

    began, seen = time.monotonic(), _Seen()
    for path, content in files:
        seen.files += 1
        found = scan(path, _timed(content, seen, began + longest), known)
        is_allowed = any(fnmatchcase(path, pattern) for pattern in allowed)
        seen.findings += [one for one in found if one.is_known or not is_allowed]
    return seen


def _timed(content: Iterable[bytes], seen: _Seen, until: float) -> Iterator[bytes]:
    if time.monotonic() > until:
        raise DeployError(
            f"the release could not be looked through in time: {seen.files} files, {seen.size / 1e6:.0f} MB so far",
            do="keep large files elsewhere",
        )
    for piece in content:
        seen.size += len(piece)
        yield piece


def _files(world: World, release: Release) -> Iterator[Looked]:
    """What is deployed, from its archive where there is one; then what else its commit has."""
    from ..release import git, looking

    inside = _inside(world)
    if Path(release.archive).exists():
        yield from _below(inside, looking.of_archive(release.archive))
        if inside != ".":
            with suppress(git.GitRefused):  # built elsewhere: the commit is not here
                yield from looking.of_commit(git.top(world.site.root), release.commit, inside)
        return
    if release.dirty:
        yield from _below(inside, _work_tree(world, inside))
    if not release.dirty or inside != ".":
        yield from looking.of_commit(git.top(world.site.root), release.commit, inside if release.dirty else "")


def _below(inside: str, files: Iterable[Looked]) -> Iterator[Looked]:
    """The same with paths as the repository has them."""
    return ((path if inside == "." else f"{inside}/{path}", content) for path, content in files)


def _inside(world: World) -> str:
    """The source relative to the top of the repository; ``.`` where it is all of it, or where there is none."""
    from ..release import git

    try:
        top = git.top(world.site.root).resolve()
    except UsageError:
        return "."
    return (world.site.root / world.settings.source).resolve().relative_to(top).as_posix()


def _work_tree(world: World, inside: str) -> Iterator[Looked]:
    from ..release import contents, git

    top = git.top(world.site.root)
    state = world.site.path(world.settings.state).resolve()
    exclude = [state.relative_to(top.resolve()).as_posix()] if state.is_relative_to(top.resolve()) else []
    for entry in contents.of_work_tree(top, inside, exclude):
        yield entry.path, iter((entry.content,))


def _told(findings: Sequence[Finding]) -> str:
    more = f"; and {len(findings) - _TOLD} more" if len(findings) > _TOLD else ""
    known = any(one.is_known for one in findings)
    do = " (a value that was committed is known to whoever has the repository: make a new one)" if known else ""
    return f"{'; '.join(str(one) for one in findings[:_TOLD])}{more}{do}"
