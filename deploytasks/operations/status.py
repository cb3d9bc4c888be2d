"""One environment as it is now, as plain data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ..ports import COLORS, Color, Health, Installed
from .astray import UNKNOWN, Found, astray
from .looking import Held, Page, questions
from .questions import Silent

if TYPE_CHECKING:
    from ..ledger import Head
    from ..world import World

Answer = dict[str, Any]


def status(world: World) -> Answer:
    """What is live and idle, the way back, the switch, the lease, the last deployments, and what is not as recorded.

    Each part that cannot be read says so in its place: ``{"unreadable": why}``. Takes ``questions.PATIENCE`` at most,
    and as long again when something is otherwise than recorded.
    """
    looked = Looked(world)
    looked.ask()
    found = looked.answer()
    if looked.is_unsure:
        looked.ask(everything=True)
        found = looked.answer()
    return found


class Looked:
    """An environment that can be looked at again and again."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._questions = questions(world)
        self._seen: frozenset[str] = frozenset()
        self.is_unsure = False
        """Whether something was otherwise than recorded for the first time now."""

    def ask(self, *, everything: bool = False) -> None:
        """Ask whatever is due; returns at once."""
        self._questions.ask(everything=everything)

    def answer(self, patience: float | None = None) -> Answer:
        """What is known, once all is answered or ``patience`` seconds are over (``None``: as long as one may take).

        What is otherwise than recorded is told when it was so twice in a row: what is read at the same time is not
        read in the same moment, and somebody may begin or end in between.
        """
        self._questions.wait(patience)
        found = answer(self._world, self._questions.answers())
        before, self._seen = self._seen, frozenset(each["what"] for each in found["astray"])
        self.is_unsure = not self._seen <= before
        return {**found, "astray": [each for each in found["astray"] if each["what"] in before]}


def answer(world: World, found: Mapping[str, Any]) -> Answer:
    """What came of ``questions``, with people's names in it as far as they are known here."""
    told = {
        "application": world.site.application,
        "environment": world.site.environment,
        "at": _plain(world.clock.now()),
        "traffic": _said(found["traffic"], lambda one: {**one[0]._asdict(), "live": one[0].live, "address": one[1]}),
        "colors": {color: _color(world, color, found) for color in COLORS},
        "maintenance": _said(found["maintenance"], notice),
        "deadman": _said(found["deadman"], _plain),
        "lease": _said(found["lease"], _holder),
        "ledger": _said(found["ledger"], _recorded),
        "astray": _astray(world.site.environment, found),
        "levels": _said(found["levels"], dict),
        "outbox": _said(found["outbox"], dict),
    }
    return dict(world.site.readable(told))


def _said(found: Any, show: Callable[[Any], Any]) -> Any:
    return {"unreadable": found.why} if isinstance(found, Silent) else show(found)


def _astray(environment: str, found: Mapping[str, Any]) -> list[Answer]:
    """What is otherwise than recorded; nothing while the ledger does not answer."""
    if isinstance(found["ledger"], Silent):
        return []
    together = Found(
        environment,
        found["ledger"].standing,
        split=_known(found["traffic"], lambda one: one[0]),
        colors=_known(found["fleet"], lambda one: one.colors),
        notice=_known(found["maintenance"], lambda one: one and one.notice),
        switch=_known(found["deadman"], lambda one: one),
        is_at_work=_known(found["lease"], lambda one: one is not None and one.is_alive),
    )
    return [each._asdict() for each in astray(together)]


def _known(found: Any, take: Callable[[Any], Any]) -> Any:
    return UNKNOWN if isinstance(found, Silent) else take(found)


def _color(world: World, color: Color, found: Mapping[str, Any]) -> Answer | None:
    fleet, healths = found["fleet"], found["health"]
    if isinstance(fleet, Silent):
        return {"unreadable": fleet.why}
    installed = fleet.colors.get(color)
    if installed is None:
        return None
    health = healths if isinstance(healths, Silent) else healths[color]
    silent = [host for host in fleet.silent if host in world.fleet.hosts(color)]
    return {
        **installed._asdict(),
        "silent": silent,
        **_health(installed, health),
        "address": world.fleet.address(color),
    }


def _health(of: Installed, found: Health | Silent) -> Answer:
    """``None``: it runs, and cannot be asked."""
    if not of.runs:
        return {"healthy": False, "usable": False, "detail": "does not run"}
    if isinstance(found, Silent):
        return {"healthy": None, "usable": None, "detail": found.why}
    return {"healthy": found.healthy, "usable": found.is_usable, "detail": found.detail}


def notice(found: Page | None) -> Answer | None:
    """What visitors read, since when, by whom."""
    return None if found is None else {**_plain(found.notice), "disagreement": found.disagreement}


def _holder(found: Held | None) -> Answer | None:
    if found is None:
        return None
    by = found.by.holder
    return {
        "dead": found.is_dead,
        "quiet": found.quiet,
        "who": by.who,
        "host": by.host,
        "pid": by.pid,
        "doing": found.by.doing,
        "since": _plain(found.by.since),
    }


def _recorded(head: Head) -> Answer:
    """What the ledger adds up to."""
    of = head.standing
    return {
        "events": head.number,
        "head": head.digest,
        "open": _plain(of.open),
        "settled": _plain(of.settled),
        "recent": [_plain(ended) for ended in of.recent],
        "rollbacks": [_plain(back) for back in of.rollbacks],
        "asked": [_plain(asked) for asked in of.asked] if of.open else [],
    }


def _plain(value: Any) -> Any:
    """Named values as objects, instants as text."""
    if hasattr(value, "_asdict"):
        return {name: _plain(field) for name, field in value._asdict().items()}
    return value.isoformat() if isinstance(value, datetime) else value
