"""The steps of a deployment as parts of a log that can be folded.

Not the step that moves traffic: it takes longest, and is what people watch. GitLab gets a section for it that is open;
at GitHub a group would be folded, so that there is none.
"""

from __future__ import annotations

from collections.abc import Callable

from ... import redaction
from ...ci import Kind
from ...ci.commands import END_OF_GROUP, group, section_end, section_start
from ...ci.harmless import harmless
from ...ledger.facts import text
from ...ports import Event
from ..wording import one_line


class Sections:
    """At most one is open."""

    def __init__(self, kind: Kind, write: Callable[[str], None], now: Callable[[], float]) -> None:
        self._kind = kind
        self._write = write
        self._now = now
        self._open = ""
        """Its name."""
        self._count = 0

    def before(self, event: Event, moving: str) -> None:
        """A step that begins has a section of its own. ``moving``: the step that moves traffic."""
        if event.kind in ("began", "ended"):
            self._close()
        label = text(event.facts, "step")
        if event.kind == "step" and text(event.facts, "state") == "began":
            self._close()
            self._begin(label, is_moving=label == moving)

    def after(self, event: Event) -> None:
        """A step that is done, or taken back, is over."""
        if event.kind == "step" and text(event.facts, "state") != "began":
            self._close()

    def _begin(self, label: str, *, is_moving: bool) -> None:
        title = harmless(one_line(redaction.clean(label)), self._kind)
        if self._kind == "gitlab":
            self._count += 1
            self._open = f"step_{self._count}"
            self._write(section_start(self._open, title, self._now(), collapsed=not is_moving))
        elif self._kind == "github" and not is_moving:
            self._open = title
            self._write(group(title))

    def _close(self) -> None:
        if not self._open:
            return
        self._write(section_end(self._open, self._now()) if self._kind == "gitlab" else END_OF_GROUP)
        self._open = ""
