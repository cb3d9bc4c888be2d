"""What users experienced: from HAProxy's log, or, without latencies, from its own counters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from ...errors import DeployError, Unreachable, UsageError
from ...ports import COLORS, Color, Finding, NoData, Totals
from ..site import Site
from .balancer import Balancer
from .balancers import at_once, opened
from .counters import Counted, count
from .far import FarBalancer
from .logfile import FarLog, LogFile, NearLog
from .members import members
from .requests import Counts
from .tail import Tail

if TYPE_CHECKING:
    from ...settings.haproxy import MetricsSettings

READ_WITHIN = 10.0
"""Seconds for what is new in a log, or for the counters."""


class Metrics:
    """Cumulative counts per color, over all balancers."""

    def __init__(self, settings: MetricsSettings, site: Site) -> None:
        from ...settings.haproxy import TrafficSettings

        traffic = site.sections.get("traffic")
        if not isinstance(traffic, TrafficSettings):
            raise UsageError("metrics: {kind: haproxy} needs traffic: {kind: haproxy}", do="choose other metrics")
        self.lag = settings.shows_after
        """A request is logged when it has ended; a syslog daemon may hold its line back a little."""
        self._settings = settings
        self._site = site
        self._balancers = opened(traffic, site)
        self._members = members(traffic, site)
        self._colors = {name: color for color, of in self._members.items() for name in of.names}
        self._tails: dict[str, Tail] = {}
        self._counters: dict[tuple[str, Color], Growing] = {}

    def totals(self, since: datetime, edges: Sequence[float]) -> Mapping[Color, Totals] | NoData:
        """From the log: what ended at ``since`` or later, exact at any edges. Without one: all that each HAProxy has
        counted since it was started, and nothing about latency."""
        most = self._site.parallel
        if self._settings.log:
            found = at_once(self._logs(), partial(self._logged, since, edges), most)
        else:
            found = at_once(self._balancers, self._counted, most)
        for result in found.values():
            if isinstance(result, DeployError):
                return NoData(result.what)
        parts = [result for result in found.values() if not isinstance(result, DeployError)]
        return {color: _sum([part[color] for part in parts]) for color in COLORS}

    # -- from the log --------------------------------------------------------

    def _logs(self) -> Sequence[LogFile]:
        """One for each host: balancers on the same host have one log."""
        path = self._settings.log or ""
        found: dict[str, LogFile] = {}
        for balancer in self._balancers:
            log: LogFile = NearLog(path)
            if isinstance(balancer, FarBalancer):
                log = FarLog(balancer.endpoint, balancer.reach, path)
            found.setdefault(log.name, log)
        return tuple(found.values())

    def _logged(self, since: datetime, edges: Sequence[float], log: LogFile) -> dict[Color, Totals]:
        tail = self._tails.get(log.name)
        if tail is None:
            tail = self._tails[log.name] = Tail(log, Counts(self._colors), int(since.timestamp() * 1000))
        if not tail.catch_up(READ_WITHIN):
            raise Unreachable(f"haproxy's log {log.name} is longer than could be read so far", do="wait")
        return {color: tail.counts.totals(color, edges) for color in COLORS}

    # -- from the counters ---------------------------------------------------

    def _counted(self, balancer: Balancer) -> dict[Color, Totals]:
        found = {}
        for color in COLORS:
            seen = count(balancer, self._members[color], READ_WITHIN)
            found[color] = self._counters.setdefault((balancer.name, color), Growing()).seen(seen)
        return found

    def levels(self) -> Mapping[str, float]:
        """HAProxy knows of no database and no host."""
        return {}

    # -- doctor --------------------------------------------------------------

    def diagnose(self) -> Sequence[Finding]:
        from .diagnosis import diagnose_counters, diagnose_logs

        now = datetime.now(UTC)
        if self._settings.log is None:
            return list(diagnose_counters(self.totals(now, ()), has_prober="probe" in self._site.sections))
        return list(diagnose_logs(self._logs(), self._colors))


class Growing:
    """Counters of one backend that go on over a restart of their HAProxy, which starts again at zero."""

    def __init__(self) -> None:
        self._before = Totals(0, 0, {})
        self._last: Counted | None = None

    def seen(self, now: Counted) -> Totals:
        """All so far, with what was counted before a restart."""
        last = self._last
        if last is not None and (now.requests < last.requests or now.errors < last.errors):
            self._before = Totals(self._before.requests + last.requests, self._before.errors + last.errors, {})
        self._last = now
        return Totals(self._before.requests + now.requests, self._before.errors + now.errors, {})


def _sum(parts: Sequence[Totals]) -> Totals:
    slower: dict[float, int] = {}
    for part in parts:
        for edge, slow in part.slower.items():
            slower[edge] = slower.get(edge, 0) + slow
    return Totals(sum(part.requests for part in parts), sum(part.errors for part in parts), slower)
