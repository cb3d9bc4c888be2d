"""What people signed: an item that no machine can know, or a refusal that is set aside."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from ..errors import DeployError, Unreachable
from . import signing
from .item import Began, Found, Item
from .persons import is_among, people

if TYPE_CHECKING:
    from ..ledger.projections import Signed
    from ..world import World
    from .subject import Subject

OVERRIDE_LASTS = timedelta(hours=24)
_WORDS = {"sign": "signature", "override": "override"}


def answered(item: Item, found: Found, of: Subject) -> Found:
    """What was found, as people's signatures and overrides change it."""
    if found.answer == "needs a signature":
        signed = _valid("sign", item, of)
        if isinstance(signed, str):
            found = found._replace(evidence="; ".join(filter(None, (found.evidence, signed))))
        else:
            return Found("pass", f"signed by {_named(signed)}: {signed.note}")
    if found.answer in ("fail", "needs a signature", "pending"):
        aside = _valid("override", item, of, found.began)
        if isinstance(aside, str):
            return found._replace(evidence="; ".join(filter(None, (found.evidence, aside))))
        return Found("overridden", f"by {_named(aside)}: {aside.note} ({found.evidence})", began=found.began)
    return found


def _named(signed: Signed) -> str:
    return f"{signed.signer or signed.who} {signed.at:%Y-%m-%d %H:%M} UTC"


def _valid(act: str, item: Item, of: Subject, began: Began = ()) -> Signed | str:
    """The newest signature of this kind that counts for this item now; else why the newest one does not, if any does
    not for another reason than what it is about. ``began``: what it has to be about."""
    seconds = item.signature_lasts(of) if act == "sign" else None
    about = of.commit if seconds is None else None
    lasts = OVERRIDE_LASTS if act == "override" else None if seconds is None else timedelta(seconds=seconds)
    why = ""
    for signed in reversed(_known(of)):
        if (signed.act, signed.item) != (act, item.id) or about not in (None, signed.about):
            continue
        flaw = too_old(signed, lasts, of.world.clock.now()) or _too_early(signed, began) or doubt(signed, item, of)
        if not flaw:
            return signed
        why = why or f"the {_WORDS[act]} of {_named(signed)} does not count: {flaw}"
    return why


def too_old(signed: Signed, lasts: timedelta | None, now: datetime) -> str:
    """Why a signature is not of its time; empty when it is. ``lasts``: how long it counts; ``None``: always."""
    if signed.at - now > signing.AT_ONCE:
        return "it is dated in the future"
    if lasts is not None and now - signed.at > lasts:
        return f"it is older than {_spoken(lasts)}"
    return ""


def _too_early(signed: Signed, began: Began) -> str:
    """Why a signature was given too early: nobody sets aside what is not there yet. Empty when it was not."""
    new = [name for name, since in began if since > signed.at]
    return f"{', '.join(new)} began after it" if new else ""


def _spoken(lasts: timedelta) -> str:
    hours = lasts.total_seconds() / 3600
    return f"{hours:g} hours" if hours < 48 else f"{hours / 24:g} days"


def _known(of: Subject) -> Sequence[Signed]:
    """What the ledger has; nothing, while it is silent: then an item stays open."""
    with suppress(Unreachable):
        return of.standing.signed
    return ()


def doubt(signed: Signed, item: Item, of: Subject) -> str:
    """Why a signature does not hold now, where one is needed: the ledger alone proves no person. Empty: it does."""
    if not of.world.settings.protected:
        return ""
    commit = of.release.commit if of.release else ""
    if item.signers_of is None:
        return signing.flaw(signed, of.world, commit) or _not_theirs(signed, of.world, commit)
    try:
        return signing.flaw(signed, of.world, *item.signers_of(of))
    except DeployError as error:
        return f"whose key counts for this is not known: {error.what}"


def _not_theirs(signed: Signed, world: World, commit: str) -> str:
    if signed.act != "override" or not world.settings.gates.overriders:
        return ""
    return may_not_override(signing.proof_of(signed, world, commit).signer, world, commit)


def may_not_override(name: str, world: World, commit: str) -> str:
    """Why this person may not set a refusal aside; empty when they may."""
    overriders = world.settings.gates.overriders
    if not overriders or is_among(name, overriders, people(world, commit)):
        return ""
    return f"refusals are set aside by {', '.join(overriders)} (`gates.overriders`)"
