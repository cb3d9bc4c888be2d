"""The other environments of the same application, as far as their ledgers can be looked at from here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..world import World


def other_worlds(world: World) -> Mapping[str, World]:
    """Each other environment that is configured, by its name, with its store and nothing else.

    Raises ``SettingsError`` for a store that is configured wrong.
    """
    return {name: other_world(world, name) for name in environments(world) if name != world.site.environment}


def other_world(world: World, name: str) -> World:
    """Another environment, with its store and nothing else. Raises as ``settings.load`` does."""
    from ..providers import vault_of
    from ..settings import load
    from ..world import World as Other

    config = _configuration(world)
    settings = load(config, name, ("store",))
    folder = world.site.path(settings.state) / settings.name
    site = world.site._replace(environment=settings.name, folder=folder, sections=settings.sections)
    return Other(settings, site._replace(vault=vault_of(config, site)), clock=world.clock)


def environments(world: World) -> tuple[str, ...]:
    """The names of all that are configured, the world's own among them; none where there is no configuration file."""
    found = _configuration(world).get("environments")
    return tuple(map(str, found)) if isinstance(found, Mapping) else ()


def _configuration(world: World) -> Mapping[str, Any]:
    """The plain ``deploy:`` section."""
    from ..settings import plain

    if world.site.context is None:
        return {}
    found = plain(world.site.context.config.get("deploy", {}))
    return found if isinstance(found, dict) else {}
