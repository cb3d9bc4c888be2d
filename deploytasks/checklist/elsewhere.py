"""The other environments of the same application, as far as their ledgers can be looked at from here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..world import World


def other_worlds(world: World) -> Mapping[str, World]:
    """Each other environment that is configured, by its name, with its store and nothing else.

    Raises ``SettingsError`` for a store that is configured wrong.
    """
    from ..settings import load, plain
    from ..world import World as Other

    if world.site.context is None:
        return {}
    config = plain(world.site.context.config.get("deploy", {}))
    found: dict[str, World] = {}
    for name in config.get("environments") or {}:
        if str(name) != world.site.environment:
            settings = load(config, str(name), ("store",))
            folder = world.site.path(settings.state) / settings.name
            site = world.site._replace(environment=settings.name, folder=folder, sections=settings.sections)
            found[settings.name] = Other(settings, site, clock=world.clock)
    return found
