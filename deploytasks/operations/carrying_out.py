"""Carry out a plan under the lease, and say how it ended. Or show what it would do."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from .. import interrupt, view
from ..engine.plan import Situation, digest, new_deployment, rendered
from ..engine.progress import Progress
from ..engine.run import Outcome
from ..errors import HostsDown
from .consent import agree, ask
from .executing import concluded, execute
from .guarding import require_protection
from .opening import leased
from .recovery import recover

if TYPE_CHECKING:
    from ..plans import Build
    from ..world import World


def carry_out(
    world: World, build: Build, *, task: str, preview: bool = False, wait: float = 0.0, hosts: bool = True
) -> Outcome:
    """Lease, observe, plan, run, summarize. Raises the error that its outcome means, unless it went well.

    With ``preview``, print every call that the plan would make, and change nothing. ``hosts``: whether all of them
    must answer before it begins.
    """
    if preview:
        return show_plan(world, build, hosts=hosts)
    with interrupt.caught(), leased(world, task, wait):
        require_protection(world)
        if world.ledger.head().standing.open:
            agree(world, "A deployment was left unfinished, and is taken back first: go on?")
        recover(world)
        world.deployment = new_deployment(world.clock.now(), secrets.token_hex(3))
        plan = build(world.settings, _seen(world, hosts=hosts), world.deployment)
        if not plan.steps:
            view.say("; ".join(plan.notes) or "nothing to do")
            return Outcome(0, "nothing to do", "; ".join(plan.notes), 0.0)
        ask(world, plan)
        outcome = execute(world, plan, Progress(), task)
    return concluded(world, plan, outcome)


def _seen(world: World, *, hosts: bool) -> Situation:
    try:
        return world.situation()
    except HostsDown as error:
        if hosts:
            error.state = "nothing was changed"
            raise
        return world.situation(without=error.hosts)


def show_plan(world: World, build: Build, *, hosts: bool = True) -> Outcome:
    """Print what would be done, call by call, without lease and without changing anything."""
    deployment = new_deployment(world.clock.now(), "planned")
    plan = build(world.settings, _seen(world, hosts=hosts), deployment)
    view.plan(rendered(plan, world), plan, digest(plan, world) if plan.steps else "")
    return Outcome(0, "planned", "", 0.0)
