"""Cutting a watch short, where it takes a signature: made by who asks, proven by who obeys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..checklist.signatures import may_not_override
from ..checklist.signing import AT_ONCE, proven
from ..errors import DeployError, GateRefused
from ..ledger.facts import text
from ..ledger.projections import happened_at
from .signing import signature_on

if TYPE_CHECKING:
    from ..ports import Event
    from ..world import World

ACT = "promote"


def signed(
    world: World, deployment: str, reason: str, commit: str, *, interactive: bool | None = None
) -> dict[str, str]:
    """The facts of a promotion beside its verb: nothing where nobody needs to sign.

    Raises ``UsageError`` without a key, ``GateRefused`` for who may not set refusals aside.
    """
    if not world.settings.protected:
        return {}
    facts = {"act": ACT, "item": "", "about": deployment, "note": reason}
    made = signature_on(world, facts, commit, interactive=interactive)
    if why := may_not_override(made["signer"], world, commit):
        raise GateRefused(why, state="nothing was recorded", do="ask one of them")
    return {**made, "signer": world.site.recorded(made["signer"])}


def objection(world: World, event: Event, commit: str) -> str:
    """Why a promotion that was asked for does not count; empty when it does."""
    if not world.settings.protected:
        return ""
    facts = event.facts
    what = (ACT, "", text(facts, "deployment"), text(facts, "reason"))
    try:
        stated, proof = proven(facts, what, world, commit)
    except DeployError as error:
        return f"a promotion is signed here, and this one does not count: {error.what}"
    if abs(happened_at(event) - stated.at) > AT_ONCE:
        return "a promotion is signed here, and this one was recorded at another time than it was signed"
    if world.site.recorded(proof.signer) != text(facts, "signer"):
        return "a promotion is signed here, and somebody else has signed this one than it says"
    return may_not_override(proof.signer, world, commit)
