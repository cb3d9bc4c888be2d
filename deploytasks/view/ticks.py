"""The plan of a deployment, ticked off: as many lines as there is room for, and always the same number. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from rich.text import Text

from .scene import StepSeen
from .wording import counted, duration, one_line, seconds

NARROWEST = 36
"""Cells of a column."""
_MARKS = {
    "waiting": ("·", "dim"),
    "began": ("▸", "bold cyan"),
    "done": ("✓", "green"),
    "undone": ("↩", "bold"),
    "not undone": ("✗", "bold red"),
    "failed": ("✗", "bold red"),
}


def columns(width: int) -> int:
    """How many columns fit at most."""
    return max(1, width // NARROWEST)


def rows(steps: Sequence[StepSeen], width: int) -> int:
    """Lines in which all of them fit."""
    return -(-len(steps) // columns(width))


def ticks(steps: Sequence[StepSeen], width: int, height: int, now: datetime) -> list[Text]:
    """The steps in columns; where not all fit, those around the one at work, and how many more there are."""
    if not steps or height < 1:
        return []
    beside = min(columns(width), -(-len(steps) // height))
    cells = _cells(steps, height * beside, now)
    lines = [Text() for _ in range(height)]
    for at, cell in enumerate(cells):
        lines[at % height].append_text(_fitted(cell, width // beside - 1)).append(" ")
    return lines


def _cells(steps: Sequence[StepSeen], room: int, now: datetime) -> list[tuple[Text, str]]:
    """Each step as its words and its time; the first or last of them together, where there is not room for all."""
    if len(steps) <= room:
        return [_step(step, now) for step in steps]
    if room < 3:
        return [_step(steps[_place(steps)], now)]
    first, last = _window(len(steps), _place(steps), room)
    shown = [_step(step, now) for step in steps[first:last]]
    above = [_together(steps[:first])] if first else []
    below = [(Text(f"· {counted(len(steps) - last, 'more step')}", "dim"), "")] if last < len(steps) else []
    return [*above, *shown, *below]


def _place(steps: Sequence[StepSeen]) -> int:
    """The step at work, or the next one."""
    return next((at for at, step in enumerate(steps) if step.state not in ("done", "waiting")), _done(steps))


def _done(steps: Sequence[StepSeen]) -> int:
    return min(sum(step.state == "done" for step in steps), len(steps) - 1)


def _window(count: int, place: int, room: int) -> tuple[int, int]:
    """From and to which step they are shown; a cell at either end tells of those that are not."""
    if place < room - 2:
        return 0, room - 1
    if place >= count - room + 2:
        return count - room + 1, count
    first = place - (room - 2) // 2
    return first, first + room - 2


def _together(steps: Sequence[StepSeen]) -> tuple[Text, str]:
    done = all(step.state == "done" for step in steps)
    mark, style = _MARKS["done" if done else "began"]
    spent = duration(sum(step.seconds or 0.0 for step in steps))
    return Text.assemble((f"{mark} ", style), f"{len(steps)} steps{' done' if done else ''}"), spent


def _step(step: StepSeen, now: datetime) -> tuple[Text, str]:
    mark, style = _MARKS[step.state]
    words = Text.assemble((f"{mark} ", style), (one_line(step.label), "" if step.state != "waiting" else "dim"))
    if step.state == "began" and step.at:
        return words, seconds((now - step.at).total_seconds())
    return words, duration(step.seconds) if step.seconds is not None else ""


def _fitted(cell: tuple[Text, str], width: int) -> Text:
    """Exactly so wide; what is cut is the name, not the time."""
    words, spent = cell
    words = words.copy()
    words.truncate(max(0, width - (len(spent) + 1 if spent else 0)), overflow="ellipsis")
    words.append(f" {spent}" if spent else "", "dim")
    words.truncate(max(0, width), overflow="ellipsis", pad=True)
    return words
