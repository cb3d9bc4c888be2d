"""Two releases run beside each other for a while: whether there is room for that, as far as a platform tells."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast

from ..errors import Unreachable
from ..ports import NoData
from .item import Found

if TYPE_CHECKING:
    from ..ports import Release
    from ..world import World
    from .subject import Subject

COPIES = 2
"""Times the archive that a host needs: the archive itself and what is unpacked lie there side by side."""
NOT_TOLD = "auto-scaling limits are not read: no platform here tells them"


def there_is_room(of: Subject) -> Found:
    """No host and no database is near its limits, and each disk takes the release. What nobody tells is said."""
    levels = of.world.levels()
    if isinstance(levels, NoData):
        raise Unreachable(levels.why)
    over, within, unread = _judged(of.world, levels)
    full, roomy = _disks(of.world, of.release)
    short, wide = _limits(of.world)
    missing = [f"not read: {', '.join(unread)}"] if unread else []
    facts = [*over, *within, *full, *roomy, *short, *wide, *missing, *([] if short or wide else [NOT_TOLD])]
    is_known = bool(within or roomy or wide) and not unread
    return Found("fail" if full or short else "pass" if is_known and not over else "warn", "; ".join(facts))


def _judged(world: World, levels: Mapping[str, float]) -> tuple[list[str], list[str], list[str]]:
    """Which readings are over their warning limit, which are not, and which nobody takes."""
    from ..verdict.levels import LEVELS, worded

    warn = world.settings.rollout.warn_when
    limits = {"pool": warn.pool, "cpu": warn.cpu, "memory": warn.memory, "disk": warn.disk}
    known = {name: levels[name] for name in limits if name in levels}
    over = [
        f"{worded(name, value)}, over {LEVELS[name].text(limits[name])}"
        for name, value in known.items()
        if value > limits[name]
    ]
    within = [worded(name, value) for name, value in known.items() if value <= limits[name]]
    return over, within, [LEVELS[name].words for name in limits if name not in known]


def _disks(world: World, release: Release | None) -> tuple[Sequence[str], Sequence[str]]:
    """The hosts whose disk is too full for the release, and how much room the others have at least."""
    ask = cast("Callable[[], Mapping[str, int]] | None", getattr(world.fleet, "room", None))
    free = ask() if ask else {}
    archive = Path(release.archive) if release else None
    needed = COPIES * archive.stat().st_size if archive and archive.is_file() else 0
    full = [
        f"{host}: {_megabytes(room)} free, the release takes {_megabytes(needed)}"
        for host, room in free.items()
        if room < needed
    ]
    rest = {host: room for host, room in free.items() if room >= needed}
    if not rest:
        return full, []
    host = min(rest, key=lambda one: rest[one])
    what = f"of {_megabytes(needed)} needed" if needed else "(the release is not built yet)"
    return full, [f"disk of releases: {_megabytes(rest[host])} free on {host}, the fullest {what}"]


def _limits(world: World) -> tuple[Sequence[str], Sequence[str]]:
    """The services that may not have as many tasks as the largest wants, and how many all others may have."""
    ask = cast("Callable[[], Mapping[str, tuple[int, int | None]]] | None", getattr(world.fleet, "limits", None))
    limits = ask() if ask else {}
    wanted = max((wants for wants, _ in limits.values()), default=0)
    short = [
        f"auto-scaling lets {name} have {most} tasks, {wanted} are needed"
        for name, (_, most) in limits.items()
        if most is not None and most < wanted
    ]
    wide = [
        f"auto-scaling lets {name} have {most} tasks" if most is not None else f"{name} has no auto-scaling"
        for name, (_, most) in limits.items()
        if most is None or most >= wanted
    ]
    return short, wide


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.0f} MB"
