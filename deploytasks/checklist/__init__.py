"""The deployment checklist, executed: each item has an id, a text, and a check that brings evidence.

One module per section of docs/DEPLOYMENT_CHECKLIST.md. ``evaluate`` runs the items that an environment
demands; ``refused`` says which of them stand in the way.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from . import code, infrastructure, monitoring
from .item import Answer, Item, Result

if TYPE_CHECKING:
    from ..ports import Release
    from ..world import World

ITEMS: tuple[Item, ...] = (*code.ITEMS, *infrastructure.ITEMS, *monitoring.ITEMS)


def evaluate(world: World, release: Release | None) -> Sequence[Result]:
    """Check every item; one that cannot be checked fails, with the reason (fail closed)."""
    return [item.evaluate(world, release) for item in ITEMS]


def refused(results: Sequence[Result], *, pending_counts: bool = True) -> Sequence[Result]:
    """The results that stand in the way. ``pending``: what a later task of the same chain will still bring."""
    blocking: set[Answer] = {"fail", "pending"} if pending_counts else {"fail"}
    return [result for result in results if result.answer in blocking]


__all__ = ["ITEMS", "Answer", "Item", "Result", "evaluate", "refused"]
