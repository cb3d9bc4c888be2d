"""Where things lie on a host.

::

    <root>/releases/<version>-<digest12>/   a release, whole: it was renamed into place; its archive's digest
                                            stands in `.digest`
    <root>/current-blue, current-green      links to releases/…
    <root>/shared/                          the application's own files, across releases
    <root>/run/<color>.start-<id>           a process that was started: identity, release, configuration; each a line
    <root>/run/<color>.pid                  a link to that of the start that is wanted
    <root>/run/<color>.service              what a supervisor was told to run (supervising.py)
    <root>/run/command-<name>.pid           the same as a pid file, for a command at work
    <root>/log/<color>.log                  what the processes of a color say; the older half is <color>.log.1
    <root>/incoming/                        archives on their way
"""

from __future__ import annotations

import re
from typing import NamedTuple

from ...ports import Color


class Layout(NamedTuple):
    """The absolute paths of a host below ``root``."""

    root: str

    @property
    def releases(self) -> str:
        """The folder of all releases."""
        return f"{self.root}/releases"

    @property
    def shared(self) -> str:
        """The folder that releases have in common."""
        return f"{self.root}/shared"

    @property
    def running(self) -> str:
        """The folder of pid files."""
        return f"{self.root}/run"

    @property
    def folders(self) -> tuple[str, ...]:
        """All that must exist."""
        return tuple(f"{self.root}/{name}" for name in ("releases", "shared", "run", "log", "incoming"))

    def release(self, name: str) -> str:
        """The folder of a release."""
        return f"{self.releases}/{name}"

    def started(self, name: str, color: Color) -> str:
        """How a release was started when it was healthy on a color last."""
        return f"{self.release(name)}/.started-{color}"

    def incoming(self, name: str) -> str:
        """Where a release's archive arrives."""
        return f"{self.root}/incoming/{name}.tar.gz"

    def current(self, color: Color) -> str:
        """The link that says which release a color has."""
        return f"{self.root}/current-{color}"

    def pid(self, color: Color) -> str:
        """The pid file of a color: a link to that of the start that is wanted."""
        return f"{self.running}/{color}.pid"

    def start(self, color: Color, start_id: str) -> str:
        """The pid file of one start."""
        return f"{self.running}/{color}.start-{start_id}"

    def service(self, color: Color) -> str:
        """The note about what a supervisor runs."""
        return f"{self.running}/{color}.service"

    def log(self, color: Color) -> str:
        """The log of a color."""
        return f"{self.root}/log/{color}.log"

    def command_pid(self, what: str) -> str:
        """The pid file of a command, named for what it does."""
        slug = re.sub(r"[^a-z0-9]+", "-", what.lower()).strip("-") or "unnamed"
        return f"{self.running}/command-{slug}.pid"
