"""The sources of metrics of an environment, each by itself: for who asks one after the other, and not what they say
together."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from .settings.several import named, parts
from .settings.sources import given_by

if TYPE_CHECKING:
    from .ports import Metrics
    from .settings.measures import Measure
    from .world import World


class Source(NamedTuple):
    """One source, by its name, and what it gives."""

    name: str
    port: Metrics
    gives: frozenset[Measure]


def every_source(world: World) -> list[Source]:
    """All of them, as they are configured."""
    settings = parts(world.settings.sections.get("metrics"))
    ports = getattr(world.metrics, "sources", None) or (world.metrics,)
    return [Source(name, port, given_by(of)) for name, port, of in zip(named(settings), ports, settings, strict=True)]
