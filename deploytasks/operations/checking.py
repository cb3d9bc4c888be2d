"""One reading of a color, judged; or one after the other, until somebody has seen enough."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from typing import TYPE_CHECKING, Any

from .. import interrupt, view
from ..errors import Interrupted, NotEnoughEvidence, OverThreshold, UsageError
from ..ports import Color, NoData, Totals, other
from ..verdict import Limits, Verdict, judge_once
from ..verdict.levels import judge_levels
from . import judged
from .judged import Judged
from .lookback import Window, sources_of
from .opening import open_world

if TYPE_CHECKING:
    from invoke import Context

    from ..rollout import Rules
    from ..world import World

METRICS: Mapping[str, tuple[str, ...]] = {"errors": ("errors",), "latency": ("p95", "p99", "p99_worse")}
"""What is judged → by which verdicts."""


def check(
    c: Context,
    env: str | None,
    color: str | None,
    window: str | None,
    *,
    measure: str,
    release: str | None = None,
    watch: bool = False,
    json: bool = False,
) -> None:
    """Judge what a color did over a window, by each source that gives ``measure``: ``errors`` or ``latency``.

    With ``watch`` again at each poll, until interrupted; what was judged last counts. Raises ``OverThreshold`` and
    ``NotEnoughEvidence``.
    """
    from ..settings.base import seconds

    world = open_world(c, env, need=("traffic", "fleet", "metrics", "rollout"))
    length = float(seconds(window)) if window else world.settings.rollout.watch
    target = _target(world, color, release)
    sources = sources_of(world, measure)
    if not sources:
        raise UsageError(f"no source gives {measure}", do="see `measures` under `metrics:`, docs/configuration.md")
    looks = [Window(world, source, length) for source in sources]
    if watch:
        found = _watched(world, looks, target, measure, length, json=json)
    else:
        _let_pass(world, looks, target, length)
        found = _judge(world, looks, target, measure)
        view.show("verdicts", _answer(world, target, found, length), json)
    _leave(found)


def _target(world: World, color: str | None, release: str | None) -> Color:
    """The color that is meant: by its name, by what is on it, or the live one."""
    from .asking import chosen

    if release is not None:
        if color is not None:
            raise UsageError("say --color or --release, not both")
        return _with_release(world, release)
    target = chosen(world, color) if color else world.traffic.read().live
    if target is None:
        raise UsageError("no color has all traffic", do="say --color blue or --color green")
    return target


def _with_release(world: World, release: str) -> Color:
    prefix = world.settings.tag_prefix
    wanted = {release, release.removeprefix(prefix)} if prefix else {release}
    standing = {color: found.version for color, found in world.fleet.colors().items() if found is not None}
    on = [color for color, version in standing.items() if version in wanted]
    if len(on) == 1:
        return on[0]
    told = ", ".join(f"{color} has {version}" for color, version in standing.items()) or "nothing is installed"
    if on:
        raise UsageError(f"{release} is on both colors", do="say --color blue or --color green")
    raise UsageError(f"{release} is on neither color: {told}", do="say one of those, or --color")


def _let_pass(world: World, looks: Sequence[Window], color: Color, length: float) -> None:
    """Wait until the window of each has gone by; where it has, nothing is waited for."""
    ahead = max(look.ready_after for look in looks)
    if ahead <= 0:
        return
    late = f", and waiting {ahead - length:g} s until that shows" if ahead > length else ""
    view.say(f"reading {color} for {length:g} s{late}")
    world.wait(ahead)


def _judge(world: World, looks: Sequence[Window], color: Color, measure: str) -> list[Judged]:
    return [_judged(world, look, color, measure) for look in looks]


def _judged(world: World, look: Window, color: Color, measure: str) -> Judged:
    found = look.read()
    has_latency = "latency" in look.source.gives
    own: Totals | NoData = found if isinstance(found, NoData) else found.get(color, NoData(f"no data about {color}"))
    if isinstance(own, NoData):
        least = limits(world).min_requests
        why = f"{measure}: no data from {look.source.name}: {own.why}"
        return Judged(look.source.name, own, None, [Verdict("HOLD", measure, 0, None, least, why)], has_latency)
    beside = None if isinstance(found, NoData) else found.get(other(color))
    baseline = beside if beside is not None and beside.requests else None
    verdicts = [each for each in judge_once(own, baseline, limits(world)) if each.metric in METRICS[measure]]
    return Judged(look.source.name, own, baseline, verdicts, has_latency)


def limits(world: World) -> Limits:
    """The thresholds of an environment, as the judge wants them."""
    return _rules(world).limits


def _rules(world: World) -> Rules:
    from ..rules import rollout_rules

    return rollout_rules(world.settings, "check", None, "blue", (100,))


def _watched(
    world: World, looks: Sequence[Window], color: Color, measure: str, length: float, *, json: bool
) -> list[Judged]:
    """Judge at each poll and show it; an interruption ends it, and that is no failure."""
    found: list[Judged] = []
    with closing(view.looking(json=json)) as screen, interrupt.caught():
        try:
            while True:
                world.wait(world.settings.rollout.poll)
                found = _judge(world, looks, color, measure)
                screen.show(_answer(world, color, found, length))
        except Interrupted:
            if not found:
                raise
    return found


def _answer(world: World, color: Color, found: Sequence[Judged], length: float) -> dict[str, Any]:
    levels = world.levels()
    if isinstance(levels, NoData):
        view.say(f"database and hosts are unknown: {levels.why}")
    beside = judge_levels(levels, _rules(world).warn_levels)
    return judged.answer(world.site.environment, color, found, beside, limits(world), length)


def _leave(found: Sequence[Judged]) -> None:
    """With the code that it means: one source that finds it bad is enough, and so is one that knows too little."""
    verdicts = [verdict for each in found for verdict in each.verdicts]
    if bad := [verdict.why for verdict in verdicts if verdict.kind == "FAIL"]:
        raise OverThreshold("; ".join(bad))
    unclear = [verdict.why for verdict in verdicts if verdict.kind == "HOLD"]
    if unclear or not verdicts:
        raise NotEnoughEvidence("; ".join(unclear) or "nothing could be judged")
