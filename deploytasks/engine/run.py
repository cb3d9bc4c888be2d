"""Carry out a plan step by step; when that fails, take back what was begun, traffic first."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, NamedTuple

from ..errors import DeployError, Interrupted, LeaseLost, NotEnoughEvidence, SplitMoved, TakenBack, Unreachable
from . import interrupt
from .progress import Progress

if TYPE_CHECKING:
    from ..world import World
    from .plan import Plan
    from .step import Step


class Outcome(NamedTuple):
    """How it ended: the exit code, one word, why, how long it took, and what could not be taken back."""

    code: int
    word: str
    why: str
    seconds: float
    left: tuple[str, ...] = ()
    error: BaseException | None = None


def run(plan: Plan, world: World, past: Progress | None = None) -> Outcome:
    """Carry out a plan from where ``past`` left it. Never raises for what it can take back."""
    past = past or Progress()
    began = world.clock.elapsed()
    begun = set(past.begun)
    try:
        for step in plan.steps:
            if step.label not in past.done:
                begun.add(step.label)
                _carry_out(step, world, past)
        return Outcome(0, "done", "", world.clock.elapsed() - began)
    except BaseException as error:
        with interrupt.held_off():
            return _ended_by(error, plan, world, begun, began)


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
    """What an error means for what was begun."""
    why = str(error) if isinstance(error, DeployError | Interrupted) else f"{type(error).__name__}: {error}"

    def ended(code: int, word: str, left: tuple[str, ...] = ()) -> Outcome:
        return Outcome(code, word, why, world.clock.elapsed() - began, left, error)

    if isinstance(error, LeaseLost | SplitMoved):
        return ended(5, "stopped")
    if not world.has_written:
        back(plan, world, begun, why)
        return ended(error.exit_code if isinstance(error, DeployError | Interrupted) else 1, "refused")
    held = isinstance(error, NotEnoughEvidence)
    left, traffic_failed = back(plan, world, begun, why, traffic_only=held)
    if traffic_failed:
        return ended(8, "stuck", left)
    if plan.starts_from.split.blue + plan.starts_from.split.green == 0 and _was_exposed(plan, begun):
        return ended(8, "closed", left)
    if held:
        return ended(6, "held", left)
    if isinstance(error, Interrupted):
        return ended(error.exit_code, "interrupted", left)
    return ended(TakenBack.exit_code if isinstance(error, DeployError) else 1, "taken back", left)


def _was_exposed(plan: Plan, begun: Collection[str]) -> bool:
    return any(step.exposes and step.label in begun for step in plan.steps)


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
            except (DeployError, OSError) as error:
                left.append(f"{step.label}: {error}")
                traffic_failed = traffic_failed or step.moves_traffic
                world.note("step", step=step.label, state="not undone", why=str(error))
    return tuple(left), traffic_failed
