"""Bring a release to a host: what is there already stays, what is new travels, and only what is whole is shown."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from ...errors import DeployError, GateRefused, UsageError
from ...ports import Color, Release, release_name
from ...release import difference
from ...release.difference import Difference
from . import arrival
from .host import CommandFailed, Host
from .layout import Layout

_QUICK = 30.0
"""Seconds for a command that only looks, or moves names about."""
_LISTING = 10.0
"""Seconds that a host may take to say what a release of it holds; the whole archive would be there soon, too."""


class _Found(NamedTuple):
    """What a host had before: releases as (digest, name), the newest first, and the free bytes of its disk."""

    releases: Sequence[tuple[str, str]]
    free: int | None


class _Clock(NamedTuple):
    """One deadline for all commands of an installation."""

    until: float

    def left(self, most: float = float("inf")) -> float:
        return max(0.05, min(most, self.until - time.monotonic()))


def install(host: Host, layout: Layout, release: Release, color: Color, archives: Path | None, timeout: float) -> None:
    """Make a release whole on a host, and the color's current one. Nothing is restarted.

    One command when the release is there; two when it must be brought, of which the second reads it from stdin: as the
    difference to the newest release there whose archive is in ``archives`` too (a third command asks the host what its
    release holds, when there is no such archive), or whole. A difference that does not give the release, to the last
    byte and mode, is followed by the whole archive.

    Raises ``UsageError`` when the archive is not here, ``GateRefused`` when the host's disk is too full, and what
    ``Host.run`` raises. Whatever happens, no release is half there, and the color has the old or the new one.
    """
    clock = _Clock(time.monotonic() + timeout)
    said = host.run(arrival.survey(layout, color, release.name, release.digest), clock.left(_QUICK))
    if said.strip() == arrival.HERE:
        return
    found = _parsed(said)
    _refuse_missing(release)
    differing = _difference(host, layout, release, found, archives or Path(release.archive).parent, clock)
    failed = _patched(host, layout, release, color, differing, clock) if differing else None
    if differing and failed is None:
        return
    _refuse_full(host, release, found)
    _unpack(host, layout, release, color, failed, clock)


def _parsed(said: str) -> _Found:
    releases = re.findall(r"^release ([0-9a-f]{64}) ([^/\n]+)$", said, re.MULTILINE)
    space = re.search(r"^space .*\s(\d+)\s+\d+%\s", said, re.MULTILINE)
    return _Found(releases, int(space[1]) * 1024 if space else None)


def _refuse_missing(release: Release) -> None:
    if not Path(release.archive).is_file():
        where = release.archive or "any path"
        raise UsageError(f"the archive of {release.name} is not at {where}", do="build it: `inv build`")


def _refuse_full(host: Host, release: Release, found: _Found) -> None:
    """The archive and what is unpacked from it lie there side by side for a while."""
    needed = 2 * Path(release.archive).stat().st_size
    if found.free is not None and found.free < needed:
        raise GateRefused(
            f"{host.name}: {found.free / 1e6:.1f} MB are free; to unpack {release.name} takes {needed / 1e6:.1f} MB",
            state="every color is as before", do="make room there, or keep fewer releases",
        )  # fmt: skip


def _difference(
    host: Host, layout: Layout, release: Release, found: _Found, archives: Path, clock: _Clock
) -> Difference | None:
    """To the newest release whose archive is here, or else to the newest as the host itself describes it."""
    known = [(digest, name) for digest, name in found.releases if name == release_name(_version(name), digest)]
    for digest, name in known:
        if made := difference.to_archive(release, _version(name), digest, archives):
            return made
    if not known or any((archives / f"{name}.tar.gz").is_file() for _, name in known):
        return None
    try:
        modes = difference.modes_of(release)
        listing = host.run(arrival.listing(layout, known[0][1], modes), clock.left(_LISTING)) if modes else ""
    except DeployError:
        return None
    return difference.to_listing(release, known[0][1], listing, archives)


def _version(name: str) -> str:
    return name.rpartition("-")[0]


def _patched(
    host: Host, layout: Layout, release: Release, color: Color, made: Difference, clock: _Clock
) -> CommandFailed | None:
    """Install by a difference; what the host said when that is not possible."""
    command = arrival.patch(layout, color, release.name, release.digest, made)
    try:
        host.run(command, clock.left(), given=made.path)
    except CommandFailed as error:
        return error
    return None


def _unpack(
    host: Host, layout: Layout, release: Release, color: Color, before: CommandFailed | None, clock: _Clock
) -> None:
    try:
        command = arrival.unpack(layout, color, release.name, release.digest)
        host.run(command, clock.left(), given=release.archive)
    except CommandFailed as error:
        what = f"unpacking {release.name}"
        if before:
            what += f", after a difference had failed ({' '.join(before.lines)}),"
        raise CommandFailed(host.name, error.code, error.output, what=what, state="every color is as before") from error
