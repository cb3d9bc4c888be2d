"""Whether what Prometheus has is good enough to judge a rollout by, and how to mend it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING

from ...errors import DeployError
from ...ports import COLORS, Color, Finding
from ...settings.prometheus import PrometheusSettings
from ...settings.rollout import Rollout
from ...verdict.levels import worded
from ..clocks import clock_findings
from ..site import Site
from .api import Api
from .counting import Series, Tally
from .feeds import Feed, feeds
from .levels import level_queries

if TYPE_CHECKING:
    from collections.abc import Mapping

WINDOW = "5m"
"""What is looked at."""
SUBJECT = "metrics: prometheus"
EFFECT = "counts go by its clock, alerts and the ledger do not"
RESETS = 3
"""So often may a counter begin anew within the window without a word."""


def diagnose(settings: PrometheusSettings, site: Site, api: Api, stale_after: float) -> Sequence[Finding]:
    """The clock, each selector, the pace of scrapes, the buckets, the levels."""
    api.begin()
    asked = datetime.now(UTC).timestamp()
    try:
        now = api.query("time()")[0].samples[0][1]
        skew = now - (asked + datetime.now(UTC).timestamp()) / 2
        found = [(feed, api.query(f"{feed.selector}[{WINDOW}]", at=now)) for feed in feeds(settings, site.application)]
    except (DeployError, IndexError) as error:
        why = getattr(error, "what", "Prometheus does not say what time it is")
        return [Finding(SUBJECT, "fail", why, getattr(error, "do", ""))]
    findings = [_clock(skew)]
    is_new = not any(site.standing().values())
    for feed, series in found:
        findings += _feed(feed, series, now, stale_after, is_new=is_new)
    findings += _pace(found, settings)
    findings += [each for feed, series in found if feed.what == "latency" for each in _bounds(feed, series, site)]
    return [*findings, *_levels(api, level_queries(settings.levels))]


def _clock(skew: float) -> Finding:
    is_right = Finding(SUBJECT, "ok", f"answers; its clock differs from ours by {abs(skew):.1f} s")
    return next(clock_findings(SUBJECT, skew, EFFECT), is_right)


def _feed(feed: Feed, series: Sequence[Series], now: float, stale_after: float, *, is_new: bool) -> Iterator[Finding]:
    """What one selector finds. ``is_new``: nothing is installed yet, so that nothing need be there."""
    subject = f"metrics: {feed.what}"
    try:
        own = [(feed.color(each.labels), each) for each in series]
    except DeployError as error:
        yield Finding(subject, "fail", error.what, "make the patterns of `colors` exclude each other")
        return
    counts = {color: sum(owner == color for owner, _ in own) for color in COLORS if color in feed.colors}
    if not any(counts.values()):
        detail = f"no series matches {feed.selector} in the last {WINDOW}"
        fine = feed.what == "errors" or is_new
        yield Finding(subject, "ok" if fine else "fail", detail, "" if fine else "check the selector")
        return
    age = now - max(each.samples[-1][0] for owner, each in own if owner)
    told = ", ".join(f"{color} {count} series" for color, count in counts.items())
    missing = [color for color, count in counts.items() if not count]
    if age > stale_after:
        stale = f"{told}; the newest sample is {age:.0f} s old, {stale_after:g} s are too old"
        yield Finding(subject, "fail", stale, "see why Prometheus does not scrape it: its page /targets")
    elif missing:
        yield Finding(subject, "warn", told, f"fine if {missing[0]} has had no request yet; else check `colors`")
    else:
        yield Finding(subject, "ok", f"{told}; the newest sample is {age:.0f} s old")
    yield from _restarts(subject, own)


def _restarts(subject: str, own: Sequence[tuple[Color | None, Series]]) -> Iterator[Finding]:
    falls = {each.labels.get("instance", ""): _falls(each.samples) for owner, each in own if owner}
    worst = max(falls, key=lambda instance: falls[instance], default="")
    if falls and falls[worst] > RESETS:
        detail = f"the counters of {worst or 'an instance'} fell {falls[worst]} times in {WINDOW}"
        do = "does each of several workers count alone? Use prometheus_client's multiprocess mode"
        yield Finding(subject, "warn", detail, do)


def _falls(samples: Sequence[tuple[float, float]]) -> int:
    return sum(after < before for (_, before), (_, after) in pairwise(samples))


def _pace(found: Sequence[tuple[Feed, Sequence[Series]]], settings: PrometheusSettings) -> Iterator[Finding]:
    """How often it is scraped, measured: what the configuration of Prometheus says need not be what happens."""
    gaps = [
        median(b - a for (a, _), (b, _) in pairwise(each.samples))
        for feed, series in found
        for each in series
        if feed.what != "errors" and len(each.samples) > 2
    ]
    if not gaps:
        return
    pace, lag = max(gaps), settings.scrape if settings.lag is None else settings.lag
    if pace > 1.2 * settings.scrape or pace > 1.2 * lag:
        do = f"set metrics.scrape to {pace:.0f}s, or let Prometheus scrape more often"
        yield Finding(
            "metrics: scrapes", "warn", f"every {pace:.3g} s, and metrics.scrape says {settings.scrape:g} s", do
        )
    else:
        yield Finding("metrics: scrapes", "ok", f"every {pace:.3g} s")


def _bounds(feed: Feed, series: Sequence[Series], site: Site) -> Iterator[Finding]:
    """Whether the histogram has a bound where a limit is: otherwise less counts as slow than is."""
    tally = Tally(feed)
    tally.begin(0.0, series)
    rollout = site.sections.get("rollout")
    chosen = rollout if isinstance(rollout, Rollout) else Rollout()
    limits = sorted({chosen.rollback_when.p99, chosen.warn_when.p99, chosen.warn_when.p95})
    for color in feed.colors:
        bounds = tally.bounds(color)
        if not bounds:
            continue
        far = {limit: next((edge for edge in bounds if edge >= limit * 0.999), float("inf")) for limit in limits}
        wide = {limit: edge for limit, edge in far.items() if edge > 1.1 * limit}
        if wide:
            told = ", ".join(f"slower than {limit:g} s counts from {_seconds(edge)} on" for limit, edge in wide.items())
            do = f"give the histogram a bound at {', '.join(f'{limit:g}' for limit in wide)} s"
            yield Finding(f"metrics: latency of {color}", "warn", told, do)


def _seconds(edge: float) -> str:
    return "no value" if edge == float("inf") else f"{edge:g} s"


def _levels(api: Api, queries: Mapping[str, str]) -> Iterator[Finding]:
    for name, query in queries.items():
        try:
            values = [series.samples[-1][1] for series in api.query(query)]
        except DeployError as error:
            yield Finding(f"metrics: {name}", "fail", error.what, f"mend metrics.levels.{name}")
            continue
        if values:
            yield Finding(f"metrics: {name}", "ok", worded(name, max(values)))
        else:
            yield Finding(f"metrics: {name}", "warn", f"no result: {query}", "it is not watched; check the query")
