"""What was typed, as values; and the conditions a task sets before it begins."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ..checklist.infrastructure import SITE_IS_OPEN
from ..checklist.subject import Subject
from ..errors import GateRefused, UsageError
from ..settings.base import seconds
from ..steps.backup import configured
from ..steps.restore import rewinding

if TYPE_CHECKING:
    from ..world import World


def duration(given: str | None, default: float) -> float:
    """``10m`` or ``90s`` in seconds."""
    if given is None:
        return default
    try:
        found = float(seconds(given))
    except ValueError as error:
        raise UsageError(str(error)) from None
    if not 0 < found <= 7 * 86400:
        raise UsageError(f"{given} is not a duration to watch", do="say 90s, 10m or 2h")
    return found


def stages(given: Sequence[str]) -> tuple[int, ...]:
    """``["10", "50"]`` as rising percentages."""
    try:
        found = tuple(int(text.rstrip(" %")) for text in given)
    except ValueError:
        raise UsageError(f"--to takes percent: {', '.join(given)}", do="say --to 25, or --to 25 --to 100") from None
    if not found:
        raise UsageError("shift to what?", do="say --to 25, or --to 25 --to 50 --to 100")
    for before, percent in zip((0, *found), found, strict=False):
        if not before < percent <= 100:
            raise UsageError(f"--to {percent}: stages must rise, up to 100", do="home again: `inv rollback`")
    return found


def older(allowed: bool, reason: str | None) -> str:
    """Why a version older than the live one may go out; empty when it may not. Raises ``UsageError`` without a why."""
    if allowed and not (reason or "").strip():
        raise UsageError("--allow-older needs a reason", do="say --reason …; it is recorded")
    return (reason or "").strip() if allowed else ""


def commits(world: World) -> Mapping[str, str]:
    """The commits of what is installed, by digest, as the ledger knows them."""
    return {placed.digest: placed.commit for placed in world.ledger.head().standing.releases.values()}


def were_live(world: World) -> Collection[str]:
    """The digests of what was live here before, as the ledger knows them: that has passed the gates."""
    standing = world.ledger.head().standing
    return {success.digest for success in (*standing.succeeded, *standing.withdrawn)}


def backup(world: World, name: str | None) -> str:
    """The name of a backup that exists: the given one, or the newest."""
    known = [each.name for each in configured(world).backups()]
    if name is None and known:
        return known[0]
    if name in known:
        return str(name)
    raise UsageError(
        f"there is no backup {name!r}" if name else "there is no backup",
        do=f"choose one of: {', '.join(known[:10])}" if known else "`inv backup-database` makes one",
    )


def restorable(world: World, name: str | None, at: str | None) -> tuple[str, str]:
    """What is put in the database's place: a backup's name, or a point in time (ISO 8601); the other is empty."""
    if at is None:
        return backup(world, name), ""
    if name is not None:
        raise UsageError("--backup and --at at once?", do="say which copy, or which time")
    rewinding(world)
    return "", instant(at, world.clock.now()).isoformat()


def instant(given: str, now: datetime) -> datetime:
    """``2026-11-23T10:00Z`` as an instant; UTC, when it says no zone."""
    try:
        found = datetime.fromisoformat(given.strip())
    except ValueError:
        raise UsageError(f"{given} is no point in time", do="say one in UTC: 2026-11-23T10:00Z") from None
    found = found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    if found > now:
        raise UsageError(f"{found:%Y-%m-%d %H:%M:%S} UTC is still to come", do=f"it is {now:%Y-%m-%dT%H:%M:%SZ} now")
    return found


def require_open(world: World) -> None:
    """Refuse to move traffic while somebody has closed the site: 503 for everybody judges no release."""
    found = SITE_IS_OPEN.look(Subject(world, None))
    if found.error is not None:
        raise found.error
    if found.answer == "fail":
        raise GateRefused(f"the site is not open: {found.evidence}", state="nothing was changed")


def require_way_back_over(world: World) -> None:
    """Refuse to retire a color that somebody may still want to go back to."""
    if world.traffic.read().way_back is None:
        return
    settled = world.ledger.head().standing.settled
    if settled is None or settled.way_back is None or settled.way_back_until is None:
        return
    if world.clock.now() < settled.way_back_until:
        raise GateRefused(
            f"the way back to {settled.way_back} is open until {settled.way_back_until:%Y-%m-%d %H:%M} UTC",
            state="nothing was changed",
            do="wait, or give it up now with --force",
        )
