"""Approvals and communication: what people have to say to each other before a deployment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .drilled import practiced
from .item import Found, Item
from .plan_approvals import approvals

if TYPE_CHECKING:
    from .subject import Subject

_MONTH = 30 * 86400.0


def plan_approved(of: Subject) -> Found:
    """Enough people have approved the very plan that is carried out."""
    world, needed = of.world, of.gates.plan_approvals
    if not needed and world.planned is None:
        return Found("not applicable", "no approval of a plan is asked for (`gates.plan_approvals`)")
    if world.planned is None:
        env = world.site.environment
        people = "1 person" if needed == 1 else f"{needed} people"
        steps = f"`inv plan --env {env} --out plan.json`, `inv approve plan.json`, `inv deploy --plan-file plan.json`"
        return Found("fail", f"{people} must approve the plan, and none was handed over: {steps}")
    found = approvals(world.planned, world, of.standing)
    return Found("pass" if found.suffice else "fail", f"plan {world.planned.digest[:12]}: {found}")


ITEMS = (
    Item("people.plan", "This very plan was approved", plan_approved),
    Item("people.oncall", "Whoever is on call knows, and can be reached", None),
    Item("people.announced", "Those whom it concerns were told", None),
    Item("people.runbook", "The way back is known to who deploys", practiced, signed_for=_MONTH),
)
