"""What users experienced, from what an Application Load Balancer tells CloudWatch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ....errors import DeployError
from ....ports import Color, Finding, NoData, Totals
from .counting import Counter
from .groups import groups_of
from .levels import Levels
from .window import Pace, Window

if TYPE_CHECKING:
    from ....settings.cloudwatch import MetricsSettings
    from ...site import Site


def _clock() -> datetime:
    return datetime.now(UTC)


class Metrics:
    """Cumulative counts per color, in whole periods; see ``counting`` for whose an error is."""

    def __init__(self, settings: MetricsSettings, site: Site, now: Callable[[], datetime] = _clock) -> None:
        late = 15 * settings.period if settings.late is None else settings.late
        stale = 5 * settings.period if settings.stale_after is None else settings.stale_after
        self._settings, self._site, self._now = settings, site, now
        self._groups = groups_of(settings, site)
        self._pace = Pace(settings.period, settings.lag, late, stale)
        self._levels = Levels(settings.levels, site)
        self._window: Window | None = None
        self._of: tuple[datetime, tuple[float, ...]] | None = None
        self.lag = settings.shows_after

    def totals(self, since: datetime, edges: Sequence[float]) -> Mapping[Color, Totals] | NoData:
        """Counts of whole periods, from the one that ``since`` is in. ``NoData`` when CloudWatch cannot be asked or
        answers in part, and when it has had no data point of either color for a while."""
        asked = since, tuple(edges)
        if self._window is None or self._of != asked:
            counter = Counter(self._groups, asked[1], self._settings.shared)
            self._window, self._of = Window(self._site, counter, self._pace, since), asked
        now = self._now().timestamp()
        try:
            self._window.read(now)
        except DeployError as error:
            return NoData(error.what)
        return self._window.totals(now)

    def between(self, since: datetime, until: datetime, edges: Sequence[float]) -> Mapping[Color, Totals] | NoData:
        """Counts of the whole periods from the one that ``since`` is in to the one before that of ``until``."""
        counter = Counter(self._groups, tuple(edges), self._settings.shared)
        window = Window(self._site, counter, self._pace, since)
        at = until.timestamp() + self._settings.lag
        try:
            window.read(at)
        except DeployError as error:
            return NoData(error.what)
        return window.totals(at)

    def age(self, color: Color) -> float | None:
        """Seconds since the end of the newest period that has a data point of a color."""
        return None if self._window is None else self._window.age(self._now().timestamp(), color)

    def levels(self) -> Mapping[str, float] | NoData:
        """The worst of each reading that is configured; what has no data point is absent."""
        try:
            return self._levels.read(self._now().timestamp())
        except DeployError as error:
            return NoData(error.what)

    def diagnose(self) -> Sequence[Finding]:
        from .diagnosis import diagnose

        return diagnose(self._settings, self._site, self._groups, self._pace, self._now().timestamp())
