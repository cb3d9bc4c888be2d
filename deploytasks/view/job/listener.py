"""Follows a deployment in a CI: folds its steps in the log, marks what deserves a look, keeps what stages showed."""

from __future__ import annotations

import time
from collections.abc import Callable

from ... import redaction
from ...ci import Run
from ...ci.commands import annotation
from ...ports import Event
from .. import printing
from ..scene import Scene, follow
from .marks import Mark, marks
from .sections import Sections
from .stages import Stage, heard

MOST = 9
"""Annotations of one level, before the one at the end: GitHub shows ten of a step."""


class Job:
    """One listener for one run. ``before`` and ``after``: the lines about the event are written between them."""

    def __init__(
        self, run: Run, write: Callable[[str], None] = printing.command, now: Callable[[], float] = time.time
    ) -> None:
        self.run = run
        self.scene = Scene()
        self.stages: tuple[Stage, ...] = ()
        self.marked: tuple[Mark, ...] = ()
        self._write = write
        self._sections = Sections(run.kind, write, now)

    def before(self, event: Event) -> None:
        """An event is about to be told."""
        seen = follow(self.scene, event)
        self._sections.before(event, seen.moving)
        if event.kind == "began":
            self.stages, self.marked = (), ()
        self.scene = seen
        self.stages = heard(self.stages, event, seen)

    def after(self, event: Event) -> None:
        """It was told."""
        for mark in marks(event, self.marked):
            self.marked = (*self.marked, mark)
            if self.run.kind == "github" and sum(each.level == mark.level for each in self.marked) <= MOST:
                self._write(annotation(mark.level, redaction.clean(mark.title), redaction.clean(mark.text)))
        self._sections.after(event)
