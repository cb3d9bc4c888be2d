"""Whether what CloudWatch has is good enough to judge a rollout by, and how to mend it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from ....errors import DeployError
from ....ports import COLORS, Color, Finding
from ....settings.rollout import Rollout
from ....verdict.levels import worded
from .counting import Counter
from .data import fetch
from .levels import read_sources, sources, wanted

if TYPE_CHECKING:
    from ....settings.cloudwatch import MetricsSettings
    from ...site import Site
    from .groups import Groups
    from .window import Pace

LOOK = 3600.0
"""Seconds that a look goes back."""
SUBJECT = "metrics: cloudwatch"
_FINEST = 60.0
"""Seconds from data point to data point of a load balancer."""


def diagnose(settings: MetricsSettings, site: Site, groups: Groups, pace: Pace, now: float) -> Sequence[Finding]:
    """The pace, whether data comes of the load balancer and of both groups, how old it is, and the levels."""
    counter = Counter(groups, (), settings.shared)
    end = pace.begins(now) + pace.period
    try:
        points = fetch(site, counter.queries(), pace.begins(end - max(LOOK, pace.stale_after)), end, pace.period)
    except DeployError as error:
        return [Finding(SUBJECT, "fail", error.what, error.do)]
    periods = counter.periods(points)
    ends = {
        color: max((at + pace.period for at, period in periods.items() if color in period.told), default=None)
        for color in COLORS
    }
    findings = [*_pace(settings, site), *(_group(groups, color, ends[color], pace, now) for color in COLORS)]
    if all(end is None for end in ends.values()):
        findings = [_silent(groups)] + [each for each in findings if each.subject == SUBJECT]
    return [*findings, *_levels(settings, site, now)]


def _pace(settings: MetricsSettings, site: Site) -> Iterator[Finding]:
    rollout = site.sections.get("rollout")
    chosen = rollout if isinstance(rollout, Rollout) else Rollout()
    shows = settings.lag + settings.period
    if shows + 2 * chosen.poll > chosen.missing:
        detail = f"what happens shows after {shows:g} s, and `missing` is {chosen.missing:g} s: all would be taken back"
        yield Finding(SUBJECT, "fail", detail, f"say `missing: {2 * shows:g}s`")
    if settings.period < _FINEST:
        detail = f"`period` is {settings.period:g} s: a load balancer has a data point every 60 s, and no finer ones"
        yield Finding(SUBJECT, "warn", detail, "say `period: 60s`")
    if settings.period >= _FINEST and settings.lag < settings.period:
        detail = f"`lag` is {settings.lag:g} s: the newest minutes are incomplete, and are judged nevertheless"
        yield Finding(SUBJECT, "warn", detail, "say `lag: 2m`")
    if settings.shared:
        detail = "other services share the load balancer: errors of its own that no group explains are not counted"
        yield Finding(SUBJECT, "warn", detail, "make an alarm on HTTPCode_ELB_5XX_Count")


def _group(groups: Groups, color: Color, end: float | None, pace: Pace, now: float) -> Finding:
    subject, name = f"metrics: {color}", groups.of[color]
    if end is None:
        detail = f"{name} has no data point of the last hour: it had no request, and no target"
        return Finding(subject, "ok" if groups.are_certain else "warn", detail)
    age = max(0.0, now - end)
    detail = f"the newest data point of {name} is {age:.0f} s old"
    if age > pace.lag + pace.period + pace.stale_after:
        return Finding(subject, "warn", detail, "without users nothing can be judged: see that requests come")
    return Finding(subject, "ok", detail)


def _silent(groups: Groups) -> Finding:
    names = " and ".join(groups.of[color] for color in COLORS)
    detail = f"there is no data point of the last hour of {names} at {groups.load_balancer}"
    return Finding("metrics: data", "warn", detail, "see that requests come; or mend `aws.region` and the names")


def _levels(settings: MetricsSettings, site: Site, now: float) -> Iterator[Finding]:
    if not wanted(settings.levels):
        return
    try:
        found = list(read_sources(sources(settings.levels, site), site, now))
    except DeployError as error:
        yield Finding("metrics: levels", "warn", error.what, error.do)
        return
    for source, value in found:
        subject = f"metrics: {source.level}"
        if value is None:
            detail = f"{source.query.metric} of {source.what} has no data point"
            # Only replicas are behind, and only Aurora for MySQL has times of statements.
            is_fine = source.level in ("replication_lag", "query_time")
            do = "" if is_fine else "mend the name in `levels`, or take it out"
            yield Finding(subject, "ok" if is_fine else "warn", detail, do)
        else:
            yield Finding(subject, "ok", f"{worded(source.level, value)} ({source.what})")
