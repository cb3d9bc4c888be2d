"""ECS: a service for each color whose traffic we share; or one service, whose rollouts are ECS' own."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ....settings.ecs import EcsFleetSettings
    from ...site import Site
    from .fleet import EcsFleet
    from .native_fleet import NativeFleet


def open_fleet(settings: EcsFleetSettings, site: Site) -> EcsFleet | NativeFleet:
    """The fleet that these settings mean."""
    if settings.is_one_service:
        from .native_fleet import NativeFleet

        return NativeFleet(settings, site)
    from .fleet import EcsFleet

    return EcsFleet(settings, site)
