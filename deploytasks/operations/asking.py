"""Ask something of an environment, show the answer, and leave with the code that it means."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from .. import view
from ..at_once import at_once
from ..errors import NotEnoughEvidence, OverThreshold, Unreachable, UsageError
from ..ports import COLORS, Color, NoData, other
from ..smoke import Result, addresses, run_checks
from . import answers
from .opening import open_world

if TYPE_CHECKING:
    from invoke import Context

    from ..ports import Totals
    from ..rollout import Rules
    from ..verdict import Limits
    from ..world import World


def smoke(c: Context, env: str | None, color: str | None, *, preview: bool, json: bool) -> None:
    """Run the smoke checks; ``OverThreshold`` when one fails."""
    world = open_world(c, env, need=("traffic", "fleet", "smoke"))
    bases = addresses(world.fleet, chosen(world, color)) if color else {"": world.traffic.address()}
    if preview:
        for base in bases.values():
            for check in world.settings.smoke.checks:
                view.say(f"would ask: GET {base}{check.path}")
        return
    base = ", ".join(bases.values())
    answer = answers.smoke(base, _checked(world, bases))
    view.show("smoke", answer, json)
    if not answer["passed"]:
        failed = [check["name"] for check in answer["checks"] if not check["passed"]]
        raise OverThreshold(f"smoke checks failed at {base}: {', '.join(failed)}")


def _checked(world: World, bases: Mapping[str, str]) -> Sequence[Result]:
    """All checks at all addresses; of several hosts, each with the host's name."""
    works = [partial(run_checks, base, world.settings.smoke.checks) for base in bases.values()]
    found: list[Result] = []
    for host, came in zip(bases, at_once(works, world.settings.parallel), strict=True):
        if came.error is not None:
            raise came.error
        found += [one._replace(name=f"{host}: {one.name}") if len(bases) > 1 else one for one in came.value or ()]
    return found


def warm_up(c: Context, env: str | None, color: str | None, *, preview: bool) -> None:
    """Send the warm-up requests to a color (default: the idle one, or the live one when nothing idles)."""
    from ..steps import WarmUp

    world = open_world(c, env, need=("traffic", "fleet", "warm_up"))
    live = world.traffic.read().live
    target = chosen(world, color) if color else other(live or "green")
    settings = world.settings.warm_up
    step = WarmUp(target, settings.paths, settings.requests)
    for batch in step.calls(world):
        for call in batch:
            view.say(f"would: {call.text}" if preview else call.text)
    if not preview:
        world.perform(step.calls(world), step.deadline)


def check(
    c: Context, env: str | None, color: str | None, window: str | None, *, metrics: Sequence[str], json: bool
) -> None:
    """Read a color over a window and judge it: ``OverThreshold``, or ``NotEnoughEvidence``."""
    from ..settings.base import seconds
    from ..verdict import judge_once
    from ..verdict.levels import judge_levels

    world = open_world(c, env, need=("traffic", "fleet", "metrics", "rollout"))
    length = float(seconds(window)) if window else world.settings.rollout.watch
    target = chosen(world, color) if color else world.traffic.read().live
    if target is None:
        raise UsageError("no color has all traffic", do="say --color blue or --color green")
    seen = _window(world, target, length)
    found = [v for v in judge_once(seen, None, limits(world)) if v.metric.split()[0] in metrics]
    levels = world.levels()
    if isinstance(levels, NoData):
        view.say(f"database and hosts are unknown: {levels.why}")
    shown = [*found, *judge_levels(levels, _rules(world).warn_levels)]
    view.show("verdicts", answers.verdicts(world, target, shown, length), json)
    kinds = {verdict.kind for verdict in found}
    if "FAIL" in kinds:
        raise OverThreshold("; ".join(verdict.why for verdict in found if verdict.kind == "FAIL"))
    if "HOLD" in kinds or not found:
        raise NotEnoughEvidence("; ".join(v.why for v in found if v.kind == "HOLD") or "nothing could be judged")


def limits(world: World) -> Limits:
    """The thresholds of an environment, as the judge wants them."""
    return _rules(world).limits


def _rules(world: World) -> Rules:
    from ..rules import rollout_rules

    return rollout_rules(world.settings, "check", None, "blue", (100,))


def _window(world: World, color: Color, length: float) -> Totals:
    """What a color did during the next ``length`` seconds: counts at the end less counts at the beginning. Where they
    are copied from somewhere, the end is when they have arrived."""
    from ..verdict import LADDER, difference

    began = world.clock.now()
    before = _totals(world, began, color, LADDER)
    late = world.metrics.lag if hasattr(world.metrics, "age") else 0.0
    view.say(f"reading {color} for {length:g} s{f', and waiting {late:g} s until that shows' if late else ''}")
    world.wait(length + late)
    return difference(before, _totals(world, began, color, LADDER))


def _totals(world: World, since: datetime, color: Color, edges: Sequence[float]) -> Totals:
    totals = world.metrics.totals(since, edges)
    if isinstance(totals, NoData):
        raise NotEnoughEvidence(f"no data: {totals.why}")
    if color not in totals:
        raise NotEnoughEvidence(f"no data about {color}")
    return totals[color]


def chosen(world: World, color: str) -> Color:
    """The color that was typed: ``blue``, ``green``, or ``live`` and ``idle`` as traffic is now."""
    for known in COLORS:
        if color == known:
            return known
    live = world.traffic.at_rest().live if color in ("live", "idle") else None
    if live:
        return live if color == "live" else other(live)
    raise UsageError(f"there is no color {color!r} now", do="say blue, green, live or idle")


def history(c: Context, env: str | None, *, verify: bool, expect: str | None, limit: int, json: bool) -> None:
    """Show what happened; or verify the chain, ``OverThreshold`` when it was tampered with."""
    world = open_world(c, env, need=("store",))
    if not verify:
        view.show("history", answers.history(world, limit or None), json)
        return
    world.spool.drain(world.ledger)
    answer = answers.verification(world, world.ledger.verify(expect))
    view.show("verification", answer, json)
    if not answer["ok"]:
        raise OverThreshold(
            f"the ledger of {world.scope} was changed: {'; '.join(answer['problems'])}",
            do="keep a copy of it as it is, and find out who had access",
        )


def doctor(c: Context, env: str | None, *, json: bool) -> None:
    """Diagnose every port; ``Unreachable`` when something is broken."""
    world = open_world(c, env)
    answer = answers.doctor(world)
    view.show("doctor", answer, json)
    broken = [finding["subject"] for finding in answer["findings"] if finding["state"] == "fail"]
    if broken:
        raise Unreachable(f"not well: {', '.join(broken)}", state="nothing was changed")
