"""Whoever is told first chooses how to show it: drawn on a person's terminal, as lines everywhere else."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from ..ci import here
from ..ports import Event
from . import printing
from .lines import Lines

if TYPE_CHECKING:
    from .desk import Life
    from .job import Job
    from .live import Ask, Live


class Telling:
    """Lines, and a live view from ``began`` to ``ended`` where that can be drawn; in a CI, what it shows besides.
    Never raises."""

    def __init__(self) -> None:
        self._lines = Lines()
        self._live: Live | None = None
        self.job = _job()

    def take_orders(self, ask: Ask) -> None:
        """Let keys ask for something, where a live view has a keyboard."""
        if self._live is not None:
            self._live.take_orders(ask)

    def show_life(self, life: Life) -> None:
        """Show the lease and the switch, where there is a live view."""
        if self._live is not None:
            self._live.show_life(life)

    def tell(self, event: Event) -> None:
        if self.job is None:
            self._tell(event)
            return
        with suppress(Exception):  # the same for what a CI shows
            self.job.before(event)
        self._tell(event)
        with suppress(Exception):
            self.job.after(event)

    def _tell(self, event: Event) -> None:
        if event.kind == "began":
            self._live = _drawn()
        live = self._live
        if live is None or live.is_broken:
            self._lines.tell(event)
            return
        self._lines.hear(event)
        live.tell(event)
        if event.kind == "ended":
            printing.close_screen()
            self._live = None


def _job() -> Job | None:
    """What follows a deployment in a CI that understands more than lines."""
    with suppress(Exception):
        if printing.is_in_ci() and (run := here()) is not None:
            from .job import Job

            return Job(run)
    return None


def _drawn() -> Live | None:
    """A live view that has taken the terminal, if there is one to take."""
    if not printing.can_draw():
        return None
    with suppress(Exception):  # then lines will do
        import atexit

        from .live import Live

        live = Live()
        if live.fits:
            printing.close_screen()
            atexit.register(live.close)
            live.start()
            printing.take_screen(live)
            return live
    return None
