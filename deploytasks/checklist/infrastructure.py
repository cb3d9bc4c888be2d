"""Infrastructure: what must stand before anything is changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ..errors import DeployError, Unreachable
from ..ports import Notice
from ..settings.several import Several
from .capacity import there_is_room
from .infrastructure_code import infrastructure_reviewed
from .item import Found, Item
from .targets import enough_are_healthy

if TYPE_CHECKING:
    from ..world import World
    from .subject import Subject


def live_is_healthy(of: Subject) -> Found:
    """The color that serves users, and would serve them again after a rollback, is well."""
    world = of.world
    split = world.traffic.at_rest()
    live = split.live
    if split.is_mixed:
        return Found("pending", f"traffic is at {split.weights()}: that is cleared up first")
    if live is None:
        return Found("not applicable", "nothing is live yet")
    found = of.installed(live)
    if found is not None and not found.running:
        return Found("pending", f"{live} {found.version} does not run: the deployment starts it first")
    health = world.fleet.health(live)
    return Found("pass" if health.healthy else "fail", f"{live}: {health.detail}")


def site_is_open(of: Subject) -> Found:
    """Nobody has closed the site: what visitors get now says nothing about a release."""
    world = of.world
    if world.maintenance is None:
        return Found("not applicable", "no maintenance page is configured")
    seen = _each_place(world)
    for place, said in seen.items():
        if isinstance(said, Notice):
            why = f"{said.since:%Y-%m-%d %H:%M} UTC: {said.message or 'no reason is given'}"
            return Found("fail", f"closed by {said.who} since {why} (`inv maintenance-mode disable` opens it)")
        if isinstance(said, DeployError) and not _is_still_down(world, place):
            why = "unreachable" if isinstance(said, Unreachable) else "cannot be checked"
            return Found("fail", f"{why}: {said.what}")
    if any(isinstance(said, DeployError) for said in seen.values()):
        return Found("pending", "the balancer does not run: the deployment starts it first")
    return Found("pass", "maintenance is off")


def _each_place(world: World) -> Mapping[str, Notice | DeployError | None]:
    """What each place under ``maintenance:`` says, by its kind."""
    assert world.maintenance is not None
    if isinstance(world.settings.sections.get("maintenance"), Several):
        found: Mapping[str, Notice | DeployError | None] = world.maintenance.read_each()  # type: ignore[attr-defined]  # of several
        return found
    try:
        return {_kind(world, "maintenance"): world.maintenance.read()}
    except DeployError as error:
        return {_kind(world, "maintenance"): error}


def _is_still_down(world: World, place: str) -> bool:
    """Whether this is a balancer that a first deployment will start."""
    return place.partition(" ")[0] == _kind(world, "traffic") and bool(world.traffic.prepare())


def _kind(world: World, section: str) -> str:
    return str(getattr(world.settings.sections.get(section), "kind", ""))


SITE_IS_OPEN = Item(
    "infrastructure.open",
    "The site is open: nobody has closed it for maintenance",
    site_is_open,
    "development",
    asks="fleet",
    critical=True,
)

ITEMS = (
    Item(
        "infrastructure.live",
        "The live color is healthy: it is the way back",
        live_is_healthy,
        "development",
        asks="fleet",
        critical=True,
    ),
    SITE_IS_OPEN,
    Item(
        "infrastructure.targets",
        "Enough hosts are healthy, and all can be reached",
        enough_are_healthy,
        "staging",
        asks="fleet",
        critical=True,
    ),
    Item(
        "infrastructure.capacity",
        "There is room for two releases at once",
        there_is_room,
        asks="levels and disks",
    ),
    Item(
        "infrastructure.reviewed",
        "Changes of the infrastructure were reviewed",
        infrastructure_reviewed,
        asks="reviews",
    ),
)
