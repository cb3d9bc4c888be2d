"""The fold from events to their standing.

``apply`` is pure. The head of the ledger carries its result, so that a reader need not read the stream;
``verify`` folds again and compares. The result's size is bounded, whatever the stream holds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from ..ports import Color, Event, other
from .event import instant_text
from .facts import Facts, color, instant, part, text, truth, whole
from .standing import (
    Asked,
    Closed,
    Ended,
    Evidence,
    Open,
    Placed,
    Settled,
    Signed,
    Standing,
    Succeeded,
    WentBack,
    made_of,
    short,
)

__all__ = [
    "Asked",
    "Closed",
    "Ended",
    "Evidence",
    "Open",
    "Placed",
    "Settled",
    "Signed",
    "Standing",
    "Succeeded",
    "WentBack",
    "apply",
    "done_by",
    "happened_at",
]

PROJECTION = 8
"""Rises with every change of what is folded or how: a head of another number is folded anew."""

RECENT = 20
EVIDENCE = 50
SIGNED = 100
SUCCEEDED = 30
ROLLBACKS = 20
ASKED = 5
IMPORTED = 100


def apply(standing: Standing, event: Event) -> Standing:
    """The standing after one more event. A kind it does not know changes nothing; a missing fact reads empty."""
    change = _CHANGES.get(event.kind)
    after = change(standing, event) if change else standing
    spooled = short(event.facts, "spooled")
    return after._replace(imported=(*after.imported, spooled)[-IMPORTED:]) if spooled else after


def happened_at(event: Event) -> datetime:
    """When it happened: for an event that was spooled, before it was recorded."""
    return (instant(event.facts, "at") if text(event.facts, "spooled") else None) or event.at


def done_by(event: Event) -> str:
    """Who did it: for an event that was spooled, perhaps not who recorded it."""
    return (text(event.facts, "who") if text(event.facts, "spooled") else "") or event.who


def _told(event: Event) -> Facts:
    """The facts, with when and by whom."""
    return {**event.facts, "at": instant_text(happened_at(event)), "who": done_by(event)}


def _began(standing: Standing, event: Event) -> Standing:
    who = text(event.facts, "who") or event.who
    number = whole(event.facts, "first") or event.number  # a resumed deployment began before
    began = made_of(Open, {**_told(event), "number": number, "who": who})
    is_resumed = bool(whole(event.facts, "first"))
    return standing._replace(open=began, asked=standing.asked if is_resumed else ())


def _ended(standing: Standing, event: Event) -> Standing:
    ended = made_of(Ended, {**_told(event), "ended": instant_text(happened_at(event))})
    before = standing.open
    if before is not None and before.deployment == ended.deployment:
        ended = ended._replace(
            task=before.task,
            version=before.version,
            digest=before.digest,
            who=before.who,
            began=before.at,
            number=before.number,
        )
        standing = standing._replace(open=None)
    return standing._replace(recent=(*standing.recent, ended)[-RECENT:])


def _settled(standing: Standing, event: Event) -> Standing:
    success = made_of(Succeeded, _told(event))
    content = success.digest, success.commit
    others = [known for known in standing.succeeded if (known.digest, known.commit) != content]
    return standing._replace(
        settled=made_of(Settled, _told(event)),
        succeeded=(*others, *([success] if success.digest else []))[-SUCCEEDED:],
        withdrawn=tuple(known for known in standing.withdrawn if known.digest != success.digest),
    )


def _rolled_back(standing: Standing, event: Event) -> Standing:
    """The settled success counts no longer, whatever commit it is said to be of; unless it got all traffic back."""
    standing = _went_back(standing, event)
    after = _way_back_gone(standing, event)
    if after is standing or standing.settled is None or _color_of_all(event) == standing.settled.color:
        return after
    bad = standing.settled.digest
    gone = [known for known in standing.succeeded if known.digest == bad]
    return after._replace(
        succeeded=tuple(known for known in standing.succeeded if known.digest != bad),
        withdrawn=(*standing.withdrawn, *gone)[-SUCCEEDED:],
    )


def _went_back(standing: Standing, event: Event) -> Standing:
    """Remembered in the order in which it happened: a spooled one may be recorded late."""
    is_switch = event.kind == "deadman-fired"
    to = _color_of_all(event, "split" if is_switch else "to")
    back = WentBack(
        color=to,
        version=_version(standing, to),
        left=_version(standing, other(to) if to else None),
        reason=short(event.facts, "why" if is_switch else "reason"),
        by_switch=is_switch,
        at=happened_at(event),
        who=short(event.facts, "by") or done_by(event),
    )
    return standing._replace(rollbacks=tuple(sorted((*standing.rollbacks, back), key=lambda one: one.at)[-ROLLBACKS:]))


def _version(standing: Standing, of: Color | None) -> str:
    placed = standing.releases.get(of) if of else None
    return placed.version if placed else ""


def _asked(standing: Standing, event: Event) -> Standing:
    signer = short(event.facts, "signer")
    asked = made_of(Asked, {**_told(event), "number": event.number, **({"who": signer} if signer else {})})
    return standing._replace(asked=(*standing.asked, asked)[-ASKED:])


def _answered(standing: Standing, event: Event) -> Standing:
    """What came of what was asked: by a reading that carried it, or by an answer without one."""
    found = part(event.facts, "answer") if event.kind == "reading" else event.facts
    number = whole(found, "asked")
    if not number or all(one.number != number for one in standing.asked):
        return standing
    said, obeyed = short(found, "said"), truth(found, "obeyed")
    asked = (one._replace(said=said, obeyed=obeyed) if one.number == number else one for one in standing.asked)
    return standing._replace(asked=tuple(asked))


def _closed_or_opened(standing: Standing, event: Event) -> Standing:
    return standing._replace(closed=made_of(Closed, _told(event)) if truth(event.facts, "on") else None)


def _color_of_all(event: Event, name: str = "to") -> Color | None:
    """The color that had all traffic after a way back, if it is told."""
    to = event.facts.get(name)
    weights = list(to[:2]) if isinstance(to, list | tuple) else []
    return "blue" if weights == [100, 0] else "green" if weights == [0, 100] else None


def _way_back_gone(standing: Standing, event: Event) -> Standing:
    known = standing.settled
    if known is None or (text(event.facts, "spooled") and happened_at(event) < known.at):
        return standing  # spooled, and recorded only after a later deployment settled
    return standing._replace(settled=known._replace(way_back=None, way_back_until=None))


def _installed(standing: Standing, event: Event) -> Standing:
    where = color(event.facts, "color")
    if where is None:
        return standing
    return standing._replace(releases={**standing.releases, where: made_of(Placed, event.facts)})


def _seen(standing: Standing, event: Event) -> Standing:
    seen = made_of(Evidence, _told(event))
    others = [known for known in standing.evidence if known.item != seen.item]
    return standing._replace(evidence=(*others, seen)[-EVIDENCE:])


def _signed(standing: Standing, event: Event) -> Standing:
    signed = made_of(Signed, {**_told(event), "number": event.number})
    same = (signed.act, signed.item, signed.about, signed.signer or signed.who)
    others = [known for known in standing.signed if (*known[:3], known.signer or known.who) != same]
    return standing._replace(signed=_kept((*others, signed)))


def _kept(signed: tuple[Signed, ...]) -> tuple[Signed, ...]:
    """The latest, and those before them that are the last ones of their item: some count for months."""
    last = {one.item: one.number for one in signed if one.act == "sign"}
    older = [one for one in signed[:-SIGNED] if one.act == "sign" and last[one.item] == one.number]
    return (*older[-SIGNED:], *signed[-SIGNED:])


_CHANGES: Mapping[str, Callable[[Standing, Event], Standing]] = {
    "began": _began,
    "ended": _ended,
    "settled": _settled,
    "installed": _installed,
    "rolled-back": _rolled_back,
    "deadman-fired": _went_back,
    "maintenance": _closed_or_opened,
    "asked": _asked,
    "answered": _answered,
    "reading": _answered,
    "retired": _way_back_gone,
    "evidence": _seen,
    "signed": _signed,
}
