"""Say something to everybody who is told what happens, or tell them what waits."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from .. import view
from ..errors import GateRefused, Unreachable, UsageError
from .opening import is_somebody_told, open_world
from .telling import Telling, ready, shown

if TYPE_CHECKING:
    from invoke import Context

    from ..outbox.courier import Waiting
    from ..outbox.delivery import Next
    from ..ports import Event
    from ..world import World

PATIENCE = 30.0
"""Seconds that somebody who asks for it is willing to wait."""
_WORD = r"[a-z][a-z0-9-]{0,39}"
LONGEST = 1000
"""Characters of a message."""


def notify(
    c: Context, env: str | None, word: str | None, version: str | None, message: str, *, flush: bool, preview: bool,
    json: bool,
) -> None:  # fmt: skip
    """The whole of ``inv notify-deployment``. Raises ``Unreachable`` when somebody could not be told."""
    if not word and not flush:
        raise UsageError("notify of what?", do="say started, finished, failed, rolled-back or another word; or --flush")
    if word and not re.fullmatch(_WORD, word):
        raise UsageError(f"{word!r} is no event", do="say one word in small letters, such as started or failed")
    world = open_world(c, env, need=("store", "messages", "markers", "links"))
    if not is_somebody_told(world):
        raise GateRefused("nobody is named who could be told", do="add `messages:` or `markers:` to the environment")
    if preview:
        _preview(world, word, version or "", message, json=json)
        return
    world.catch_up()
    telling = Telling(world)
    if word:
        telling.tell(_announced(world, word, version or "", message))
    telling.look()
    _end(world, word, telling.finish(PATIENCE), json=json)


def _announced(world: World, word: str, version: str, message: str) -> Event:
    event = world.note("announced", event=word, version=version, message=message[:LONGEST])
    assert event is not None
    return event


def _end(world: World, word: str | None, waiting: dict[str, Waiting] | Any, *, json: bool) -> None:
    waits = {name: _answer(each) for name, each in waiting.items() if name}
    unknown = waiting[""].why if "" in waiting else ""
    view.show(
        "notified",
        {"environment": world.site.environment, "event": word or "", "waiting": waits, "unknown": unknown},
        json,
    )
    if waiting:
        told = "; ".join(shown(name, each) for name, each in waiting.items())
        raise Unreachable(
            f"not everybody was told: {told}",
            state="what is recorded waits, and is told in order",
            do=f"`inv notify-deployment --flush --env {world.site.environment}` tries again",
        )


def _answer(waits: Waiting) -> dict[str, Any]:
    return {"waiting": waits.many, "why": waits.why, "since": waits.since.isoformat() if waits.since else None}


# -- without telling anybody ---------------------------------------------------------------------------------------


def _preview(world: World, word: str | None, version: str, message: str, *, json: bool) -> None:
    """Each message as it would be sent; nothing is recorded, nobody is told."""
    from ..ports import Event

    of = ready(world)
    number = of.tape.ledger.head().number
    if word:
        number += 1
        facts = {"event": word, "version": version, "message": message[:LONGEST]}
        of.tape.heard(Event(number, world.clock.now(), "announced", facts, world.site.who, 0, "", ""))
    from ..outbox.delivery import Delivery

    found = {
        name: [_line(each) for each in Delivery(name, one, of.places, of.tape, of.me).outgoing(number)]
        for name, one in of.recipients.items()
    }
    answer = {"environment": world.site.environment, "would": found, "unopened": dict(of.unopened)}
    view.show("to-be-told", answer, json)


def _line(found: Next) -> dict[str, Any]:
    text = found.sending.text if found.sending else f"cannot be written: {found.why}"
    return {"number": found.bulletin.number, "change": found.bulletin.change, "text": text}


# -- what waits ----------------------------------------------------------------------------------------------------

_MOST = 100
"""Events that are read to see what waits, for whoever only looks."""


def waiting(world: World) -> dict[str, Any]:
    """What everybody who is told was not told yet, by name; who was told everything is not in it."""
    from ..outbox.delivery import Delivery

    if not (is_somebody_told(world) or world.site.context is None):
        return {}
    of = ready(world)
    found: dict[str, Any] = {name: {"waiting": 0, "why": why, "since": None} for name, why in of.unopened.items()}
    number = of.tape.ledger.head().number if of.recipients else 0
    for name, one in of.recipients.items():
        delivery = Delivery(name, one, of.places, of.tape, of.me)
        if left := delivery.waiting(number, _MOST):
            trouble = delivery.trouble
            why = trouble.why if trouble else "nobody was there to tell it yet"
            found[name] = {"waiting": len(left), "why": why, "since": left[0].at.isoformat()}
    return found
