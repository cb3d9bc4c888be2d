"""What users experience is known now, and every limit that takes a release back is fed by something that is configured.

What feeds what follows from the settings alone; nobody is asked for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from ..at_once import Came, at_once
from ..errors import DeployError, Unreachable
from ..ports import COLORS, Color, NoData
from ..settings.several import named, parts
from ..settings.sources import JUDGED, given_by
from ..sources import Source, every_source
from .item import Answer, Found

if TYPE_CHECKING:
    from ..settings import Settings
    from ..settings.measures import Measure
    from ..world import World
    from .subject import Subject

LOOK = timedelta(seconds=60)
"""How far a look goes back."""
_WORST: tuple[Answer, ...] = ("fail", "warn", "pending", "pass")


def metrics_answer(of: Subject) -> Found:
    """The metrics have numbers of every color that has users, now; and how old they are. Of several, each has."""
    world, every = of.world, every_source(of.world)
    if len(every) == 1:
        return _answers(world, every[0])
    came = at_once([partial(_answers, world, source) for source in every], len(every))
    return _together([_found(each) for each in came])


def _found(came: Came[Found]) -> Found:
    if isinstance(came.error, DeployError):
        return Found("fail", came.error.what)
    if came.error is not None:
        raise came.error
    assert came.value is not None
    return came.value


def _together(found: Sequence[Found]) -> Found:
    """The worst answer, with what all have to say; those first who have that answer."""
    worst = next(answer for answer in _WORST if any(each.answer == answer for each in found))
    ordered = sorted(found, key=lambda each: each.answer != worst)
    return Found(worst, "; ".join(each.evidence for each in ordered))


def _answers(world: World, source: Source) -> Found:
    if not source.gives & set(JUDGED):
        return _reads(source)
    found = source.port.totals(world.clock.now() - LOOK, ())
    if isinstance(found, NoData):
        return _without_numbers(world, source, found.why)
    serving = _serving(world)
    unknown = [color for color in serving if color not in found]
    if unknown:
        why = f"knows nothing of {unknown[0]}, which has users: `inv doctor` looks closer"
        return Found("fail", f"{source.name} answers, and {why}")
    told = "; ".join(_age(source, color) for color in serving) or "nothing is live yet"
    return Found("pass", f"{source.name} answers: {told}; what happens shows within {source.port.lag:g} s")


def _reads(source: Source) -> Found:
    """A source of readings of database and hosts alone. Raises ``Unreachable`` when it has none."""
    found = source.port.levels()
    if isinstance(found, NoData):
        raise Unreachable(f"{source.name}: {found.why}")
    return Found("pass", f"{source.name} answers: {len(found)} readings of database and hosts")


def _without_numbers(world: World, source: Source, why: str) -> Found:
    """Before the first deployment there may be none. Raises ``Unreachable`` when there should be."""
    if source.name.partition(" ")[0] == _kind(world.settings, "traffic") and world.traffic.prepare():
        return Found("pending", "the balancer, which counts, does not run: the deployment starts it first")
    if not _serving(world) and any(finding.state == "ok" for finding in source.port.diagnose()):
        return Found("warn", f"{source.name} answers, and has no numbers before anything is live: {why}")
    raise Unreachable(f"{source.name}: {why}")


def _serving(world: World) -> Sequence[Color]:
    split = world.traffic.at_rest()
    return [color for color in COLORS if split.share(color)]


def _age(source: Source, color: Color) -> str:
    """Metrics that are no copy are as old as the question."""
    ask = getattr(source.port, "age", None)
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
    found = list(feeds(settings))
    fed = "; ".join(f"{feed.limit}: {feed.source}" for feed in found if feed.source)
    hungry = [feed for feed in found if not feed.source]
    if not hungry:
        return Found("pass", fed)
    told = "; ".join(f"nothing feeds {feed.limit}: {feed.do}" for feed in hungry)
    only_alerts = all(feed.limit == "alerts" for feed in hungry)
    return Found("warn" if only_alerts and settings.level != "production" else "fail", f"{told} (fed: {fed})")


def feeds(settings: Settings) -> Iterator[Feed]:
    """Every limit that rolls back, with what feeds it."""
    timed, how = _latency(settings), _how_to_time(settings)
    yield Feed("errors", _given(settings, "errors", " and probes"), "name a source that gives `errors` under `metrics`")
    yield Feed("P99", timed, how)
    if settings.rollout.rollback_when.p99_worse is not None:
        yield Feed("P99 against the baseline", timed, "the same; or say `rollback_when.p99_worse: null`")
    page = getattr(settings.sections.get("fleet"), "health", "the health page")
    yield Feed("health", f"{page} of each host")
    yield Feed("alerts", _kind(settings, "alerts"), "add an `alerts:` section, such as {kind: alertmanager, …}")


def _given(settings: Settings, measure: Measure, probed: str) -> str:
    """Who gives a measure, of the parts of ``metrics``; and our own requests, where users' have a source."""
    values = parts(settings.sections.get("metrics"))
    names = [name for name, value in zip(named(values), values, strict=True) if measure in given_by(value)]
    return ", ".join(names) + probed * ("probe" in settings.sections) if names else ""


def _latency(settings: Settings) -> str:
    """What says how long requests take."""
    if timed := _given(settings, "latency", " and probes"):
        return timed
    return "probes alone, users' requests are not timed" if "probe" in settings.sections else ""


def _how_to_time(settings: Settings) -> str:
    kinds = {getattr(value, "kind", "") for value in parts(settings.sections.get("metrics"))}
    if "haproxy" in kinds:
        return "set `metrics.log` (docs/haproxy.md), or configure `probe`"
    return "name a source that gives `latency` under `metrics`, or configure `probe`"


def _kind(settings: Settings, section: str) -> str:
    """What a section is called; all of them, where it is a list; empty when there is none."""
    return ", ".join(named(parts(settings.sections.get(section))))
