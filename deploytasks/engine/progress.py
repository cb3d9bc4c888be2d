"""How far a recorded deployment came, as its events tell."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from ..ports import Event


class Progress(NamedTuple):
    """What a deployment has behind it."""

    begun: frozenset[str] = frozenset()
    """Labels of steps that were begun and not undone since."""
    done: frozenset[str] = frozenset()
    events: tuple[Event, ...] = ()


def progress(deployment: str, events: Iterable[Event]) -> Progress:
    """Fold the events of one deployment."""
    own = tuple(e for e in events if e.facts.get("deployment") == deployment)
    begun: set[str] = set()
    done: set[str] = set()
    for event in own:
        if event.kind != "step":
            continue
        label, state = str(event.facts.get("step")), event.facts.get("state")
        if state == "began":
            begun.add(label)
        elif state == "done":
            done.add(label)
        elif state == "undone":
            begun.discard(label)
            done.discard(label)
        elif state == "not undone":
            done.discard(label)  # on some hosts it may have been: it is done anew, and undone again
    return Progress(frozenset(begun), frozenset(done), own)
