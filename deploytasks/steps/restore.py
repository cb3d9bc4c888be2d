"""Put a copy of the database in its place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, cast

from ..engine.step import Step
from ..errors import GateRefused, UsageError
from ..ports import Json
from .backup import configured, followed, patience

if TYPE_CHECKING:
    from ..ports import Calls, Event, Rewinds, TakesBack
    from ..world import World


def rewinding(world: World) -> Rewinds:
    """The database, which can be put back to a point in time. Raises ``UsageError`` when it cannot."""
    database = configured(world)
    if not hasattr(database, "restore_to"):
        kind = getattr(world.settings.sections.get("database"), "kind", "this kind")
        raise UsageError(
            f"a database of the kind {kind} cannot be put back to a point in time",
            state="nothing was changed",
            do="restore a copy: `inv restore-database --backup NAME`",
        )
    return cast("Rewinds", database)


@dataclass(frozen=True)
class Restore(Step):
    """Restore one backup; what it replaces is kept beside it."""

    name = "restore the database"
    deadline = 3600.0
    lasts = "the restored database"

    backup: str
    mark: str = ""
    """Unique to this restore: with it a resumed one goes on where it was."""
    at: str = ""
    """Instead of a backup: the point in time, in ISO 8601."""

    def calls(self, world: World) -> Calls:
        """As the database does it."""
        database = configured(world)
        if not self.at:
            return database.restore(self.backup, self.mark)
        return rewinding(world).restore_to(datetime.fromisoformat(self.at), self.mark)

    def undo(self, world: World) -> Calls:
        """Where it ended while nothing had the database's name, what had it gets it back."""
        database = configured(world)
        return cast("TakesBack", database).take_back(self.mark) if hasattr(database, "take_back") else ()

    def do(self, world: World, past: Sequence[Event]) -> None:
        """Refuse while a migration or another writer holds the database."""
        busy = configured(world).busy()
        if busy:
            raise GateRefused(f"the database cannot be restored now: {busy}", do="wait for it to end, then try again")
        followed(world)
        world.perform(self.calls(world), patience(world, self.deadline))

    def outcome(self, world: World) -> Mapping[str, Mapping[str, Json]]:
        """A ``restored`` event, with what the replaced content is called now and what of it was not carried over."""
        found = configured(world).restored(self.mark) if self.mark else {}
        return {"restored": {"name": self.backup or self.at, **found}}
