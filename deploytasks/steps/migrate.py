"""Change the database's schema, from the release that needs it. Never undone automatically."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..engine.step import Step
from ..ports import Call, Color, Json
from .backup import configured

if TYPE_CHECKING:
    from ..ports import Calls, Event
    from ..world import World


def on_color(world: World, color: Color, command: str, what: str, *, here: bool) -> Call:
    """A command about migrations: once on the fleet, in the color's release; or ``here``."""
    return configured(world).run(command, what) if here else world.fleet.run(color, command, what)


@dataclass(frozen=True)
class Migrate(Step):
    """Run the configured migration command, once: in the color's current release, or where we are.

    Both colors use one database, so only migrations that the old release can live with belong here (expand).
    """

    name = "migrate"
    deadline = 3600.0

    lasts = "the migration"

    color: Color
    command: str
    reverse: str | None = None
    preset: str | None = None
    """Whose migrations they are: what was applied is recorded then."""
    migrator: str | None = None
    """What ``rollback --database`` calls to reverse them."""
    here: bool = False

    def calls(self, world: World) -> Calls:
        """One command."""
        return [[on_color(world, self.color, self.command, "migrate", here=self.here)]]

    def do(self, world: World, past: Sequence[Event]) -> None:
        """Write down what is applied, before: after a death in the middle, nobody could tell any more."""
        if self.preset and not any(event.kind == "migrating" for event in past):
            world.note("migrating", before=list(configured(world).applied()), **self._facts(world))
        super().do(world, past)

    def outcome(self, world: World) -> Mapping[str, Mapping[str, Json]]:
        """A ``migrated`` event: how it is taken back, and what was applied afterwards, when that is known."""
        after: dict[str, Json] = {"after": list(configured(world).applied())} if self.preset else {}
        return {"migrated": {**self._facts(world), **after}}

    def _facts(self, world: World) -> dict[str, Json]:
        found = world.fleet.installed(self.color)
        facts: dict[str, Json] = {"color": self.color, "command": self.command, "reverse": self.reverse}
        own: dict[str, Json] = {"preset": self.preset, "migrator": self.migrator, "here": self.here}
        return {**facts, "release": found.release if found else None, **(own if self.preset else {})}
