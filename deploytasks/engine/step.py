"""A step: frozen data that says what it will do, how one sees that it is done, and how it is undone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from ..ports import Calls, Event, Json
    from ..world import World


@dataclass(frozen=True)
class Step:
    """One step of a plan.

    Subclasses are frozen dataclasses of plain values, chosen at planning and recorded with the plan: nothing
    flows from one step to the next, and undoing needs nothing that was not known beforehand.
    """

    name: ClassVar[str] = ""
    """Unique within a plan, unless ``label`` tells its instances apart."""
    deadline: ClassVar[float] = 300.0
    """Seconds for each of its calls."""
    moves_traffic: ClassVar[bool] = False
    """Whether its undo is the one that must not fail."""
    exposes: ClassVar[bool] = False
    """Whether it belongs to exposing the release to users: what a hold takes back, and nothing else."""
    seals: ClassVar[bool] = False
    """Whether the change stands once this is done: what comes after it only clears up, and takes nothing back."""
    lasts: ClassVar[str] = ""
    """What of it stays when it is taken back."""
    starts_over: ClassVar[bool] = False
    """Whether it is done again when a held deployment is resumed, though it was done before."""

    @property
    def label(self) -> str:
        """How people, and the ledger, call this step."""
        return self.name

    def calls(self, world: World) -> Calls:
        """Its writes, from its fields and nothing else."""
        return ()

    def settled(self, world: World) -> bool:
        """Whether the world, read back, is as this step leaves it."""
        return True

    def undo(self, world: World) -> Calls:
        """Absolute, idempotent writes that take it back, however far it came."""
        return ()

    def do(self, world: World, past: Sequence[Event]) -> None:
        """Carry it out. ``past``: the events of this deployment before a resume."""
        world.perform(self.calls(world), self.deadline)

    def outcome(self, world: World) -> Mapping[str, Mapping[str, Json]]:
        """Events to record once it is done: kind to facts."""
        return {}
