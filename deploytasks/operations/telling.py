"""Tell elsewhere what is recorded here: woken by the first event that anybody may want to hear of, and never waited for
but at the end of a chain, for some seconds."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from .. import executor, view
from ..errors import DeployError, SettingsError
from ..opened import Opened
from ..outbox import TELLING
from ..settings.kinds import TOLD

if TYPE_CHECKING:
    from ..outbox.courier import Courier, Opened as Ready, Waiting
    from ..ports import Event
    from ..world import World

PATIENCE = 5.0
"""Seconds that a chain waits at its end for who was not told yet."""
SHARE = 0.05
"""Of the time that a rollback and its watch took: how long it waits at its end."""


class Telling:
    """A listener. It imports nothing and starts nothing before there is something to tell."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._courier: Courier | None = None
        self._began = time.monotonic()

    def tell(self, event: Event) -> None:
        """An event that was recorded; a spooled one is told once the ledger has it."""
        if event.number and (self._courier is not None or event.kind in TELLING):
            self._started().tell(event)

    def look(self) -> None:
        """Tell what the ledger has."""
        self._started().tell(None)

    def finish(self, patience: float = PATIENCE) -> Mapping[str, Waiting]:
        """Wait so many seconds at most; what waits then, by name."""
        courier, self._courier = self._courier, None
        return {} if courier is None else courier.finish(patience)

    def end(self) -> None:
        """The same, with a line for people."""
        if waiting := self.finish():
            view.say(_words(waiting, self._world.site.environment))

    def end_of_a_rollback(self) -> None:
        """Wait a small part of what it took; who was not told then is told by another process."""
        waiting = self.finish(SHARE * (time.monotonic() - self._began))
        if waiting or _is_spooled(self._world):
            from .handing_on import hand_over

            hand_over(self._world)

    def _started(self) -> Courier:
        if self._courier is None:
            from ..outbox.courier import Courier

            self._courier = Courier(lambda: ready(self._world))
        return self._courier


def listen(world: World) -> Telling:
    """Tell what this world records from now on, and wait for it at the end of the chain."""
    telling = Telling(world)
    world.listeners = (*world.listeners, telling)
    executor.at_the_end(telling.end)
    return telling


def beside_a_watch(world: World) -> None:
    """Tell of a rollback while it is watched; what waits at the end is handed on."""
    telling = Telling(world)
    telling.look()
    executor.at_the_end(telling.end_of_a_rollback)


def ready(world: World) -> Ready:
    """All that a courier needs, opened by ways of its own, so that it holds up nobody."""
    from ..ledger import Holder
    from ..outbox.courier import Opened as Ready
    from ..outbox.delivery import Me
    from ..outbox.place import Places
    from ..outbox.story import About
    from ..outbox.tape import Tape
    from ..providers.identity import identity, is_alive

    known, mistakes = told_by(world)
    found = known.recipients
    links = getattr(known.settings.sections.get("links"), "templates", {})
    site = world.site
    tape = Tape(
        known.another_ledger(),
        About(site.application, site.environment, protected=world.settings.protected, links=links),
    )
    return Ready(
        recipients={name: one for name, one in found.items() if not isinstance(one, DeployError)},
        unopened={**mistakes, **{name: one.what for name, one in found.items() if isinstance(one, DeployError)}},
        tape=tape,
        places=Places(tape.ledger.store, world.scope),
        me=Me(Holder.here(site.who, identity, site.host), is_alive, world.clock.now),
    )


def told_by(world: World) -> tuple[Opened, dict[str, str]]:
    """The environment with those sections in it that say who is told; and, by section, why one of them is not.

    A task that goes back validates only what it needs: a mistake here must not be one there.
    """
    from .opening import reloaded

    context = world.site.context
    if context is None or "links" in world.settings.sections:  # all of it was loaded
        return world, {}
    sections, mistakes = dict(world.settings.sections), dict[str, str]()
    for part in (*sorted(TOLD), "links"):
        try:
            sections |= reloaded(world, part).sections
        except SettingsError as error:
            mistakes[part] = "; ".join(error.mistakes)
    site = world.site._replace(sections=sections)
    return Opened(replace(world.settings, sections=sections), site, clock=world.clock), mistakes


def _is_spooled(world: World) -> bool:
    try:
        return bool(world.spool.waiting())
    except DeployError:
        return False


def _words(waiting: Mapping[str, Waiting], environment: str) -> str:
    told = "; ".join(shown(name, each) for name, each in waiting.items())
    return f"not everybody was told: {told}. It waits: `inv notify-deployment --flush --env {environment}`"


def shown(name: str, waits: Waiting) -> str:
    """What a recipient was not told, in words: ``slack (2 messages since 10:15:02 UTC: it is silent)``."""
    if not name:
        return waits.why
    many = {0: "", 1: "1 message"}.get(waits.many, f"{waits.many} messages")
    since = f" since {waits.since:%H:%M:%S} UTC" if waits.since else ""
    return f"{name} ({many}{since}{': ' if many else ''}{waits.why})"
