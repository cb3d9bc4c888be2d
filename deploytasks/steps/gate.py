"""The checklist once more, quickly, under the lease: nothing may have changed since it was evaluated."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from ..checklist import Subject, evaluate, refuse, refused
from ..engine.step import Step
from ..ledger.facts import Facts, lists
from ..ports import Release

if TYPE_CHECKING:
    from ..ports import Event, Json
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
        aside = [(result.item, result.evidence) for result in results if result.answer == "overridden"]
        if aside:
            began = [each for result in results if result.answer == "overridden" for each in result.began]
            world.overridden = tuple(f"{item}: {why}" for item, why in aside)
            world.accepted = frozenset(began)
            facts: dict[str, Json] = {"items": [list(each) for each in aside]}
            if began:
                facts["accepted"] = [[name, since.isoformat()] for name, since in began]
            world.note("overridden", **facts)


def accepted(facts: Facts) -> Iterator[tuple[str, datetime]]:
    """The alerts that an ``overridden`` event set aside, by name and since when they fire. One that cannot be read is
    not accepted."""
    for pair in lists(facts, "accepted"):
        with suppress(ValueError, TypeError):
            name, since = pair
            at = datetime.fromisoformat(str(since))
            if at.tzinfo is not None:
                yield str(name), at
