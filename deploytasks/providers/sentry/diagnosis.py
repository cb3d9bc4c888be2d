"""Whether what Sentry has is good enough to judge a rollout by, and how to mend it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from ...errors import DeployError
from ...ports import Finding
from ..clocks import SKEW, clock_findings
from .naming import marks_of

if TYPE_CHECKING:
    from ...settings.sentry import SentryMetricsSettings
    from ..site import Site
    from .client import Client
    from .events import Events

SUBJECT = "metrics: sentry"
HOUR = 3600.0
"""Seconds that are looked at."""
EFFECT = "counts go by its clock, the ledger does not"
WHOLE = 1.05
"""Requests per transaction that is stored, up to which nothing is said of sampling."""


def diagnose(
    settings: SentryMetricsSettings, site: Site, client: Client, events: Events, now: float
) -> Sequence[Finding]:
    """Whether it answers, its clock, how old the newest transaction is, how many are sampled, and whose they are."""
    client.begin()
    environment = settings.environment or site.environment
    try:
        newest = events.newest(now - HOUR, now + HOUR)
        now += client.ahead if abs(client.ahead) > SKEW else 0.0
        stored, meant = events.sampled(now - HOUR, now)
        findings = [*clock_findings(SUBJECT, client.ahead, EFFECT), _age(settings, environment, newest, now)]
        return [*findings, *_sampling(stored, meant), *_names(settings, site, events, now)]
    except DeployError as error:
        return [Finding(SUBJECT, "fail", error.what, error.do)]


def _age(settings: SentryMetricsSettings, environment: str, newest: float | None, now: float) -> Finding:
    """The newest is as late as what is counted can be, at least; where many users come it is the lag itself."""
    if newest is None:
        detail = f"no transaction of {environment} within an hour that matches `{settings.query or 'everything'}`"
        return Finding(SUBJECT, "fail", detail, "see whether the application sends transactions: docs/sentry.md")
    age = now - newest
    told = f"lag measured: the newest transaction of {environment} is {max(0.0, age):.0f} s old"
    if age < -SKEW:
        detail = f"the newest transaction of {environment} is {-age:.0f} s in the future: clocks of the hosts are wrong"
        return Finding(SUBJECT, "warn", detail, "let the hosts of the application keep their time by NTP")
    if age > settings.lag:
        detail = f"{told}, and `lag` is {settings.lag:g} s: few users came, or what comes later is missed"
        return Finding(SUBJECT, "warn", detail, f"where users come all the time: `lag: {age * 1.5:.0f}s`")
    return Finding(SUBJECT, "ok", f"{told}, `lag` is {settings.lag:g} s")


def _sampling(stored: int, meant: float) -> Iterator[Finding]:
    if not stored or meant <= stored * WHOLE:
        return
    detail = f"1 of {meant / stored:.3g} requests is stored: {stored} in the last hour, and only those are judged"
    yield Finding(SUBJECT, "ok", detail)


def _names(settings: SentryMetricsSettings, site: Site, events: Events, now: float) -> Iterator[Finding]:
    try:
        marks = marks_of(settings, site)
    except DeployError as error:
        yield Finding(SUBJECT, "warn", error.what, error.do)
        return
    counts = events.counts(marks.attribute, now - HOUR, now)
    known = {color: counts[value].requests for color, value in marks.values.items() if value in counts}
    if counts and not known:
        names = ", ".join(sorted(name or "none" for name in counts)[:5])
        detail = f"in the last hour all transactions had {marks.attribute} {names}, none {marks.words()}"
        yield Finding(SUBJECT, "fail", detail, "make `release` (or `color`) what the application says")
    elif known:
        told = ", ".join(f"{color} {number}" for color, number in known.items())
        yield Finding(SUBJECT, "ok", f"in the last hour, by {marks.attribute}: {told} transactions")
