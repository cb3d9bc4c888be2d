"""ECS: a service for each color whose traffic we share; or one service, whose rollouts are ECS' own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ....settings.ecs import EcsFleetSettings
    from ...site import Site


class Fleet:
    """``Fleet(settings, site)`` is the fleet that these settings mean; what only the other needs is not imported."""

    def __new__(cls, settings: EcsFleetSettings, site: Site) -> Any:
        if settings.is_one_service:
            from .native_fleet import NativeFleet

            return NativeFleet(settings, site)
        from .fleet import EcsFleet

        return EcsFleet(settings, site)
