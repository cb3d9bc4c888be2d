"""What users experience is known now, and every limit that takes a release back is fed by something that is configured.

What feeds what follows from the settings alone; nobody is asked for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from ..errors import Unreachable
from ..ports import COLORS, Color, NoData
from .item import Found

if TYPE_CHECKING:
    from ..settings import Settings
    from ..world import World
    from .subject import Subject

LOOK = timedelta(seconds=60)
"""How far a look goes back."""


def metrics_answer(of: Subject) -> Found:
    """The metrics have numbers of every color that has users, now; and how old they are."""
    world = of.world
    source = _kind(world.settings, "metrics")
    found = world.metrics.totals(world.clock.now() - LOOK, ())
    if isinstance(found, NoData):
        return _without_numbers(world, source, found.why)
    serving = _serving(world)
    unknown = [color for color in serving if color not in found]
    if unknown:
        why = f"knows nothing of {unknown[0]}, which has users: `inv doctor` looks closer"
        return Found("fail", f"{source} answers, and {why}")
    told = "; ".join(_age(world, color) for color in serving) or "nothing is live yet"
    return Found("pass", f"{source} answers: {told}; what happens shows within {world.metrics.lag:g} s")


def _without_numbers(world: World, source: str, why: str) -> Found:
    """Before the first deployment there may be none. Raises ``Unreachable`` when there should be."""
    if source == _kind(world.settings, "traffic") and world.traffic.prepare():
        return Found("pending", "the balancer, which counts, does not run: the deployment starts it first")
    if not _serving(world) and any(finding.state == "ok" for finding in world.metrics.diagnose()):
        return Found("warn", f"{source} answers, and has no numbers before anything is live: {why}")
    raise Unreachable(f"{source}: {why}")


def _serving(world: World) -> Sequence[Color]:
    split = world.traffic.at_rest()
    return [color for color in COLORS if split.share(color)]


def _age(world: World, color: Color) -> str:
    """Metrics that are no copy are as old as the question."""
    ask = getattr(world.metrics, "age", None)
    if ask is None:
        return f"{color} is counted at the source"
    age: float | None = ask(color)
    return f"{color} has had no request yet" if age is None else f"the newest sample of {color} is {age:.0f} s old"


class Feed(NamedTuple):
    """A limit, and what feeds it; nothing does when ``source`` is empty: then ``do`` says what to configure."""

    limit: str
    source: str
    do: str = ""


def limits_are_fed(of: Subject) -> Found:
    """Errors, P99, P99 against the baseline, health and alerts: each by a source that is named."""
    settings = of.world.settings
    feeds = list(_feeds(settings))
    fed = "; ".join(f"{feed.limit}: {feed.source}" for feed in feeds if feed.source)
    hungry = [feed for feed in feeds if not feed.source]
    if not hungry:
        return Found("pass", fed)
    told = "; ".join(f"nothing feeds {feed.limit}: {feed.do}" for feed in hungry)
    only_alerts = all(feed.limit == "alerts" for feed in hungry)
    return Found("warn" if only_alerts and settings.level != "production" else "fail", f"{told} (fed: {fed})")


def _feeds(settings: Settings) -> Iterator[Feed]:
    metrics, latency = _kind(settings, "metrics"), _latency(settings)
    probes = " and probes" if "probe" in settings.sections else ""
    yield Feed("errors", f"{metrics}{probes}")
    yield Feed("P99", latency, "set `metrics.log` (docs/haproxy.md), or configure `probe`")
    if settings.rollout.rollback_when.p99_worse is not None:
        yield Feed("P99 against the baseline", latency, "the same; or say `rollback_when.p99_worse: null`")
    page = getattr(settings.sections.get("fleet"), "health", "the health page")
    yield Feed("health", f"{page} of each host")
    alerts = _kind(settings, "alerts") if "alerts" in settings.sections else ""
    yield Feed("alerts", alerts, "add an `alerts:` section, such as {kind: alertmanager, …}")


def _latency(settings: Settings) -> str:
    """What says how long requests take. Envoy and Prometheus always do; HAProxy by its log alone."""
    metrics = settings.sections.get("metrics")
    has_probe = "probe" in settings.sections
    if _kind(settings, "metrics") == "haproxy" and not getattr(metrics, "log", None):
        return "probes alone, users' requests are not timed" if has_probe else ""
    return f"{_kind(settings, 'metrics')}{' and probes' if has_probe else ''}"


def _kind(settings: Settings, section: str) -> str:
    return str(getattr(settings.sections.get(section), "kind", section))
