"""Consent: given on the command line or typed by a person, never assumed, never handed along a chain."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import view
from ..engine.plan import Plan, digest, rendered
from ..errors import GateRefused, UsageError

if TYPE_CHECKING:
    from ..world import World


def ask(world: World, plan: Plan) -> None:
    """In a protected environment, consent: ``--yes``, or a person who types it."""
    settings = world.settings
    if not settings.protected or world.consent:
        return
    view.plan(rendered(plan, world), plan, digest(plan, world))
    if not view.is_terminal():
        raise UsageError(f"{settings.name} is protected, and nobody is at a terminal to confirm", do="say --yes")
    if not view.confirm(f"Carry this out in {settings.name}?"):
        raise GateRefused("not confirmed", state="nothing was changed")


def agree(world: World, question: str) -> None:
    """As ``ask``, for what is no plan of steps."""
    if not world.settings.protected or world.consent:
        return
    if not view.is_terminal():
        raise UsageError(f"{world.settings.name} is protected, and nobody is at a terminal to confirm", do="say --yes")
    if not view.confirm(question):
        raise GateRefused("not confirmed", state="nothing was changed")


def typed(world: World, given: str | None, what: str) -> None:
    """Consent to something that loses data: the environment's name, typed, or given as ``--consent``."""
    name = world.settings.name
    if given is None and view.is_terminal():
        given = view.prompt(f"{what}. Type {name} to go on: ")
    if given is None:
        raise UsageError(f"{what}: nobody is at a terminal to consent", do=f"say --consent {name}")
    if given.strip() != name:
        raise GateRefused(f"not consented: {given!r} is not {name!r}", state="nothing was changed")
