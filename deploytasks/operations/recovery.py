"""After a death: take back what was left unfinished."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from .. import interrupt, view
from ..engine.run import Outcome, back, is_sealed
from ..errors import DeployError, LeaseHeld, TakenBack, Unreachable, WayBackFailed
from ..ports import Split
from .executing import end
from .opening import leased
from .recorded import UnreadablePlan, recorded

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


def settle_open(world: World) -> None:
    """After a rollback: if a dead deployer left something open and nobody works on it, close it."""
    try:
        with leased(world, "rollback"):
            recover(world)
    except LeaseHeld:
        return  # its deployer lives: it will see the foreign split, stop, and close it itself
