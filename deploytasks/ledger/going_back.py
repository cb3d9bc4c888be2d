"""Which deployment was left when traffic went home, and who or what sent it there. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from ..ports import Color, Event, Json
from .deployment import Back, By, Deployment
from .facts import text
from .projections import done_by, happened_at

ABORTED = "abort by "
"""How the reason begins of one that somebody had taken back while it ran."""
_BY: Mapping[str, By] = {
    "taken back": "failure",
    "stuck": "failure",
    "closed": "failure",
    "held": "no evidence",
    "interrupted": "interrupt",
    "recovered": "recovery",
}
"""Outcomes after which what was begun is taken back."""


def taken_back(of: Deployment, event: Event) -> Back | None:
    """How its own end took a deployment back; ``None``: it did not, or somebody else had done so."""
    word, why, at = text(event.facts, "outcome"), text(event.facts, "why"), happened_at(event)
    if word not in _BY:
        return None
    by = _BY[word]
    if by == "failure" and why.startswith(ABORTED):
        by = "person"
    elif by == "failure" and of.judged_bad:
        by = "verdict"
    who = _aborter(of) if by == "person" else of.who if by == "interrupt" else done_by(event)
    return Back(event.number, at, by, who, why, was_settled=of.settled is not None)


def _aborter(of: Deployment) -> str:
    return next((one.who for one in reversed(of.orders) if one.verb == "abort"), of.who)


def stood_in_for(of: Deployment, event: Event) -> Deployment:
    """A deployment over which the dead-man's switch has gone off: it was faster than whoever closed it later."""
    at = happened_at(event)
    back = Back(event.number, at, "switch", "", text(event.facts, "why"), was_settled=_was_settled(of, at))
    others = tuple(each for each in of.backs if each.by != "recovery")
    return of._replace(home=at if of.exposed else None, backs=(*others, back))


def sent_home(known: Iterable[Deployment], event: Event) -> Deployment | None:
    """The deployment that ``inv rollback`` left, with the way back; ``None``: none that is known here."""
    at, to = happened_at(event), _all_on(event.facts.get("to"))
    seen = [one for one in known if one.exposed and one.exposed <= at]
    latest = sorted(seen, key=lambda one: (one.exposed, one.number), reverse=True)
    if latest and to is not None and latest[0].color == to:
        return None  # it went forward again, to what had been left
    left = next((one for one in latest if not _is_gone(one, at)), None)
    if left is None or (to is not None and left.color == to):
        return None
    who, why = text(event.facts, "by") or done_by(event), text(event.facts, "reason")
    back = Back(event.number, at, "person", who, why, was_settled=_was_settled(left, at))
    return left._replace(home=at, backs=(*left.backs, back))


def _is_gone(of: Deployment, at: datetime) -> bool:
    """Whether users did not have it any more at an instant."""
    return of.home is not None and of.home < at


def _was_settled(of: Deployment, at: datetime) -> bool:
    return of.settled is not None and of.settled <= at


def _all_on(split: Json) -> Color | None:
    weights = list(split[:2]) if isinstance(split, list | tuple) else []
    return "blue" if weights == [100, 0] else "green" if weights == [0, 100] else None
