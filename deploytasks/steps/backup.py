"""A verified copy of the database, before anything changes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from ..engine.step import Step
from ..errors import GateRefused
from ..ports import Json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..ports import Calls, Database, Event, Slow
    from ..world import World


def configured(world: World) -> Database:
    """The database, or an error that says where to name one."""
    if world.database is None:
        raise GateRefused(
            f"{world.site.environment} has no database configured",
            do=f"add `database:` under deploy.environments.{world.site.environment}",
        )
    return world.database


def patience(world: World, usual: float) -> float:
    """Seconds for each call about the database: its own ``within``, where it has one."""
    return float(getattr(world.settings.sections.get("database"), "within", None) or usual)


def followed(world: World) -> Database:
    """The database, saying how far it is while it works."""
    database = configured(world)
    if hasattr(database, "hear"):
        cast("Slow", database).hear = world.mention
    return database


@dataclass(frozen=True)
class BackUp(Step):
    """Copy, verify, and keep the newest few."""

    name = "back up the database"
    deadline = 3600.0

    backup: str
    """The copy's name, chosen beforehand, so that doing it again makes no second copy."""
    keep: int
    tags: Mapping[str, str] = field(default_factory=dict)

    def calls(self, world: World) -> Calls:
        """The copy, then the retention."""
        database = configured(world)
        return [[database.back_up(self.backup, self.tags)]]

    def do(self, world: World, past: Sequence[Event]) -> None:
        """Refuse while something else writes; copy; then let go of the oldest copies."""
        busy = configured(world).busy()
        if busy:
            raise GateRefused(f"the database cannot be backed up now: {busy}", do="wait for it to end, then try again")
        database, deadline = followed(world), patience(world, self.deadline)
        world.perform(self.calls(world), deadline)
        world.perform(database.prune(self.keep), deadline)

    def outcome(self, world: World) -> Mapping[str, Mapping[str, Json]]:
        """A ``backup`` event with size and digest, when there was something to copy."""
        made = next((b for b in configured(world).backups() if b.name == self.backup), None)
        return {"backup": {"name": made.name, "size": made.size, "digest": made.digest}} if made else {}
