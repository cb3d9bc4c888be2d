"""Prometheus: counts and latencies per color, and readings of database and hosts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from .base import Duration, Positive, Value
from .measures import OF, Measure, Measuring
from .web_access import BaseUrl, WebAccess


def _selector(given: str) -> str:
    if not re.fullmatch(r"[a-zA-Z_:][a-zA-Z0-9_:]*|([a-zA-Z_:][a-zA-Z0-9_:]*)?\{.+\}", given.strip(), re.DOTALL):
        raise ValueError(
            f'{given!r} is no plain selector: write name{{label="value"}}, without functions or a range; '
            "a sum of counters cannot tell when one of them began anew"
        )
    return given.strip()


def _pattern(given: str) -> str:
    try:
        re.compile(given)
    except re.error as error:
        raise ValueError(f"{given!r} is no regular expression: {error}") from None
    return given


def _preset(given: Any) -> Any:
    return {"preset": given} if isinstance(given, str) else given


LabelName = Annotated[str, Field(pattern=r"^[a-zA-Z_][a-zA-Z0-9_]*$")]
Selector = Annotated[str, Field(min_length=1), AfterValidator(_selector)]
"""A PromQL vector selector; ``{color}`` in it stands for what ``colors`` says, or for blue and green, in turn."""
Pattern = Annotated[str, Field(min_length=1), AfterValidator(_pattern)]
"""A regular expression that a label's whole value matches, as with ``=~``."""
Query = Annotated[str, Field(min_length=1)]
"""Any PromQL that gives an instant vector or a scalar."""

_PRESETS: Mapping[Measure, frozenset[str]] = {
    "database": frozenset({"django", "postgres_exporter"}),
    "hosts": frozenset({"node_exporter"}),
}
"""What readings the presets of ``levels`` are about."""


class ColorValues(Value):
    """What a label says for each color."""

    blue: Pattern
    """What it says for blue."""
    green: Pattern
    """What it says for green."""


class _Source(Value):
    """Where one kind of counts comes from, and how a series is known to be of a color."""

    color_label: LabelName | None = None
    """The label that tells colors apart; by default the preset's own, or ``color``."""
    colors: ColorValues | None = None
    """What that label says, as regular expressions for the whole value; by default as the preset says."""
    match: Mapping[LabelName, str] = {}
    """Labels that the series must have beside, with these very values."""


class CountQueries(_Source):
    """``counts: haproxy``, or ``{requests: 'http_requests_total{job="shop"}', errors: …}``."""

    preset: Literal["django", "envoy", "haproxy", "haproxy_servers"] | None = None
    """``haproxy`` (a backend per color), ``haproxy_servers`` (one backend, the servers named after the colors),
    ``envoy`` or ``django``."""
    requests: Selector | None = None
    """Instead of a preset: a selector of counters of all requests; ``{color}`` in it stands for each color in turn."""
    errors: Selector | None = None
    """The same, of those that failed."""

    @model_validator(mode="after")
    def _says_what(self) -> Self:
        if (self.preset is None) == (self.requests is None):
            raise ValueError("say `preset`, or `requests` and `errors`")
        if (self.requests is None) != (self.errors is None):
            raise ValueError("`requests` and `errors` belong together")
        return self


class LatencyQueries(_Source):
    """``latency: django``, or ``{buckets: 'request_seconds_bucket{job="shop"}'}``."""

    preset: Literal["django", "envoy"] | None = None
    """``envoy`` or ``django``."""
    buckets: Selector | None = None
    """Instead of a preset: a selector of a histogram's buckets."""
    milliseconds: bool = False
    """Whether the bounds of ``buckets`` are in milliseconds."""

    @model_validator(mode="after")
    def _says_what(self) -> Self:
        if (self.preset is None) == (self.buckets is None):
            raise ValueError("say `preset`, or `buckets`")
        return self


class LevelQueries(Value):
    """Readings of the database and the hosts. The worst series counts; a query without a result is not watched."""

    presets: tuple[Literal["django", "node_exporter", "postgres_exporter"], ...] = ()
    """Queries that are there already: ``node_exporter``, ``postgres_exporter``, ``django``. One that is written out
    goes before them."""
    query_time: Query | None = None
    """PromQL for the seconds of a database query; see ``warn_when.query``. Of several series the worst counts."""
    pool: Query | None = None
    """PromQL for the share of the database's connections in use, 0 to 1."""
    replication_lag: Query | None = None
    """PromQL for the seconds that a replica is behind."""
    cpu: Query | None = None
    """PromQL for a share from 0 to 1."""
    memory: Query | None = None
    """PromQL for a share from 0 to 1."""
    disk: Query | None = None
    """PromQL for the share of the time that a disk is busy, 0 to 1."""

    @property
    def able(self) -> tuple[Measure, ...]:
        """What of database and hosts is asked for, by these queries or by presets."""
        return tuple(
            measure
            for measure, presets in _PRESETS.items()
            if presets & set(self.presets) or any(getattr(self, name) for name in OF[measure])
        )


class PrometheusSettings(WebAccess, Measuring):
    """``metrics: {kind: prometheus, url: "http://127.0.0.1:9090", counts: haproxy, latency: django}``."""

    means: ClassVar[dict[str, str]] = {
        "measures": (
            "What it gives, of several sources: `errors`, `latency`, `database`, `hosts`. By default all that it "
            "can: of the last two what `levels` asks for."
        ),
    }

    kind: Literal["prometheus"] = "prometheus"
    url: BaseUrl
    """Prometheus's base URL, or that of another server with its API."""
    counts: Annotated[CountQueries, BeforeValidator(_preset)]
    """Requests and errors."""
    latency: Annotated[LatencyQueries | None, BeforeValidator(_preset)] = None
    """Where latencies come from; by default from where the counts come. HAProxy's exporter has none."""
    levels: LevelQueries = LevelQueries()
    scrape: Annotated[Duration, Field(gt=0, le=600)] = 15.0
    """How often Prometheus scrapes what is counted; ``inv doctor`` measures it."""
    lag: Annotated[Duration, Field(ge=0, le=3600)] | None = None
    """How late the numbers are; one scrape by default."""
    stale_after: Positive | None = None
    """From which age on the newest sample says nothing any more; three scrapes by default."""

    @property
    def shows_after(self) -> float:
        """One scrape, unless it is said."""
        return self.scrape if self.lag is None else self.lag

    @property
    def able(self) -> tuple[Measure, ...]:
        """Counts and latencies always; database and hosts as ``levels`` asks for them."""
        return (*self.can, *self.levels.able)

    @model_validator(mode="after")
    def _has_latency(self) -> Self:
        preset = self.counts.preset
        if self.latency is None and preset not in ("django", "envoy"):
            why = "HAProxy's exporter has no histogram" if preset else "these counts have no histogram of their own"
            raise ValueError(
                f"`latency` is missing: {why}. Take it from the application (`latency: django`), or say its `buckets`"
            )
        return self
