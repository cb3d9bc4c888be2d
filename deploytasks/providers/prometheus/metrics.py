"""What users experienced, from the counters that Prometheus scrapes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ...errors import DeployError, Unreachable
from ...ports import COLORS, AlertRule, Color, Finding, NoData, Totals
from ..site import Site
from ..web_service import WebService
from .api import Api
from .counting import Series, Tally
from .feeds import Feed, feeds, quoted
from .freshness import Freshness
from .levels import level_queries, read_levels

if TYPE_CHECKING:
    from ...settings.prometheus import PrometheusSettings

LOOKBACK = "1h"
"""How long before the beginning a series is looked for: one that was silent for longer counts as new."""
FURTHEST = 600.0
"""Seconds that a first look goes back at most: it fetches every sample since then."""
LONGEST = 3600.0
"""Seconds that any look goes back at most."""


class Metrics:
    """Cumulative counts per color since ``since``; see ``counting`` for how they are made.

    All times are of Prometheus's own clock, which every look asks for: ours may differ.

    A provider that is opened anew in the middle (``inv resume``) begins at most ten minutes back, not at ``since``:
    a rollout compares only counts that one process has read, and what it would fetch stays bounded.
    """

    def __init__(self, settings: PrometheusSettings, site: Site) -> None:
        self._settings = settings
        self._site = site
        self.lag = settings.shows_after
        self._stale_after = 3 * settings.scrape if settings.stale_after is None else settings.stale_after
        self._api = Api(WebService("Prometheus", settings.url, settings, site.root, site.vault), settings.within)
        self._now = 0.0
        self._feeds = tuple(Fetched(feed, self._stale_after) for feed in feeds(settings, site.application))

    def totals(self, since: datetime, edges: Sequence[float]) -> Mapping[Color, Totals] | NoData:
        """Counts since ``since``. ``NoData`` when Prometheus cannot be asked or answers in part, when nothing ever
        matched, and when what had users' requests has fallen silent (see ``freshness``)."""
        self._api.begin()
        try:
            now, up = self._now_and_up()
            self._now = now
            for fetched in self._feeds:
                fetched.read(self._api, self._on_their_clock(since, now), now)
            fresh = Freshness([each.tally for each in self._feeds], up, now, self._stale_after)
            if silent := fresh.silence():
                return NoData(silent)
            return {color: _totals(self._feeds, color, edges) for color in fresh.known()}
        except DeployError as error:
            return NoData(error.what)

    def between(self, since: datetime, until: datetime, edges: Sequence[float]) -> Mapping[Color, Totals] | NoData:
        """Counts of a time that is over, an hour at most. Whether anything is silent now is another question."""
        fed = tuple(Fetched(each.tally.feed, self._stale_after) for each in self._feeds)
        self._api.begin()
        try:
            now, _ = self._now_and_up()
            begin, end = self._on_their_clock(since, now), self._on_their_clock(until, now)
            if end - begin > LONGEST:
                return NoData(f"{end - begin:g} s are too long a time to ask Prometheus for, {LONGEST:g} s are not")
            for fetched in fed:
                fetched.read(self._api, begin, end, furthest=LONGEST)
        except DeployError as error:
            return NoData(error.what)
        known = {process.color for each in fed for process in each.tally.processes.values()}
        if not known:
            return NoData(f"Prometheus at {self._settings.url} has nothing of this time that matches")
        return {color: _totals(fed, color, edges) for color in COLORS if color in known}

    def levels(self) -> Mapping[str, float] | NoData:
        """The worst of each reading that is asked for; what has no series is absent."""
        queries = level_queries(self._settings.levels)
        if not queries:
            return {}
        self._api.begin()
        return read_levels(self._api, queries)

    def age(self, color: Color) -> float | None:
        """By Prometheus's clock, at the last look."""
        newest = [
            process.newest
            for each in self._feeds
            if each.tally.feed.what == "requests"
            for process in each.tally.of(color)
            if process.newest is not None
        ]
        return max(0.0, self._now - max(newest)) if newest else None

    def alert_rules(self) -> Sequence[AlertRule]:
        self._api.begin()
        return self._api.alert_rules()

    def diagnose(self) -> Sequence[Finding]:
        from .diagnosis import diagnose

        return diagnose(self._settings, self._site, self._api, self._stale_after)

    def _now_and_up(self) -> tuple[float, list[Series]]:
        """The time by Prometheus's clock, and which of the targets that matter answer their scrapes."""
        jobs = sorted({
            process.labels["job"]
            for each in self._feeds
            for process in each.tally.processes.values()
            if "job" in process.labels
        })  # fmt: skip
        asked = [f"up{{job=~{quoted('|'.join(map(_literally, jobs)))}}}"] if jobs else []
        asked += sorted({each.tally.feed.targets for each in self._feeds if each.tally.feed.what == "requests"} - {""})
        found = self._api.query(" or ".join([*asked, "vector(time())"]))
        now = next((series.samples[0][1] for series in found if not series.labels), None)
        if now is None:
            raise Unreachable(f"Prometheus at {self._settings.url} does not say what time it is")
        return now, [series for series in found if series.labels]

    def _on_their_clock(self, instant: datetime, now: float) -> float:
        return min(now, instant.timestamp() + now - datetime.now(UTC).timestamp())


class Fetched:
    """A feed and what was read of it."""

    def __init__(self, feed: Feed, overlap: float) -> None:
        self.tally = Tally(feed)
        self._overlap = overlap
        self._reach: float | None = None
        self._start = 0.0

    def read(self, api: Api, since: float, now: float, furthest: float = FURTHEST) -> None:
        """Fetch what is new; a first look goes back ``furthest`` seconds at most. Each one reaches back over the last
        a little: a scrape shows when it is over, with the time at which it began."""
        selector = self.tally.feed.selector
        if self._reach is None:
            start = max(since, now - furthest)
            before = api.query(f"last_over_time({selector}[{LOOKBACK}])", at=start)
            new = self._fetch(api, now - start, now)
            self.tally.begin(start, before)
            self._start = start
        else:
            new = self._fetch(api, min(now - self._reach, LONGEST), now)
        self.tally.add(self._start, new)
        self._reach = now

    def _fetch(self, api: Api, seconds: float, now: float) -> list[Series]:
        window = round(1000 * (max(seconds, 0.0) + self._overlap)) + 1
        return api.query(f"{self.tally.feed.selector}[{window}ms]", at=now)


def _totals(feeds: Sequence[Fetched], color: Color, edges: Sequence[float]) -> Totals:
    requests, errors, slower = 0.0, 0.0, dict.fromkeys(edges, 0.0)
    for tally in (each.tally for each in feeds):
        match tally.feed.what:
            case "latency":
                slower = {edge: slower[edge] + n for edge, n in tally.slower(color, edges).items()}
            case "errors":
                errors += tally.requests(color)
            case "requests":
                requests, errors = requests + tally.requests(color), errors + tally.errors(color)
    return Totals(round(requests), round(errors), {edge: round(n) for edge, n in slower.items() if round(n)})


def _literally(text: str) -> str:
    """A regular expression (RE2) for this very text."""
    return "".join(f"\\{each}" if not (each.isalnum() or each in "_- /:") else each for each in text)
