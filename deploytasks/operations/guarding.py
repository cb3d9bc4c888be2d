"""Whether an environment is as protected as it is said to be: by what is committed, and by how a deployment began."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING

from .. import view
from ..checklist.governing import FILES, committed
from ..errors import DeployError, GateRefused
from ..steps import Gate

if TYPE_CHECKING:
    from ..engine.plan import Plan
    from ..engine.progress import Progress
    from ..world import World

PASSED_FOR = timedelta(hours=24)
"""How long a gate counts for a deployment that is resumed: as long as the evidence that it has seen."""


def require_protection(world: World) -> None:
    """Refuse where an environment is protected in the commit that is checked out, and here it is not: all gates would
    be passed over by an edit that nobody has seen. A commit that lifts it is told, and recorded."""
    name = world.settings.name
    if world.settings.protected or world.site.context is None:
        return
    if _is_protected(world, "HEAD"):
        raise GateRefused(
            f"{name} is protected as it is committed, and here it is not",
            state="nothing was changed",
            do=f"take that back ({FILES[0]}, INVOKE_… variables, -f, ~/.invoke.yaml)",
        )
    settled = world.ledger.head().standing.settled
    if settled is not None and settled.commit and _is_protected(world, settled.commit):
        told = f"{name} was protected in {settled.version}, which is live, and is no longer: no gates are asked"
        view.say(told)
        world.note("note", text=told)


def _is_protected(world: World, commit: str) -> bool:
    """Whether a commit says so; not, where there is no such commit."""
    try:
        every = committed(world.site.root, commit).get("environments")
    except DeployError:
        return False
    own = every.get(world.settings.name) if isinstance(every, Mapping) else None
    return isinstance(own, Mapping) and own.get("protected") is True


def require_gates(world: World, plan: Plan, past: Progress) -> None:
    """Refuse to go on towards users of a protected environment with what was begun without its gates, or passed them
    too long ago: evidence, overrides and windows have run out since."""
    left = [step for step in plan.steps if step.label not in past.done]
    if not world.settings.protected or not any(step.exposes for step in left):
        return
    gate = next((step for step in plan.steps if isinstance(step, Gate)), None)
    if gate is None:
        raise _refused(world, f"{plan.deployment} was begun without the gates of {world.settings.name}")
    if gate.label not in past.done:
        return  # it is still to come
    passed = [event.at for event in past.events if event.kind == "step" and event.facts.get("step") == gate.label]
    if world.clock.now() - passed[-1] > PASSED_FOR:
        raise _refused(world, f"{plan.deployment} passed the gates {passed[-1]:%Y-%m-%d %H:%M} UTC: too long ago")


def _refused(world: World, what: str) -> GateRefused:
    do = f"deploy it anew, which takes back what is left: `inv deploy --env {world.settings.name}`"
    return GateRefused(what, state="nothing was changed", do=do)
