"""Infrastructure: what must stand before anything is changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import Unreachable
from .item import Found, Item

if TYPE_CHECKING:
    from ..ports import Release
    from ..world import World


def live_is_healthy(world: World, release: Release | None) -> Found:
    """The color that serves users, and would serve them again after a rollback, is well."""
    split = world.traffic.at_rest()
    live = split.live
    if split.is_mixed:
        return Found("pending", f"traffic is at {split.weights()}: that is cleared up first")
    if live is None:
        return Found("not applicable", "nothing is live yet")
    found = world.fleet.installed(live)
    if found is not None and not found.running:
        return Found("pending", f"{live} {found.version} does not run: the deployment starts it first")
    health = world.fleet.health(live)
    return Found("pass" if health.healthy else "fail", f"{live}: {health.detail}")


def site_is_open(world: World, release: Release | None) -> Found:
    """Nobody has closed the site: what visitors get now says nothing about a release."""
    if world.maintenance is None:
        return Found("not applicable", "no maintenance page is configured")
    try:
        notice = world.maintenance.read()
    except Unreachable:
        if world.traffic.prepare():
            return Found("pending", "the balancer does not run: the deployment starts it first")
        raise
    if notice is None:
        return Found("pass", "maintenance is off")
    why = f"closed by {notice.who} since {notice.since:%Y-%m-%d %H:%M} UTC: {notice.message or 'no reason is given'}"
    return Found("fail", f"{why} (`inv maintenance-mode disable` opens it)")


SITE_IS_OPEN = Item("infrastructure.open", "The site is open: nobody has closed it for maintenance", site_is_open)

ITEMS = (Item("infrastructure.live", "The live color is healthy: it is the way back", live_is_healthy), SITE_IS_OPEN)
