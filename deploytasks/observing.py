"""Looks at an environment: before planning, and again and again while a rollout is watched."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from .errors import DeployError
from .ports import ACCEPTED, COLORS, Alert, Color, Counts, Health, NoData, Reading

if TYPE_CHECKING:
    from .engine.plan import Situation
    from .ports import Split
    from .world import World

T = TypeVar("T")


def situation(world: World, without: Collection[str] = ()) -> Situation:
    """What stands where, now. Raises ``HostsDown`` with the names of all hosts that do not answer, but for those
    that are not asked (``without``)."""
    from .engine.plan import Situation

    fleet = world.fleet
    standing = (fleet.only(set(fleet.hosts()) - set(without)) if without else fleet).colors()
    return Situation(
        split=world.traffic.at_rest(),
        blue=standing["blue"],
        green=standing["green"],
        balancer_runs=not world.traffic.prepare(),
        lag=world.metrics.lag,
        aside=dict(world.aside),
    )


def observe(world: World, since: Any, edges: Sequence[float]) -> Reading:
    """One look at everything a rollout is judged by. A silent source is ``NoData``, never zero.

    Each question comes with a beat before: alone it stays within the switch's grace, all together may not.
    """

    def beating(ask: Callable[[], T]) -> T:
        world.pulse()
        return ask()

    at, split = world.clock.now(), beating(world.traffic.read)
    totals, more = beating(partial(_counts, world, since, edges))
    return Reading(
        at=at,
        split=split,
        totals=totals,
        probes=world.prober.totals(edges) if world.prober else None,
        health={color: beating(partial(_health, world, color, split)) for color in COLORS},
        alerts=beating(partial(_alerts, world)),
        command=world.orders.next,
        levels=beating(partial(levels, world)),
        more=more,
    )


def levels(world: World) -> Mapping[str, float] | NoData:
    """Readings of the database and the hosts."""
    return _answer_or_no_data(world.metrics.levels)


def _counts(world: World, since: Any, edges: Sequence[float]) -> tuple[Counts, Mapping[str, Counts]]:
    """What users met, by the source that says it or by the first of several; and by the others, by their names."""
    several = getattr(world.metrics, "streams", None)
    if several is not None:
        found: tuple[Counts, Mapping[str, Counts]] = several(since, edges)
        return found
    totals = _answer_or_no_data(lambda: world.metrics.totals(since, edges))
    return totals if isinstance(totals, NoData) else dict(totals), {}


def _alerts(world: World) -> Sequence[Alert] | NoData:
    """What fires now. What the gate accepted, those very alerts since that very time, is recorded as such."""
    firing = () if world.alerts is None else _answer_or_no_data(world.alerts.firing)
    if isinstance(firing, NoData):
        return firing._replace(heard=_marked(world, firing.heard))
    return _marked(world, firing)


def _marked(world: World, firing: Sequence[Alert]) -> Sequence[Alert]:
    return tuple(
        alert._replace(severity=ACCEPTED)
        if alert.severity == "critical" and (alert.name, alert.since) in world.accepted
        else alert
        for alert in firing
    )


def _health(world: World, color: Color, split: Split) -> Health:
    """The fleet's own word; and the balancer's, where it checks by itself and sends users there. What it has not found
    yet is waited for before that."""
    try:
        own = world.fleet.health(color)
    except DeployError as error:
        own = Health(False, error.what)
    ask = getattr(world.traffic, "targets", None)
    if ask is None or not split.share(color):
        return own
    try:
        return _both(own, ask(color))
    except DeployError as error:  # a second opinion that is not to be had: the first one counts
        return own._replace(detail=f"{own.detail}; {error.what}")


def _both(fleet: Health, balancer: Health) -> Health:
    """Healthy as both find it; of the shares, the smaller one."""
    shares = [each.share for each in (fleet, balancer) if each.share is not None]
    details = [each.detail for each in (fleet, balancer) if fleet.healthy == balancer.healthy or not each.healthy]
    return Health(fleet.healthy and balancer.healthy, "; ".join(details), min(shares, default=None))


def _answer_or_no_data(ask: Callable[[], T]) -> T | NoData:
    try:
        return ask()
    except DeployError as error:
        return NoData(error.what)
