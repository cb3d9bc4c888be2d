"""What users experienced, straight from Envoy's own statistics."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from ...errors import DeployError, UsageError
from ...ports import COLORS, Color, Finding, NoData, Totals
from ..site import Site
from .admin import Admin
from .place import Place, asleep, place_of
from .runtime import runtime_of

if TYPE_CHECKING:
    from ...settings.envoy_metrics import MetricsSettings

PATTERN = r"^cluster\.(blue|green)\.(upstream_rq_[1-5]xx|upstream_rq_timeout|upstream_rq_time)$"
_LINE = re.compile(r"^envoy_cluster_(\w+)\{(.*)\} (\d+)$")
_LABEL = re.compile(r'(\w+)="([^"]*)"')


class Sample(NamedTuple):
    """One line of statistics."""

    name: str
    labels: Mapping[str, str]
    value: int


class Metrics:
    """Cumulative counts per color, since Envoy started.

    Requests are those that got an answer, from the application or, instead of it, from Envoy (a connection
    that failed, a timeout). A request that timed out took longer than every edge; Envoy's histogram does not
    hold it, so it is added here.
    """

    def __init__(self, settings: MetricsSettings, site: Site) -> None:
        self.lag = settings.shows_after
        """Counts show at once, times with the next flush (1 s)."""
        self._admin = _admin(settings, site)
        self._managed = _managed(settings, site)

    def totals(self, since: datetime, edges: Sequence[float]) -> Mapping[Color, Totals] | NoData:
        """All counts since Envoy started, so ``since`` does not matter. Edges between two buckets count at the
        next one above: never too many."""
        del since
        try:
            text = self._admin.statistics(PATTERN)
        except DeployError as error:
            return NoData(error.what)
        found = list(samples(text))
        return {color: totals_of(color, found, edges) for color in COLORS}

    def levels(self) -> Mapping[str, float]:
        """Envoy knows of no database and no host."""
        return {}

    def diagnose(self) -> Sequence[Finding]:
        found = self.totals(datetime.now(UTC), ())
        if isinstance(found, NoData) and self._managed and not self._managed.read_state().alive:
            return [asleep("metrics: envoy", self._managed)]
        if isinstance(found, NoData):
            return [Finding("metrics: envoy", "fail", found.why, "start the balancer, or check metrics.admin")]
        counts = ", ".join(f"{color} {total.requests} requests" for color, total in found.items())
        return [Finding("metrics: envoy", "ok", counts)]


def samples(text: str) -> Iterator[Sample]:
    """The lines about our clusters in Prometheus's text format."""
    for line in text.splitlines():
        match = _LINE.match(line)
        if match:
            yield Sample(match[1], dict(_LABEL.findall(match[2])), int(match[3]))


def totals_of(color: Color, found: Sequence[Sample], edges: Sequence[float]) -> Totals:
    """One color's counts among all samples."""
    ours = [sample for sample in found if sample.labels.get("envoy_cluster_name") == color]
    classes = {s.labels.get("envoy_response_code_class"): s.value for s in ours if s.name == "upstream_rq_xx"}
    timeouts = sum(sample.value for sample in ours if sample.name == "upstream_rq_timeout")
    buckets = sorted(
        (float(s.labels["le"]) / 1000, s.value)
        for s in ours
        if s.name == "upstream_rq_time_bucket" and "le" in s.labels
    )
    slower = {edge: slower_than(edge, buckets) + timeouts for edge in edges}
    return Totals(sum(classes.values()), classes.get("5", 0), {edge: count for edge, count in slower.items() if count})


def slower_than(edge: float, buckets: Sequence[tuple[float, int]]) -> int:
    """How many took longer than ``edge`` (seconds); ``buckets`` are cumulative, the last one holds all."""
    if not buckets:
        return 0
    place = bisect_left(buckets, edge * (1 - 1e-9), key=lambda bucket: bucket[0])
    return buckets[-1][1] - buckets[min(place, len(buckets) - 1)][1]


def _admin(settings: MetricsSettings, site: Site) -> Admin:
    from ...settings.envoy import TrafficSettings

    if settings.admin is not None and settings.host is not None:
        from .far import forwarded

        return forwarded(settings.admin, settings.host, settings.ssh, site)
    if settings.admin is not None:
        return Admin(settings.admin, do="check metrics.admin")
    traffic = site.sections.get("traffic")
    if not isinstance(traffic, TrafficSettings):
        raise UsageError("metrics: {kind: envoy} needs traffic: {kind: envoy}, or an `admin`", do="set metrics.admin")
    return runtime_of(traffic, site).admin


def _managed(settings: MetricsSettings, site: Site) -> Place | None:
    """Where the Envoy that is asked keeps its things, when it is ours."""
    from ...settings.envoy import TrafficSettings

    traffic = site.sections.get("traffic")
    is_ours = settings.admin is None and isinstance(traffic, TrafficSettings) and traffic.managed
    return place_of(site) if is_ours else None
