"""What each stage of a rollout was judged by: its last numbers, and what became of it. Pure."""

from __future__ import annotations

from typing import NamedTuple

from ...ledger.facts import Facts, part, text, whole
from ...ports import COLORS, Event
from ..outlooks import begins_stage, is_over, verdicts
from ..scene import Scene

_WORST = ("FAIL", "HOLD", "WARN", "PASS")


class Stage(NamedTuple):
    """``target`` and ``live``: the numbers of the color that changes, and of the other one, since the stage began."""

    number: int
    title: str
    target: Facts
    live: Facts
    verdict: str = ""
    why: str = ""


def heard(stages: tuple[Stage, ...], event: Event, scene: Scene) -> tuple[Stage, ...]:
    """With one more event, which the ``scene`` knows already."""
    outlook = part(event.facts, "outlook") if event.kind == "reading" else {}
    if not outlook:
        return stages
    kind, why = _verdict(outlook)
    if begins_stage(outlook):  # its numbers are at zero: what it says is about the stage before
        return (*stages[:-1], stages[-1]._replace(verdict=kind, why=why)) if stages else stages
    number, title = whole(outlook, "stage"), text(outlook, "phase").rpartition(" at ")[2]
    if is_over(outlook) and stages:
        number, title = stages[-1].number, stages[-1].title
    users, target = part(outlook, "users"), scene.target
    other = next((color for color in COLORS if color != target), "")
    now = Stage(number, title, part(users, target), part(users, other), kind, why)
    same = bool(stages) and (stages[-1].number, stages[-1].title) == (number, title)
    return (*stages[:-1], now) if same else (*stages, now)


def _verdict(outlook: Facts) -> tuple[str, str]:
    """The worst of what was said, with its reason; nothing while nothing is said."""
    said = [(text(each, "kind"), text(each, "why")) for each in verdicts(outlook, "verdicts")]
    said += [("WARN", text(each, "why")) for each in verdicts(outlook, "warnings")]
    known = [each for each in said if each[0] in _WORST]
    return min(known, key=lambda each: _WORST.index(each[0]), default=("", ""))
