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


def install(
    host: Host,
    layout: Layout,
    release: Release,
    color: Color,
    archives: Path | None,
    timeout: float,
    *,
    lists: bool = True,
) -> None:
    """Make a release whole on a host, and the color's current one. Nothing is restarted.

    The first command carries the difference to the release before, if that is small, or nothing: it suffices when the
    release is there, or the one before it. Otherwise it says what is there, and the second brings the release: as the
    difference to the newest one there whose archive is in ``archives`` too (with ``lists``, a third command asks the
    host what its release holds, when there is no such archive), or whole. A difference that does not give the release,
    to the last byte and mode, is followed by the whole archive.

    Raises ``UsageError`` when the archive is not here, ``GateRefused`` when the host's disk is too full, and what
    ``Host.run`` raises. Whatever happens, no release is half there, and the color has the old or the new one.
    """
    folder = archives or Path(release.archive).parent
    bringing = _Bringing(host, layout, release, color, folder, _until(timeout), lists)
    guess = difference.likely(release, bringing.archives)
    said = bringing.patch(guess) if guess else bringing.survey()
    if said == arrival.HERE:
        return
    if not isinstance(said, CommandFailed):
        found = _parsed(said)
        _refuse_missing(release)
        made = bringing.difference(found)
        said = bringing.patch(made) if made else ""
        if said == arrival.HERE:
            return
        _refuse_full(host, release, found)
    bringing.unpack(said if isinstance(said, CommandFailed) else None)


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


class _Bringing(NamedTuple):
    """One release on its way to one host."""

    host: Host
    layout: Layout
    release: Release
    color: Color
    archives: Path
    until: float
    lists: bool

    def left(self, most: float = float("inf")) -> float:
        """Seconds for the next command: all of them have one deadline."""
        return max(0.05, min(most, self.until - time.monotonic()))

    def survey(self) -> str:
        """What the host has, or that it has the release."""
        command = arrival.survey(self.layout, self.color, self.release.name, self.release.digest)
        return self.host.run(command, self.left(_QUICK)).strip()

    def patch(self, made: Difference) -> str | CommandFailed:
        """Install by a difference; otherwise what the host has, or why it failed."""
        command = arrival.patch(self.layout, self.color, self.release.name, self.release.digest, made)
        try:
            return self.host.run(command, self.left(), given=made.path).strip()
        except CommandFailed as error:
            return error

    def difference(self, found: _Found) -> Difference | None:
        """To the newest release whose archive is here, or else to the newest as the host itself describes it."""
        known = [(name, digest) for digest, name in found.releases if name == release_name(_version(name), digest)]
        for name, digest in known:
            if made := difference.to_archive(self.release, name, digest, self.archives):
                return made
        if not self.lists or not known or any((self.archives / f"{name}.tar.gz").is_file() for name, _ in known):
            return None
        modes = difference.modes_of(self.release)
        try:
            command = arrival.listing(self.layout, known[0][0], modes)
            listing = self.host.run(command, self.left(_LISTING)) if modes else ""
        except DeployError:
            return None
        return difference.to_listing(self.release, *known[0], listing, self.archives)

    def unpack(self, before: CommandFailed | None) -> None:
        """Install whole. ``before``: why a difference failed."""
        try:
            command = arrival.unpack(self.layout, self.color, self.release.name, self.release.digest)
            self.host.run(command, self.left(), given=self.release.archive)
        except CommandFailed as error:
            what = f"unpacking {self.release.name}"
            if before:
                what += f", after a difference had failed ({' '.join(before.lines)}),"
            raise CommandFailed(
                self.host.name, error.code, error.output, what=what, state="every color is as before"
            ) from error


def _until(timeout: float) -> float:
    return time.monotonic() + timeout


def _version(name: str) -> str:
    return name.rpartition("-")[0]
