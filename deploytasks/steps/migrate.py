"""Change the database's schema, from the release that needs it. Never undone automatically."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..engine.step import Step
from ..ports import Color, Json

if TYPE_CHECKING:
    from ..ports import Calls
    from ..world import World


@dataclass(frozen=True)
class Migrate(Step):
    """Run the configured migration command in the color's current release.

    Both colors use one database, so only migrations that the old release can live with belong here (expand).
    """

    name = "migrate"
    deadline = 3600.0

    lasts = "the migration"

    color: Color
    command: str
    reverse: str | None = None

    def calls(self, world: World) -> Calls:
        """One command."""
        return [[world.fleet.run(self.color, self.command, "migrate")]]

    def outcome(self, world: World) -> Mapping[str, Mapping[str, Json]]:
        """A ``migrated`` event; ``reverse`` is the command that takes it back, when one is configured."""
        found = world.fleet.installed(self.color)
        facts: dict[str, Json] = {"color": self.color, "command": self.command, "reverse": self.reverse}
        return {"migrated": {**facts, "release": found.release if found else None}}
