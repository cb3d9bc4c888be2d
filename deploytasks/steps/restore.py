"""Put a copy of the database in its place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..engine.step import Step
from ..errors import GateRefused
from ..ports import Json
from .backup import configured

if TYPE_CHECKING:
    from ..ports import Calls, Event
    from ..world import World


@dataclass(frozen=True)
class Restore(Step):
    """Restore one backup; what it replaces is kept beside it."""

    name = "restore the database"
    deadline = 3600.0
    lasts = "the restored database"

    backup: str
    mark: str = ""
    """Unique to this restore: with it a resumed one goes on where it was."""

    def calls(self, world: World) -> Calls:
        """As the database does it."""
        return configured(world).restore(self.backup, self.mark)

    def do(self, world: World, past: Sequence[Event]) -> None:
        """Refuse while a migration or another writer holds the database."""
        busy = configured(world).busy()
        if busy:
            raise GateRefused(f"the database cannot be restored now: {busy}", do="wait for it to end, then try again")
        super().do(world, past)

    def outcome(self, world: World) -> Mapping[str, Mapping[str, Json]]:
        """A ``restored`` event, with what the replaced content is called now and what of it was not carried over."""
        found = configured(world).restored(self.mark) if self.mark else {}
        return {"restored": {"name": self.backup, **found}}
