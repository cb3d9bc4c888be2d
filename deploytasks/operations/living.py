"""The signs of life of a deployer, for whoever watches it: its lease, and the switch that waits for its silence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..view.desk import Life

if TYPE_CHECKING:
    from ..world import World


def life(world: World) -> Life | None:
    """Who holds the lease, how to see its age, and the grace of the dead-man's switch; ``None`` without a lease."""
    lease = world.lease
    if lease is None:
        return None
    grace = getattr(world.settings.sections.get("deadman"), "grace", None)
    return Life(
        holder=world.site.who,
        token=lease.token,
        ttl=lease.ttl,
        age=lambda: lease.age_since_renewal,
        grace=grace,
        application=world.site.application,
        environment=world.site.environment,
    )
