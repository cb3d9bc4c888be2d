"""What is asked when somebody looks at an environment: each outside system at once, and not for long."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from ..at_once import at_once
from ..errors import DeployError, HostsDown
from ..ports import COLORS, Color, Health, Installed, NoData, Notice
from .questions import Question, Questions, Silent

if TYPE_CHECKING:
    from ..ledger import Head, Holding
    from ..world import World

NEED = ("traffic", "fleet", "store", "maintenance", "deadman")
"""The parts of an environment's settings that must be right."""
CONNECT_WITHIN = 5.0
"""Seconds, at most, until a host counts as silent: whoever looks does not wait as long as whoever deploys."""
_NOW, _SOON, _LATER = 2.0, 6.0, 10.0
"""Seconds between two questions about what changes at any moment, now and then, hardly ever."""
_NOBODY = 2.0
"""Times to live of a lease without a sign of life, after which nobody is taken to be at work."""


class Fleet(NamedTuple):
    """What stands on the hosts that answer, and the names of those that do not."""

    colors: Mapping[Color, Installed | None]
    silent: tuple[str, ...]


class Held(NamedTuple):
    """The lease. ``is_dead``: its process is surely gone. ``quiet``: seconds without a sign of life, once that is
    longer than it should be."""

    by: Holding
    is_dead: bool
    quiet: float | None

    @property
    def is_alive(self) -> bool:
        """Whether somebody is at work, as far as it can be known."""
        return not self.is_dead and self.quiet is None


class Page(NamedTuple):
    """The maintenance page. ``disagreement``: which of several balancers do otherwise."""

    notice: Notice
    disagreement: str = ""


def questions(world: World) -> Questions:
    """All that is asked of an environment, by name."""
    _open(world)
    return Questions([
        Question("traffic", lambda: (world.traffic.read(), world.traffic.address()), _NOW),
        Question("ledger", partial(_head, world), _NOW),
        Question("lease", partial(_lease, world), _NOW),
        Question("fleet", partial(_fleet, world), _SOON),
        Question("health", partial(_healths, world), _SOON),
        Question("maintenance", partial(page, world), _NOW),
        Question("deadman", lambda: world.deadman.state() if world.deadman else None, _NOW),
        Question("levels", partial(_levels, world), _LATER),
        Question("outbox", partial(_outbox, world), _LATER),
    ])  # fmt: skip


def _open(world: World) -> None:
    """Open what several questions need: their threads must not both do it."""
    for part in ("traffic", "whole_fleet", "maintenance", "deadman", "store", "ledger", "spool"):
        with suppress(DeployError, OSError):  # whoever asks it is told why
            getattr(world, part)


def _fleet(world: World) -> Fleet:
    """Raises ``HostsDown`` when no host answers."""
    try:
        return Fleet(world.fleet.colors(), ())
    except HostsDown as error:
        rest = set(world.fleet.hosts()) - set(error.hosts)
        if not rest:
            raise
        return Fleet(world.fleet.only(rest).colors(), error.hosts)


def _healths(world: World) -> Mapping[Color, Health | Silent]:
    """Of both colors, whatever stands there: this does not wait until that is known."""
    came = at_once([partial(world.fleet.health, color) for color in COLORS], len(COLORS))
    return {
        color: one.value if one.value is not None else Silent(str(getattr(one.error, "what", one.error)))
        for color, one in zip(COLORS, came, strict=True)
    }


def page(world: World) -> Page | None:
    """The notice that visitors read, if the site is closed."""
    notice = world.maintenance.read() if world.maintenance else None
    if notice is None:
        return None
    return Page(notice, getattr(world.maintenance, "disagreement", lambda: "")())  # only several can disagree


def _lease(world: World) -> Held | None:
    from ..ledger import Holder, holding
    from ..providers.identity import identity, is_alive

    found = holding(world.store, world.scope)
    if found is None:
        return None
    dead = found.is_dead(Holder.here(world.site.who, identity, world.site.host), is_alive)
    quiet = (world.clock.now() - found.beat_at).total_seconds()
    return Held(found, dead, quiet if quiet > _NOBODY * found.ttl else None)


def _head(world: World) -> Head:
    world.catch_up()
    return world.ledger.head()


def _levels(world: World) -> Mapping[str, Any] | Silent:
    """Readings of database and hosts with the limits from which they warn. A mistake under ``metrics`` shows here,
    and spoils no other part."""
    from ..rules import rollout_rules
    from ..world import World
    from .opening import reloaded

    settings = reloaded(world, "metrics")
    if "metrics" not in settings.sections:
        return {}
    found = (world if settings is world.settings else World(settings, world.site)).levels()
    if isinstance(found, NoData):
        return Silent(found.why)
    if not found:
        return {}
    limits = rollout_rules(reloaded(world, "rollout"), "status", None, "blue", (100,)).warn_levels
    return {name: {"value": value, "warns_above": limits.get(name)} for name, value in found.items()}


def _outbox(world: World) -> Mapping[str, Any]:
    """What waits for whom."""
    from .announcing import waiting

    return waiting(world)
