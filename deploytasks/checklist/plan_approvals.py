"""Who has approved a plan, counted as people: not as keys, not as names, and never its author."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from ..errors import DeployError
from ..signing import BadSignature
from .persons import Person, is_among, people
from .signatures import too_old
from .signing import proof_of

if TYPE_CHECKING:
    from ..ledger.projections import Signed, Standing
    from ..world import World


class Planned(NamedTuple):
    """A plan that was written down: its digest, who made it, and the commit that it brings."""

    digest: str
    author: str
    commit: str
    by: tuple[str, ...] = ()
    """Who has approved it, as it was when it was carried out."""


class Approvals(NamedTuple):
    """How many approvals a plan has and needs, and why others do not count."""

    by: tuple[str, ...]
    needed: int
    doubts: tuple[str, ...]

    @property
    def suffice(self) -> bool:
        """Whether there are enough."""
        return len(self.by) >= self.needed

    def __str__(self) -> str:
        said = f"{len(self.by)} of {self.needed} approvals{': ' if self.by else ''}{', '.join(self.by)}"
        return "; ".join((said, *self.doubts))


def approvals(of: Planned, world: World, standing: Standing) -> Approvals:
    """Who has approved this plan. At least one approval is needed of whoever hands a plan over."""
    gates = world.settings.gates
    known = people(world, of.commit)
    lasts = timedelta(seconds=gates.plan_approvals_within)
    counted: dict[Person, str] = {}
    doubts = []
    for signed in standing.signed:
        if (signed.act, signed.about) == ("approve", of.digest):
            try:
                if why := too_old(signed, lasts, world.clock.now()):
                    raise BadSignature(why)
                name = _name(signed, world, of)
                if why := refusal(name, of, world, known):
                    raise BadSignature(why)
                counted[known(name)] = signed.signer or signed.who
            except DeployError as error:
                doubts.append(f"that of {signed.signer or signed.who} does not count: {error.what}")
    return Approvals(tuple(counted.values()), max(1, gates.plan_approvals), tuple(doubts))


def _name(signed: Signed, world: World, of: Planned) -> str:
    """Who has approved: proven by the key, where people sign."""
    return proof_of(signed, world, of.commit).signer if world.settings.protected else signed.who


def refusal(name: str, of: Planned, world: World, known: Callable[[str], Person] | None = None) -> str:
    """Why this person may not approve this plan; empty when they may."""
    known = known or people(world, of.commit)
    approvers = world.settings.gates.approvers
    if known(name) & known(of.author) or world.site.recorded(name) == of.author:
        return "its author does not approve a plan"
    if approvers and not is_among(name, approvers, known):
        return f"approvers are {', '.join(approvers)} (`gates.approvers`)"
    return ""
