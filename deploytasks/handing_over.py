"""What becomes of a plan where the platform moves the traffic itself. Pure: steps in, steps out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from .errors import GateRefused
from .settings.handing import explained, nearest
from .steps import Arm, Begin, Disarm, HandOver, RollOut, Settle, Start, WarmUp
from .steps.smoke import Smoke

if TYPE_CHECKING:
    from .engine.step import Step
    from .ports import Color
    from .rollout import Rules
    from .settings import Settings

ECS = "ecs-native"


def is_handed_over(settings: Settings) -> bool:
    """Whether ECS moves the traffic of this environment."""
    return settings.strategy == ECS


def stages_of(settings: Settings, stages: tuple[int, ...]) -> tuple[int, ...]:
    """What traffic goes through: the stages, or what ECS makes of them."""
    return nearest(stages).stages if is_handed_over(settings) else stages


def handed_over(settings: Settings, steps: Sequence[Step], stages: tuple[int, ...], live: Color | None) -> list[Step]:
    """The steps of a deployment, as they are where ECS moves the traffic.

    Gates, backup, migration, smoke and the way a rollout is judged stay. ECS starts the tasks, moves the traffic, and
    is its own dead-man's switch. No way back stays open: it has stopped the old tasks at the end.
    """
    if not is_handed_over(settings):
        return list(steps)
    if live is None:
        raise GateRefused(
            "ECS has nothing in production yet: there is nothing to go back to, and nothing to judge by",
            do="create the service with its first release, by Terraform or in the console; then deploy the next one",
        )
    rules = next((step.rules for step in steps if isinstance(step, RollOut)), None)
    patience = _patience(rules) if rules else 3600.0
    found: list[Step] = []
    for step in steps:
        match step:
            case Arm() | Disarm():
                continue
            case Start() if step.color != live:
                found.append(Begin(step.color, stages, patience))
            case RollOut():
                found.append(HandOver(step.rules, step.deployment, False, stages, patience))
            case Settle():
                found.append(replace(step, closes=True))
            case _:
                found.append(step)
    return found


def only_installed(settings: Settings, steps: Sequence[Step]) -> list[Step]:
    """The steps of an installation: where ECS starts what it brings to users, nothing is started before."""
    if not is_handed_over(settings):
        return list(steps)
    return [step for step in steps if not isinstance(step, Start | WarmUp | Smoke)]


def refuse_by_hand(settings: Settings) -> None:
    """Raise ``GateRefused`` where traffic is not ours to move."""
    if is_handed_over(settings):
        raise GateRefused(
            "ECS moves the traffic here, step by step, and only with a deployment of its own",
            state="nothing was changed",
            do="`inv deploy` hands it a release; `inv rollback --reason …` has it taken back",
        )


def notes(settings: Settings, stages: tuple[int, ...]) -> tuple[str, ...]:
    """What people should know: which steps ECS goes instead, and what is not there afterwards."""
    if not is_handed_over(settings):
        return ()
    told = explained(stages)
    lasts = "ECS stops the old release at the end: afterwards, the way back is a deployment of the previous version"
    return (told, lasts) if told else (lasts,)


def _patience(rules: Rules) -> float:
    """How long a pause may have to wait for us: its watch, a hold, and somebody who pauses."""
    return max(rules.watch, rules.bake, rules.baseline) + rules.lag + rules.hold + rules.pause + rules.missing
