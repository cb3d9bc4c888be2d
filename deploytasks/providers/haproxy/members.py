"""What belongs to which color in HAProxy's configuration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from ...ports import COLORS, Color
from .weights import Weights

if TYPE_CHECKING:
    from ...settings.haproxy import TrafficSettings
    from ..site import Site


class Members(NamedTuple):
    """One color: a backend of its own, or some servers, as ``backend/server``, of backends that both colors share."""

    backend: str
    servers: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """As a log line has them."""
        return self.servers or (self.backend,)

    def __str__(self) -> str:
        return ", ".join(self.names)


def members(settings: TrafficSettings, site: Site) -> Mapping[Color, Members]:
    """Of both colors; by default the backends ``<application>_blue`` and ``<application>_green``."""
    if settings.servers is not None:
        return {color: Members("", getattr(settings.servers, color)) for color in COLORS}
    named = settings.backends
    return {color: Members(getattr(named, color) if named else f"{site.application}_{color}") for color in COLORS}


def weights(settings: TrafficSettings) -> Weights | None:
    """How the servers of both colors share their backends; ``None`` when each color has a backend of its own."""
    if settings.servers is None:
        return None
    backends: dict[str, dict[Color, list[str]]] = {}
    for color in COLORS:
        for name in getattr(settings.servers, color):
            backend, _, server = name.partition("/")
            backends.setdefault(backend, {each: [] for each in COLORS})[color].append(server)
    return Weights(backends)
