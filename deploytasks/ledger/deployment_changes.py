"""What one more event makes of the deployment that it is about. Pure; a missing fact reads empty."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ..ports import COLORS, Event
from .deployment import Aside, Deployment, Order
from .facts import lists, number as real, text, texts, truth, whole
from .going_back import taken_back
from .projections import done_by, happened_at

__all__ = ["CHANGES"]

MOVES_TRAFFIC = ("roll out", "hand over")
"""The steps whose undoing sends traffic home."""
STUCK = ("stuck", "closed")
"""Outcomes after which traffic is not home: a person must act."""


def _ended(of: Deployment, event: Event) -> Deployment:
    facts, at = event.facts, happened_at(event)
    took = facts.get("seconds")
    spent = real(facts, "seconds") if isinstance(took, int | float) and not isinstance(took, bool) else None
    back = taken_back(of, event)
    is_home = back is not None and of.exposed is not None and text(facts, "outcome") not in STUCK
    return of._replace(
        ended=at,
        outcome=text(facts, "outcome"),
        code=whole(facts, "code") if "code" in facts else None,
        why=text(facts, "why"),
        seconds=of.seconds if spent is None else (of.seconds or 0.0) + spent,
        left=tuple(texts(facts, "left")),
        home=of.home or (at if is_home else None),
        backs=(*of.backs, back) if back else of.backs,
    )


def _shifted(of: Deployment, event: Event) -> Deployment:
    split = event.facts.get("split")
    if of.color is None or not isinstance(split, list | tuple) or len(split) < 2:
        return of
    share = split[COLORS.index(of.color)]
    if not isinstance(share, int) or share <= 0:
        return of
    return of._replace(exposed=of.exposed or happened_at(event), most=max(of.most, share), home=None)


def _step(of: Deployment, event: Event) -> Deployment:
    is_undone = text(event.facts, "state") == "undone" and text(event.facts, "step").startswith(MOVES_TRAFFIC)
    return of._replace(home=of.home or happened_at(event)) if is_undone and of.exposed else of


def _read(of: Deployment, event: Event) -> Deployment:
    return of if text(event.facts, "move") not in ("turn back", "turnback") else of._replace(judged_bad=True)


def _settled(of: Deployment, event: Event) -> Deployment:
    at, facts = happened_at(event), event.facts
    return of._replace(
        version=of.version or text(facts, "version"),
        commit=of.commit or text(facts, "commit"),
        digest=of.digest or text(facts, "digest"),
        release=of.release or text(facts, "release"),
        settled=at,
        exposed=of.exposed or at,
        most=100,
        home=None,
    )


def _overridden(of: Deployment, event: Event) -> Deployment:
    is_short, at = truth(event.facts, "promoted"), happened_at(event)
    pairs = [(str(pair[0]), str(pair[1])) for pair in lists(event.facts, "items") if len(pair) == 2]
    new = [Aside(event.number, at, item, why, _who(of, item, promoted=is_short), is_short) for item, why in pairs]
    return of._replace(overrides=(*of.overrides, *new))


def _who(of: Deployment, item: str, *, promoted: bool) -> str:
    """Who set an item aside, or had a watch cut short; who deploys, where nobody else is known."""
    if promoted:
        return next((one.who for one in reversed(of.orders) if one.verb == "promote"), of.who)
    return next((one.who for one in reversed(of.said("override")) if one.item == item), of.who)


def _asked(of: Deployment, event: Event) -> Deployment:
    who = text(event.facts, "signer") or done_by(event)
    verb, reason = text(event.facts, "verb"), text(event.facts, "reason")
    return of._replace(orders=(*of.orders, Order(event.number, happened_at(event), who, verb, reason)))


def _answered(of: Deployment, event: Event) -> Deployment:
    number, said, obeyed = whole(event.facts, "asked"), text(event.facts, "said"), truth(event.facts, "obeyed")
    return of._replace(orders=tuple(_told(one, number, said, obeyed=obeyed) for one in of.orders))


def _told(order: Order, number: int, said: str, *, obeyed: bool) -> Order:
    return order._replace(obeyed=obeyed, said=said) if order.number == number else order


def _backed_up(of: Deployment, event: Event) -> Deployment:
    return of._replace(backups=(*of.backups, text(event.facts, "name")))


def _migrating(of: Deployment, event: Event) -> Deployment:
    return of._replace(applied=tuple(texts(event.facts, "before")))


def _migrated(of: Deployment, event: Event) -> Deployment:
    new = [name for name in texts(event.facts, "after") if name not in of.applied]
    made = new if "after" in event.facts else [f"`{text(event.facts, 'command')}`"]
    return of._replace(migrations=(*of.migrations, *made), applied=())


def _host_aside(of: Deployment, event: Event) -> Deployment:
    return of._replace(hosts_aside=(*of.hosts_aside, (text(event.facts, "host"), text(event.facts, "why"))))


def _lesson(of: Deployment, event: Event) -> Deployment:
    return of._replace(lessons=(*of.lessons, text(event.facts, "text")))


CHANGES: Mapping[str, Callable[[Deployment, Event], Deployment]] = {
    "ended": _ended,
    "shifted": _shifted,
    "step": _step,
    "reading": _read,
    "settled": _settled,
    "overridden": _overridden,
    "asked": _asked,
    "answered": _answered,
    "backup": _backed_up,
    "migrating": _migrating,
    "migrated": _migrated,
    "host-set-aside": _host_aside,
    "lesson": _lesson,
}
"""Kind of event → the deployment after it. How one begins is told where all are known."""
