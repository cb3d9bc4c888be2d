"""What people signed: an item that no machine can know, or a refusal that is set aside."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING

from ..errors import Unreachable
from . import signing
from .item import Found, Item

if TYPE_CHECKING:
    from ..ledger.projections import Signed
    from .subject import Subject

OVERRIDE_LASTS = timedelta(hours=24)


def answered(item: Item, found: Found, of: Subject) -> Found:
    """What was found, as people's signatures and overrides change it."""
    if found.answer == "needs a signature" and (signed := _valid("sign", item, of)):
        return Found("pass", f"signed by {signed.who} {signed.at:%Y-%m-%d %H:%M} UTC: {signed.note}")
    if found.answer in ("fail", "needs a signature", "pending") and (aside := _valid("override", item, of)):
        return Found("overridden", f"by {aside.who} {aside.at:%Y-%m-%d %H:%M} UTC: {aside.note} ({found.evidence})")
    return found


def _valid(act: str, item: Item, of: Subject) -> Signed | None:
    """The newest signature of this kind that counts for this item now."""
    lasts = timedelta(seconds=item.signed_for) if act == "sign" and item.signed_for is not None else None
    now = of.world.clock.now()
    for signed in reversed(_known(of)):
        if signed.act != act or signed.item != item.id:
            continue
        if lasts is None and signed.about != of.commit:
            continue
        if act == "override" and now - signed.at > OVERRIDE_LASTS:
            continue
        if lasts is not None and now - signed.at > lasts:
            continue
        return signed if _is_genuine(signed, of) else None
    return None


def _known(of: Subject) -> Sequence[Signed]:
    """What the ledger has; nothing, while it is silent: then an item stays open."""
    with suppress(Unreachable):
        return of.standing.signed
    return ()


def _is_genuine(signed: Signed, of: Subject) -> bool:
    """Whether the signature holds now, where one is needed: the ledger alone proves no person."""
    return not of.world.settings.protected or signing.holds(signed, of.world)
