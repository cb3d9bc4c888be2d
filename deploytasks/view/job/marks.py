"""What of a deployment deserves a look although nobody reads the log. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ...ci.commands import Level
from ...ledger.facts import Facts, lists, part, text, whole
from ...ports import Event
from ..outlooks import verdicts


class Mark(NamedTuple):
    """One annotation. ``about``: of the same there is one in a deployment."""

    level: Level
    title: str
    text: str
    about: str


def marks(event: Event, before: Sequence[Mark]) -> list[Mark]:
    """What this event says that was not marked before. How it ended is marked by whoever knows what to do."""
    known = {mark.about for mark in before}
    return [mark for mark in _marks(event) if mark.about not in known]


def _marks(event: Event) -> Iterator[Mark]:
    facts = event.facts
    if event.kind == "reading":
        yield from _of_reading(part(facts, "outlook"))
    elif event.kind == "overridden":
        for pair in lists(facts, "items"):
            item, why = str(pair[0]) if pair else "", str(pair[1]) if len(pair) > 1 else ""
            yield Mark("warning", f"in spite of {item}", why, f"override {item} {why}")
    elif event.kind == "host-set-aside":
        host = text(facts, "host")
        yield Mark("warning", f"goes on without the host {host}", text(facts, "why"), f"host {host}")
    elif event.kind == "deadman-fired":
        yield Mark("error", "the dead-man's switch took traffic home", text(facts, "why"), "fired")
    elif event.kind == "deadman-failed":
        yield Mark("error", "the dead-man's switch could not take traffic home", text(facts, "why"), "failed")


def _of_reading(outlook: Facts) -> Iterator[Mark]:
    """A limit that warns, once for each metric; a hold, once for each stage."""
    for verdict in verdicts(outlook, "warnings"):
        metric = text(verdict, "metric")
        yield Mark("warning", f"{metric} over the limit that warns", text(verdict, "why"), f"warned of {metric}")
    held = [text(verdict, "why") for verdict in verdicts(outlook, "verdicts") if text(verdict, "kind") == "HOLD"]
    if held:
        percent, stage = whole(outlook, "percent"), whole(outlook, "stage")
        yield Mark("notice", f"held at {percent} %", "; ".join(held), f"held at stage {stage}")
