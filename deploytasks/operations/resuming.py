"""Go on: with a deployment that was left unfinished, or with hosts that were left out and are back."""

from __future__ import annotations

import secrets
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from .. import interrupt, view
from ..engine.plan import Plan, digest, new_deployment, rendered
from ..engine.progress import Progress
from ..engine.run import Outcome, is_sealed
from ..errors import GateRefused
from ..ports import Color, Release
from ..steps import BringAlong, Claim, Install
from .approving import remember
from .consent import ask
from .executing import concluded, execute
from .guarding import require_gates, require_protection
from .hosts import absent, rejoin
from .opening import leased
from .recorded import read, recorded

if TYPE_CHECKING:
    from ..engine.step import Step
    from ..world import World


def resume(world: World, *, preview: bool = False, wait: float = 0.0) -> Outcome:
    """Go on with the deployment whose deployer died, that was held for want of evidence, or that hosts failed.

    Hosts that it went on without are brought along when they answer again; after a deployment that ended well, too.
    With ``preview``, print what is still to be done, and change nothing.
    """
    if preview:
        return _show(world, _resumable(world))
    with interrupt.caught(), leased(world, "resume", wait):
        require_protection(world)
        world.catch_up()
        plan, past, number, back = _resumable(world)
        ask(world, _left(plan, past))
        require_gates(world, plan, past)
        world.deployment = plan.deployment
        remember(world, past.events)
        if number:
            world.has_written = True
            view.say(f"resuming {plan.task} {plan.deployment}: {len(past.done)} of {len(plan.steps)} steps are done")
        if back:
            world.note("hosts-back", hosts=list(back), color=plan.color, release=plan.release and plan.release.name)
        outcome = execute(world, plan, past, plan.task, number)
    return concluded(world, plan, outcome)


class _Found(NamedTuple):
    """What can be gone on with."""

    plan: Plan
    past: Progress
    number: int
    """Of the event with which it began; 0: it is new."""
    back: tuple[str, ...] = ()
    """Hosts that take part again without more ado: nothing was installed yet."""


def _resumable(world: World) -> _Found:
    """What can be gone on with; steps that a resumption does again count as not done."""
    found = recorded(world, held=True)
    if found is None:
        return _left_behind(world)
    again = {step.label for step in found.plan.steps if step.starts_over} - _finished(found.plan, found.past, world)
    back = rejoin(world, absent(found.plan, found.past.events))
    plan = _found_again(world, found.plan)
    past = found.past._replace(done=found.past.done - again)
    if not any(isinstance(step, Install) and step.label in past.done for step in plan.steps):
        return _Found(plan, past, found.number, back)
    return _Found(_with_hosts(plan, back), past, found.number)


def _with_hosts(plan: Plan, back: tuple[str, ...]) -> Plan:
    """With a step for hosts that are back, when the others have the release already: after the claim."""
    if not back or plan.release is None or plan.color is None:
        return plan
    place = next((number for number, step in enumerate(plan.steps, 1) if isinstance(step, Claim)), 0)
    step = BringAlong(plan.release, plan.color, back)
    return plan._replace(steps=(*plan.steps[:place], step, *plan.steps[place:]))


def _left_behind(world: World) -> _Found:
    """A plan for hosts that the last deployment ended well without, and that are back."""
    standing = world.ledger.head().standing
    settled = standing.settled
    ended = next((one for one in standing.recent if settled and one.deployment == settled.deployment), None)
    nothing = GateRefused("there is nothing to resume", do="`inv status` shows what is live, `inv history` the past")
    if settled is None or ended is None or not ended.number or world.traffic.read().live != settled.color:
        raise nothing
    plan = _found_again(world, read(world, ended.deployment, ended.number).plan)
    missing = absent(plan, world.ledger.events(after=ended.number - 1))
    back = rejoin(world, missing) if missing else ()
    if missing and not back:
        raise GateRefused(
            f"nothing to resume: {', '.join(missing)}, which the last deployment went on without, does not answer yet"
        )
    if not back or plan.release is None or settled.color is None:
        raise nothing
    _require_live(world, plan.release, settled.color, back)
    deployment = new_deployment(world.clock.now(), secrets.token_hex(3))
    step = BringAlong(plan.release, settled.color, back, must=True)
    ours = Plan(deployment, "resume", world.situation(), (step,), plan.release, settled.color)
    return _Found(ours, Progress(), 0)


def _require_live(world: World, release: Release, color: Color, back: Collection[str]) -> None:
    """Users are on this color: its hosts get what the others have, whatever the ledger says."""
    others = [host for host in world.fleet.hosts() if host not in back]
    found = world.fleet.only(others).installed(color) if others else None
    if found is not None and found.digest != release.digest:
        raise GateRefused(
            f"the ledger says that {release.name} is live on {color}, and the other hosts have {found.release}",
            state="nothing was changed",
            do="find out who changed which; `inv deploy` brings all of them to one release",
        )


def _found_again(world: World, plan: Plan) -> Plan:
    """The plan, with its archive where it is on this machine: another one may have begun it."""
    if plan.release is None or Path(plan.release.archive).is_file():
        return plan
    here = world.artifacts.absolute() / f"{plan.release.name}.tar.gz"
    if not here.is_file():
        return plan
    release = plan.release._replace(archive=str(here))
    return plan._replace(release=release, steps=tuple(_with_release(step, release) for step in plan.steps))


def _with_release(step: Step, release: Release) -> Step:
    return replace(step, release=release) if isinstance(step, Install) else step


def _left(plan: Plan, past: Progress) -> Plan:
    """The plan, as far as it is still to be done."""
    return plan._replace(steps=tuple(step for step in plan.steps if step.label not in past.done))


def _show(world: World, found: _Found) -> Outcome:
    left = _left(found.plan, found.past)
    view.plan(rendered(left, world), left, digest(left, world))
    return Outcome(0, "planned", "", 0.0)


def _finished(plan: Plan, past: Progress, world: World) -> frozenset[str]:
    """Steps that need not start over: all, once the one that moves traffic is done and traffic is there still."""
    moved = any(step.moves_traffic and step.label in past.done and step.settled(world) for step in plan.steps)
    return past.done if moved or is_sealed(plan, past) else frozenset()
