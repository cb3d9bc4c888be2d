"""The checklist once more, quickly, under the lease: nothing may have changed since it was evaluated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..checklist import Subject, evaluate, refuse, refused
from ..engine.step import Step
from ..ports import Release

if TYPE_CHECKING:
    from ..ports import Event
    from ..world import World


@dataclass(frozen=True)
class Gate(Step):
    """Refuse to go on while anything on the checklist is open; all of it is listed at once."""

    name = "check the gates"

    release: Release
    hotfix: bool = False
    """Whether the short way is taken."""
    older: str = ""
    """Why a version older than the live one may go out."""

    def do(self, world: World, past: Sequence[Event]) -> None:
        """Raise ``GateRefused`` with every open item."""
        results = evaluate(Subject(world, self.release, hotfix=self.hotfix, older=self.older))
        found = refused(results)
        refuse(
            found,
            f"{len(found)} on the checklist stand in the way:",
            f"`inv checklist --env {world.site.environment}` shows all of it",
        )
        aside = [[result.item, result.evidence] for result in results if result.answer == "overridden"]
        if aside:
            world.overridden = tuple(f"{item}: {why}" for item, why in aside)
            world.note("overridden", items=aside)
