"""Consent: given on the command line or typed by a person, never assumed, never handed along a chain."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import view
from ..errors import GateRefused, UsageError

if TYPE_CHECKING:
    from ..engine.plan import Plan
    from ..world import World


def ask(world: World, plan: Plan) -> None:
    """In a protected environment, consent to a plan, which is shown: ``--yes``, or a person who types it."""
    if world.settings.protected and not world.consent:
        from ..engine.plan import digest, rendered

        view.plan(rendered(plan, world), plan, digest(plan, world))
    agree(world, f"Carry this out in {world.settings.name}?")


def agree(world: World, question: str, state: str = "nothing was changed") -> None:
    """The same for what is no plan of steps. ``state``: how things are when nobody agrees."""
    name = world.settings.name
    if not world.settings.protected or world.consent:
        return
    if not view.is_terminal():
        raise UsageError(f"{name} is protected, and nobody is at a terminal to confirm", do="say --yes")
    if not view.confirm(question):
        raise GateRefused("not confirmed", state=state)


def typed(world: World, given: str | None, what: str) -> None:
    """Consent to something that loses data: the environment's name, typed, or given as ``--consent``."""
    name = world.settings.name
    if given is None and view.is_terminal():
        given = view.prompt(f"{what}. Type {name} to go on: ")
    if given is None:
        raise UsageError(f"{what}: nobody is at a terminal to consent", do=f"say --consent {name}")
    if given.strip() != name:
        raise GateRefused(f"not consented: {given!r} is not {name!r}", state="nothing was changed")
