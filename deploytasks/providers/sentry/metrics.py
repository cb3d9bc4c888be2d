"""What users experienced, from the transactions that Sentry has of each release.

When nothing is known, and when a color had no request:

* Sentry cannot be asked, sees no project, or does not know the environment: nothing is known;
* it has had no transaction of any release for ``stale_after`` seconds beyond ``lag``: nothing is known, for whether
  there was none or none came through cannot be told;
* it has some, but all of names that are not ours: nothing is known, the names are wrong;
* it has some of one color and none of the other: that one had no request.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from ...errors import DeployError, Unreachable
from ...ports import COLORS, Color, Finding, NoData, Totals
from ..clocks import SKEW
from .client import Client
from .events import Counts, Events, Tally, searched
from .naming import Marks, marks_of
from .window import Window, joined, pieces

if TYPE_CHECKING:
    from ...settings.sentry import SentryMetricsSettings
    from ..site import Site


class Look(NamedTuple):
    """What a series of looks goes by, from ``since`` on. ``ahead``: by how many seconds their clock is ahead."""

    since: datetime
    marks: Marks
    ahead: float
    window: Window


def _clock() -> datetime:
    return datetime.now(UTC)


class Metrics:
    """Requests and errors per color: whole counts of what is stored; no latencies."""

    def __init__(self, settings: SentryMetricsSettings, site: Site, now: Callable[[], datetime] = _clock) -> None:
        self._settings, self._site, self._now = settings, site, now
        self.lag = settings.shows_after
        self.environment = settings.environment or site.environment
        self._client = Client(settings, site)
        self._events = Events(settings, self.environment, self._client)
        self._look: Look | None = None
        self._said: dict[Color, Totals] = {}

    def totals(self, since: datetime, edges: Sequence[float]) -> Mapping[Color, Totals] | NoData:
        """Counts since ``since``, up to ``lag`` seconds ago; see above for ``NoData``. None is slower than any edge."""
        self._client.begin()
        try:
            look = self._begun(since)
            now = self._theirs(look)
            counts = look.window.read(lambda start, end: self._counts(look, start, end), now - self.lag)
            if look.window.grew <= max(look.window.start, now - self.lag - self._settings.stale_after):
                self._is_alive(now)
            self._are_ours(look.marks, counts)
        except DeployError as error:
            return NoData(error.what)
        for color in COLORS:
            self._said[color] = _risen(self._said.get(color), counts.get(look.marks.values.get(color, "?"), Tally()))
        return dict(self._said)

    def between(self, since: datetime, until: datetime, edges: Sequence[float]) -> Mapping[Color, Totals] | NoData:
        """Counts of that time, by the releases that stand on the colors now; ``NoData`` where there are none at all."""
        self._client.begin()
        try:
            marks = marks_of(self._settings, self._site)
            counts: Counts = {}
            for start, end in pieces(since.timestamp(), until.timestamp()):
                counts = joined(counts, self._events.counts(marks.attribute, start, end))
            if not counts:
                raise Unreachable(f"Sentry has no transaction of {self.environment} in that time")
            self._are_ours(marks, counts)
        except DeployError as error:
            return NoData(error.what)
        return {color: _risen(None, counts.get(marks.values.get(color, "?"), Tally())) for color in COLORS}

    def levels(self) -> Mapping[str, float] | NoData:
        """None: Sentry knows nothing of databases and hosts."""
        return {}

    def age(self, color: Color) -> float | None:
        """Seconds since the newest transaction of a color within the last hour; asked for when this is asked."""
        self._client.begin()
        try:
            marks = self._look.marks if self._look else marks_of(self._settings, self._site)
            if color not in marks.values:
                return None
            now = self._now().timestamp() + self._minded()
            newest = self._events.newest(now - 3600, now + 60, searched(marks.attribute, marks.values[color]))
        except DeployError:
            return None
        return None if newest is None else max(0.0, now - newest)

    def diagnose(self) -> Sequence[Finding]:
        from .diagnosis import diagnose

        return diagnose(self._settings, self._site, self._client, self._events, self._now().timestamp())

    def _begun(self, since: datetime) -> Look:
        """Whose requests are counted is asked of the hosts once: what is installed meanwhile is another story."""
        if self._look is None or self._look.since != since:
            marks = marks_of(self._settings, self._site)
            at = self._now().timestamp()
            self._events.newest(at - self._settings.stale_after, at)  # whose clock is right, before it counts
            ahead = self._minded()
            self._look = Look(since, marks, ahead, Window(since.timestamp() + ahead, self._settings.late))
            self._said = {}
        return self._look

    def _minded(self) -> float:
        return self._client.ahead if abs(self._client.ahead) > SKEW else 0.0

    def _theirs(self, look: Look) -> float:
        return self._now().timestamp() + look.ahead

    def _counts(self, look: Look, start: float, end: float) -> Counts:
        return self._events.counts(look.marks.attribute, start, end)

    def _is_alive(self, now: float) -> None:
        reach = self.lag + self._settings.stale_after
        if self._events.newest(now - reach, now + 60) is None:
            raise Unreachable(
                f"Sentry has no transaction of {self.environment} in the last {reach:.0f} s",
                do="see whether the application sends transactions, and with this environment",
            )

    def _are_ours(self, marks: Marks, counts: Counts) -> None:
        others = sorted(set(counts) - set(marks.values.values()))
        if others and len(others) == len(counts):
            names = ", ".join(name or "none" for name in others[:5])
            raise Unreachable(
                f"Sentry has transactions with {marks.attribute} {names}, and none with {marks.words()}",
                do="make `release` (or `color`) what the application says",
            )


def _risen(before: Totals | None, now: Tally) -> Totals:
    """What is known now, and no count below what was said before."""
    if before is None:
        return Totals(now.requests, now.errors, {})
    return Totals(max(before.requests, now.requests), max(before.errors, now.errors), {})
