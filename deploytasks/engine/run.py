"""Carry out a plan step by step; when that fails, take back what was begun, traffic first."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from .. import interrupt
from ..errors import (
    Aborted,
    DeployError,
    HostsFailed,
    Interrupted,
    LeaseLost,
    NotEnoughEvidence,
    SplitMoved,
    TakenBack,
    Unreachable,
    WayBackFailed,
)
from ..ports import Unconditional
from .progress import Progress

if TYPE_CHECKING:
    from ..world import World
    from .plan import Plan
    from .step import Step


_STAND_DOWN = 15.0
"""Seconds for taking our own switch away."""


class Outcome(NamedTuple):
    """How it ended: the exit code, one word, why, how long it took, and what could not be taken back.

    ``lasts``: what was done and is never taken back (a migration). ``resumable``: whether going on with it may help.
    """

    code: int
    word: str
    why: str
    seconds: float
    left: tuple[str, ...] = ()
    error: BaseException | None = None
    lasts: tuple[str, ...] = ()
    resumable: bool = False


def run(plan: Plan, world: World, past: Progress | None = None) -> Outcome:
    """Carry out a plan from where ``past`` left it. Never raises for what it can take back."""
    past = past or Progress()
    began = world.clock.elapsed()
    begun = set(past.begun)
    clearing_up = _after_the_seal(plan)
    try:
        for step in plan.steps[: len(plan.steps) - len(clearing_up)]:
            if step.label not in past.done:
                world.orders.require_none()
                begun.add(step.label)
                _carry_out(step, world, past)
        world.orders.close()
    except BaseException as error:  # noqa: BLE001  # a signal, too, must be taken back
        with interrupt.held_off():
            world.orders.give_up()
            return _ended_by(error, plan, world, begun, began)
    left = _clear_up(clearing_up, world, past)
    return Outcome(0, "done", "", world.clock.elapsed() - began, left)


def is_sealed(plan: Plan, past: Progress) -> bool:
    """Whether a recorded deployment came so far that nothing of it is taken back any more."""
    return any(step.seals and step.label in past.done for step in plan.steps)


def _after_the_seal(plan: Plan) -> tuple[Step, ...]:
    seals = [at for at, step in enumerate(plan.steps) if step.seals]
    return plan.steps[seals[-1] + 1 :] if seals else ()


def _clear_up(steps: Sequence[Step], world: World, past: Progress) -> tuple[str, ...]:
    """Carry out what only clears up; returns what could not be done. No reason to give up what is settled."""
    left: list[str] = []
    with interrupt.held_off():
        for step in steps:
            try:
                if step.label not in past.done:
                    _carry_out(step, world, past)
            except Exception as error:  # noqa: BLE001  # the release is live, its way back open
                left.append(f"{step.label}: {error}")
    return tuple(left)


def _carry_out(step: Step, world: World, past: Progress) -> None:
    began = world.clock.elapsed()
    world.doing(step.label)
    world.note("step", step=step.label, state="began")
    step.do(world, past.events)
    if not step.settled(world):
        raise Unreachable(f"{step.label}: the world does not show what was written", do="`inv status`, `inv doctor`")
    for kind, facts in step.outcome(world).items():
        world.note(kind, **facts)
    world.note("step", step=step.label, state="done", seconds=round(world.clock.elapsed() - began, 3))


def _ended_by(error: BaseException, plan: Plan, world: World, begun: Collection[str], began: float) -> Outcome:
    """Take back what an error demands, and name what that comes to."""
    why = str(error) if isinstance(error, DeployError | Interrupted) else f"{type(error).__name__}: {error}"
    own_code = error.exit_code if isinstance(error, DeployError | Interrupted) else 1
    left: tuple[str, ...] = ()
    traffic_failed = False
    was_exposed = _was_exposed(plan, world, begun)
    if not isinstance(error, LeaseLost | SplitMoved):
        held = isinstance(error, NotEnoughEvidence)
        left, traffic_failed = back(plan, world, begun, why, traffic_only=held)
    elif isinstance(error, SplitMoved):
        left = _stand_down(world)
    code, word = _meaning(error, world, was_exposed=was_exposed, traffic_failed=traffic_failed)
    lasts = tuple(step.lasts for step in plan.steps if step.lasts and step.label in begun)
    code, took = own_code if code is None else code, world.clock.elapsed() - began
    return Outcome(code, word, why, took, left, error, lasts, _is_resumable(error, word))


def _stand_down(world: World) -> tuple[str, ...]:
    """Somebody else decides now where traffic is: leave no switch behind that would write over it. Returns what could
    not be done."""
    if not isinstance(world.deadman, Unconditional):
        return ()
    try:
        with world.going_back():
            world.perform(world.deadman.stand_down(), _STAND_DOWN)
    except Exception as error:  # noqa: BLE001  # the deployment has stopped, whatever becomes of this
        return (f"disarm the dead-man's switch: {error}",)
    return ()


def _is_resumable(error: BaseException, word: str) -> bool:
    """Whether what stood in its way may be gone later: nobody came, or hosts failed."""
    return word == "held" or (word == "taken back" and isinstance(error, Unreachable | HostsFailed))


def _meaning(error: BaseException, world: World, *, was_exposed: bool, traffic_failed: bool) -> tuple[int | None, str]:
    """The exit code (``None``: the error's own) and the word for it."""
    if isinstance(error, LeaseLost | SplitMoved):
        return SplitMoved.exit_code, "stopped"
    if not world.has_written:
        return None, "refused"
    if traffic_failed or was_exposed:
        return WayBackFailed.exit_code, "stuck" if traffic_failed else "closed"
    if isinstance(error, NotEnoughEvidence):
        return NotEnoughEvidence.exit_code, "held"
    if isinstance(error, Interrupted):
        return None, "taken back" if isinstance(error, Aborted) else "interrupted"
    return (TakenBack.exit_code if isinstance(error, DeployError) else None), "taken back"


def _was_exposed(plan: Plan, world: World, begun: Collection[str]) -> bool:
    """Whether users may have seen a first release, from which there is no way back."""
    if plan.starts_from.split.blue + plan.starts_from.split.green:
        return False
    if not any(step.moves_traffic and step.label in begun for step in plan.steps):
        return False
    with suppress(DeployError):
        split = world.traffic.at_rest()
        return split.blue + split.green > 0 or split.verb != "deploy"
    return True


def back(
    plan: Plan, world: World, begun: Collection[str], why: str, *, traffic_only: bool = False
) -> tuple[tuple[str, ...], bool]:
    """Undo the begun steps in reverse order, each on its own: one that fails does not stop the others.

    Returns what could not be undone, and whether traffic was among it.
    """
    left: list[str] = []
    traffic_failed = False
    with world.going_back():
        for step in reversed(plan.steps):
            if step.label not in begun or (traffic_only and not step.exposes):
                continue
            try:
                calls = step.undo(world)
                world.perform(calls, step.deadline)
                if calls:
                    world.note("step", step=step.label, state="undone", why=why)
            except Exception as error:  # noqa: BLE001  # not even a bug in one may keep the others from being undone
                left.append(f"{step.label}: {error}")
                # Where somebody else sent it, it stays: that is no way back that failed.
                traffic_failed = traffic_failed or (step.moves_traffic and not isinstance(error, SplitMoved))
                world.note("step", step=step.label, state="not undone", why=str(error))
    return tuple(left), traffic_failed
