"""Infrastructure: what must stand before anything is changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .item import Found, Item

if TYPE_CHECKING:
    from ..ports import Release
    from ..world import World


def live_is_healthy(world: World, release: Release | None) -> Found:
    """The color that serves users, and would serve them again after a rollback, is well."""
    live = world.traffic.read().live
    if live is None:
        return Found("not applicable", "nothing is live yet")
    health = world.fleet.health(live)
    return Found("pass" if health.healthy else "fail", f"{live}: {health.detail}")


ITEMS = (Item("infrastructure.live", "The live color is healthy: it is the way back", live_is_healthy),)
