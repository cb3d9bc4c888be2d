"""After a death: take back what was left unfinished, or go on with it."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from .. import interrupt, view
from ..engine.plan import Plan, digest, from_json, rendered
from ..engine.progress import Progress, progress
from ..engine.run import Outcome, back, is_sealed
from ..errors import DeployError, GateRefused, LeaseHeld, TakenBack, Unreachable, WayBackFailed
from ..ports import Split
from .consent import ask
from .executing import concluded, end, execute
from .opening import leased

if TYPE_CHECKING:
    from ..world import World


def recover(world: World) -> None:
    """Under the lease: import what was spooled, and take back a deployment whose deployer died."""
    world.catch_up()
    try:
        found = recorded(world)
    except UnreadablePlan as error:
        _close_by_the_balancer(world, error)
        return
    if found is None:
        return
    plan, past, _ = found
    world.deployment = plan.deployment
    if is_sealed(plan, past):
        view.say(f"{plan.task} {plan.deployment} was done when its deployer died: it stays")
        end(world, Outcome(0, "done", "its deployer died when all but clearing up was done", 0.0))
        world.deployment = ""
        return
    view.say(f"{plan.task} {plan.deployment} was left unfinished: taking it back first")
    began = world.clock.elapsed()
    with interrupt.held_off():
        _have_a_balancer(world)
        left, traffic_failed = back(plan, world, past.begun, "its deployer died")
    code = WayBackFailed.exit_code if traffic_failed else TakenBack.exit_code
    end(world, Outcome(code, "recovered", "its deployer died", world.clock.elapsed() - began, left))
    world.deployment = ""
    world.has_written = False  # what comes now begins anew: refused before it wrote, it changed nothing
    if traffic_failed:
        raise WayBackFailed("a dead deployment could not be taken back", state="; ".join(left), do="`inv doctor`")


def _close_by_the_balancer(world: World, error: UnreadablePlan) -> None:
    """Without its plan, what a dead deployment did to traffic can still be taken back: the balancer knows home."""
    view.say(f"{error.what}: its traffic is taken home, and nothing else of it is taken back")
    world.deployment = error.deployment
    split = world.traffic.at_rest()
    left: tuple[str, ...] = ("everything but traffic: its plan cannot be read",)
    if split.verb == "deploy" and split.is_mixed and split.way_back:
        with interrupt.held_off(), world.going_back():
            home = Split.all_on(split.way_back, None, f"back:{error.deployment}")
            world.perform([[world.traffic.shift(home)]], 15.0)
    end(world, Outcome(TakenBack.exit_code, "recovered", error.what, 0.0, left))
    world.deployment = ""
    world.has_written = False


def _have_a_balancer(world: World) -> None:
    """After a death of the whole machine the balancer does not run either, and could not be sent home."""
    try:
        world.traffic.read()
    except Unreachable:
        with world.going_back(), suppress(DeployError, OSError):
            world.perform(world.traffic.prepare(), 30.0)


class UnreadablePlan(GateRefused):
    """A deployment was recorded by a version of this toolkit whose steps this one does not know."""

    def __init__(self, deployment: str, error: Exception) -> None:
        super().__init__(
            f"the plan of {deployment} cannot be read here ({type(error).__name__}: {error})",
            state="nothing was changed",
            do="`inv resume` with the version of deploytasks that began it",
        )
        self.deployment = deployment


class Recorded(NamedTuple):
    """A recorded deployment and how far it came."""

    plan: Plan
    past: Progress
    number: int
    """Of the event with which it began."""


def recorded(world: World, *, held: bool = False) -> Recorded | None:
    """The open deployment of the ledger; with ``held``, the last one when it was held for want of evidence."""
    from ..steps import KINDS

    standing = world.ledger.head().standing
    if standing.open is not None:
        deployment, number = standing.open.deployment, standing.open.number
    elif held and standing.recent and standing.recent[-1].outcome == "held":
        deployment, number = standing.recent[-1].deployment, standing.recent[-1].number
    else:
        return None
    events = tuple(world.ledger.events(after=number - 1))
    try:
        plan = from_json(cast("Mapping[str, Any]", events[0].facts["plan"]), KINDS)
    except (LookupError, TypeError, ValueError) as error:
        raise UnreadablePlan(deployment, error) from error
    return Recorded(plan, progress(deployment, events), number)


def resume(world: World, *, preview: bool = False, wait: float = 0.0) -> Outcome:
    """Go on with the deployment whose deployer died, or that was held for want of evidence.

    With ``preview``, print what is still to be done, and change nothing.
    """
    if preview:
        return _show(world, _resumable(world))
    with interrupt.caught(), leased(world, "resume", wait):
        world.catch_up()
        plan, past, number = _resumable(world)
        ask(world, _left(plan, past))
        world.deployment = plan.deployment
        world.has_written = True
        view.say(f"resuming {plan.task} {plan.deployment}: {len(past.done)} of {len(plan.steps)} steps are done")
        outcome = execute(world, plan, past, plan.task, number)
    return concluded(world, plan, outcome)


def _resumable(world: World) -> Recorded:
    """What can be gone on with; steps that a resumption does again count as not done."""
    found = recorded(world, held=True)
    if found is None:
        raise GateRefused("there is nothing to resume", do="`inv status` shows what is live, `inv history` the past")
    again = {step.label for step in found.plan.steps if step.starts_over} - _finished(found.plan, found.past, world)
    return found._replace(past=found.past._replace(done=found.past.done - again))


def _left(plan: Plan, past: Progress) -> Plan:
    """The plan, as far as it is still to be done."""
    return plan._replace(steps=tuple(step for step in plan.steps if step.label not in past.done))


def _show(world: World, found: Recorded) -> Outcome:
    left = _left(found.plan, found.past)
    view.plan(rendered(left, world), left, digest(left, world))
    return Outcome(0, "planned", "", 0.0)


def _finished(plan: Plan, past: Progress, world: World) -> frozenset[str]:
    """Steps that need not start over: all, once the one that moves traffic is done and traffic is there still."""
    moved = any(step.moves_traffic and step.label in past.done and step.settled(world) for step in plan.steps)
    return past.done if moved or is_sealed(plan, past) else frozenset()


def settle_open(world: World) -> None:
    """After a rollback: if a dead deployer left something open and nobody works on it, close it."""
    try:
        with leased(world, "rollback"):
            recover(world)
    except LeaseHeld:
        return  # its deployer lives: it will see the foreign split, stop, and close it itself
