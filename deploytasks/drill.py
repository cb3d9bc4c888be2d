"""What a drill does and what it has found: values, and decisions about them. Pure.

Deaths: a deployment is made once undisturbed, and its events say at which points a deployer can die. Then it is made
again for each of them, killed there, and somebody else comes to bring order.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import cycle
from typing import NamedTuple

from .ledger.facts import text
from .ports import COLORS, Color, Event, Json

SUCCESSORS = ("resume", "rollback", "deploy")
"""Who may come after a death; ``nobody`` leaves it to the dead-man's switch."""
NOBODY = "nobody"
SANE = (0, 4, 6)
"""With these a successor leaves everything in order: done; or the release was judged, and taken home."""


class Point(NamedTuple):
    """Where a deployer dies: as soon as such an event is recorded."""

    kind: str
    """``step`` (it began), ``shifting`` or ``shifted``."""
    name: str
    """The step's label, whichever color it is about; or the share of the color that is deployed, in percent."""

    def __str__(self) -> str:
        """As people read it."""
        return self.name if self.kind == "step" else f"{self.kind} to {self.name} %"


class Death(NamedTuple):
    """One death and what came of it."""

    at: str
    by: str
    """Who came after it."""
    left: str
    """Where traffic was when the deployer had died."""
    after: str
    """Where it was in the end."""
    seconds: float
    """From the death until there was order again."""
    code: int
    sent: int
    lost: int
    wrong: tuple[str, ...] = ()
    """What was not in order then."""

    @property
    def is_well(self) -> bool:
        """Nothing was lost, and everything is in order."""
        return not self.lost and not self.wrong

    def to_json(self) -> dict[str, Json]:
        """All fields by name."""
        return {**self._asdict(), "wrong": list(self.wrong)}


def point_of(event: Event, color: Color) -> Point | None:
    """The point at which a deployer is that has just recorded this; ``color``: the one that it deploys."""
    if event.kind == "step" and event.facts.get("state") == "began":
        return Point("step", text(event.facts, "step").replace(color, "the idle color"))
    split = event.facts.get("split")
    if event.kind in ("shifting", "shifted") and isinstance(split, list | tuple):
        return Point(event.kind, str(split[COLORS.index(color)]))
    return None


def points(events: Iterable[Event], color: Color) -> tuple[Point, ...]:
    """Where the deployer of an undisturbed deployment might have died, in order, each once."""
    return tuple(dict.fromkeys(point for event in events if (point := point_of(event, color)) is not None))


def chosen(found: Sequence[Point], wanted: Sequence[str], *, thorough: bool = False) -> tuple[Point, ...]:
    """Those whose words begin with one of these. Without any, all; but of the shares that traffic goes through only the
    first and the last, unless it is to be ``thorough``."""
    if wanted:
        return tuple(point for point in found if any(str(point).startswith(each) for each in wanted))
    shares = [point.name for point in found if point.kind == "shifted"]
    ends = {*shares[:1], *shares[-1:]}
    return tuple(point for point in found if thorough or point.kind == "step" or point.name in ends)


def rounds(found: Sequence[Point], *, thorough: bool, switch: bool) -> Iterator[tuple[Point, str]]:
    """Each point with who comes after it: by turns, or everybody. With a ``switch``, nobody comes once: at the first
    share."""
    turns = cycle(SUCCESSORS)
    for point in found:
        for successor in SUCCESSORS if thorough else (next(turns),):
            yield point, successor
    mixed = next((point for point in found if point.kind == "shifted" and point.name != "100"), None)
    if switch and mixed is not None:
        yield mixed, NOBODY
