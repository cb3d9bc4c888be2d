"""What users experienced, from the transactions that New Relic's agents report."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ...errors import DeployError
from ...ports import Color, Finding, NoData, Totals
from .counting import Piece, Question, marks_of
from .graph import NerdGraph
from .nrql import Span
from .window import Pace, Window

if TYPE_CHECKING:
    from ...settings.newrelic import NewRelicSettings
    from ..site import Site


def _clock() -> datetime:
    return datetime.now(UTC)


class Metrics:
    """Cumulative counts per color; see ``window`` for how they are made, and for what is no data.

    An agent that has more transactions than it may send sends a sample of them, and counts are of that sample: shares
    and percentiles are right, and requests fewer than they were.
    """

    def __init__(self, settings: NewRelicSettings, site: Site, now: Callable[[], datetime] = _clock) -> None:
        self._settings, self._site, self._now = settings, site, now
        self._graph = NerdGraph(settings, site)
        self._pace = Pace(settings.lag, settings.late, settings.stale_after)
        self._window: Window | None = None
        self._of: tuple[datetime, tuple[float, ...]] | None = None
        self.lag = settings.shows_after

    def totals(self, since: datetime, edges: Sequence[float]) -> Mapping[Color, Totals] | NoData:
        """Counts since ``since``, or of the last ten minutes where that is longer ago at the first look. ``NoData``
        when New Relic cannot be asked, answers with an error, or has had no transaction of either color for a while;
        and when releases are to be told apart and are the same."""
        asked = since, self._judged(edges)
        try:
            if self._window is None or self._of != asked:
                marks = marks_of(self._settings, self._site)
                self._window, self._of = Window(self._graph, marks, self._pace, since.timestamp(), asked[1]), asked
            self._window.read(self._now().timestamp())
        except DeployError as error:
            return NoData(error.what)
        return self._window.totals()

    def between(self, since: datetime, until: datetime, edges: Sequence[float]) -> Mapping[Color, Totals] | NoData:
        """Counts of a time that is over."""
        try:
            marks = marks_of(self._settings, self._site)
            question = Question(self._graph)
            span = Span(int(since.timestamp() * 1000), int(until.timestamp() * 1000))
            piece = Piece(question, marks, span, self._judged(edges))
            found: Mapping[Color, Totals] = self._graph.understand(piece.counts, question.ask())
        except DeployError as error:
            return NoData(error.what)
        if not any(each.requests for each in found.values()):
            return NoData(f"New Relic has no web transaction of {marks.what} of this time")
        return found

    def _judged(self, edges: Sequence[float]) -> tuple[float, ...]:
        """None where another source gives the latencies."""
        return tuple(edges) if "latency" in self._settings.gives else ()

    def age(self, color: Color) -> float | None:
        """Seconds since the newest transaction of a color that is known."""
        return None if self._window is None else self._window.age(self._now().timestamp(), color)

    def levels(self) -> Mapping[str, float] | NoData:
        """None: what transactions say of the database is the time of all its queries together."""
        return {}

    def diagnose(self) -> Sequence[Finding]:
        from .diagnosis import diagnose

        return diagnose(self._settings, self._site, self._graph, self._now().timestamp())
