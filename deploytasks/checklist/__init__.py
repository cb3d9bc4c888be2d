"""The deployment checklist, executed: each item has an id, a text, and a check that brings evidence.

One module per section of docs/DEPLOYMENT_CHECKLIST.md. ``evaluate`` runs the items that an environment
demands; ``refused`` says which of them stand in the way.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..errors import GateRefused
from . import code, configuration, database, infrastructure, monitoring, order, people, quality, window
from .evaluating import evaluate_items
from .item import Answer, Found, Item, Result
from .subject import Subject

ITEMS: tuple[Item, ...] = (
    *code.ITEMS,
    *quality.ITEMS,
    *order.ITEMS,
    *database.ITEMS,
    *configuration.ITEMS,
    *infrastructure.ITEMS,
    *monitoring.ITEMS,
    *window.ITEMS,
    *people.ITEMS,
)


def evaluate(of: Subject) -> Sequence[Result]:
    """Check every item; one that cannot be checked fails, with the reason (fail closed)."""
    return evaluate_items(ITEMS, of)


def refused(results: Sequence[Result], *, pending_counts: bool = True) -> Sequence[Result]:
    """The results that stand in the way. ``pending``: what a later task of the same chain will still bring."""
    blocking: set[Answer] = {"fail", "needs a signature"}
    if pending_counts:
        blocking.add("pending")
    return [result for result in results if result.answer in blocking]


def refuse(found: Sequence[Result], heading: str, do: str) -> None:
    """Raise ``GateRefused`` with all that stands in the way, under a heading; nothing without any of it.

    When all of it is that something could not be asked which says by itself what to do, that error is raised instead.
    """
    if not found:
        return
    unasked = [result.error for result in found if result.error is not None]
    if len(unasked) == len(found):
        raise unasked[0]
    lines = [f"  {result.item}: {result.evidence}" for result in found]
    raise GateRefused("\n".join([heading, *lines]), state="nothing was changed", do=do)


def item_of(name: str) -> Item | None:
    """The item with this id."""
    return next((item for item in ITEMS if item.id == name), None)


__all__ = ["ITEMS", "Answer", "Found", "Item", "Result", "Subject", "evaluate", "item_of", "refuse", "refused"]
