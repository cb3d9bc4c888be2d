"""One screen of a deployment at work: a scene and a size in, lines out. Pure, so that any size can be tested."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from textwrap import wrap
from typing import NamedTuple

from rich.text import Text

from ..ledger.facts import text, texts
from . import gauges
from .outlooks import verdicts
from .scene import Scene, StepSeen
from .wording import clock, duration, number, one_line, seconds, weights

_MARKS = {
    "waiting": ("·", "dim"),
    "began": ("▸", "bold cyan"),
    "done": ("✓", "green"),
    "undone": ("↩", "yellow"),
    "not undone": ("✗", "bold red"),
    "failed": ("✗", "bold red"),
}
_NARROWEST = 36
"""Characters of a column of steps."""
_WARNINGS = 2
"""How many of the latest are shown; the ledger has all."""
_SENTENCE = 2
"""Lines of an explanation."""

Lines = list[Text]


class Section(NamedTuple):
    """Lines that belong together; when there is no room, those with the lowest ``rank`` go first."""

    rank: int
    lines: Lines


def frame(scene: Scene, width: int, height: int, now: datetime) -> Lines:
    """The screen. No line is wider than ``width`` cells, and there are at most ``height``."""
    plan = Section(7, [Text()] * -(-len(scene.steps) // _columns(width)))
    above = [Section(9, [_header(scene, width, now)]), Section(1, [Text()])]
    below = [
        Section(1, [Text()]),
        Section(8, _waiting(scene, width, now)),
        *_warnings(scene, width),
        Section(6, [_foot(scene)]),
    ]
    fitting = _fitting([*above, plan, *_rollout(scene, width, now), *below], height)
    spare = height - sum(len(each.lines) for each in fitting)
    steps = _steps(scene, width, len(plan.lines) + spare, now)
    shown = [line for each in fitting for line in (steps if each is plan else each.lines)]
    return [_cut(line, width) for line in shown[:height]]


def final(scene: Scene, width: int, now: datetime) -> Lines:
    """What stays when it is over: the steps, and where traffic is."""
    rows = -(-len(scene.steps) // _columns(width))
    traffic = [Text(f"traffic: {weights(scene.split)}")] if scene.split else []
    return [_cut(line, width) for line in (_header(scene, width, now), *_steps(scene, width, rows, now), *traffic)]


def _columns(width: int) -> int:
    """How many columns of steps fit at most."""
    return max(1, width // _NARROWEST)


def _fitting(sections: Sequence[Section], height: int) -> list[Section]:
    kept = list(sections)
    while len(kept) > 1 and sum(len(each.lines) for each in kept) > height:
        kept.remove(min(reversed(kept), key=lambda each: each.rank))
    return kept


def _cut(line: Text, width: int) -> Text:
    line.truncate(width, overflow="ellipsis")
    line.no_wrap = True
    return line


def _header(scene: Scene, width: int, now: datetime) -> Text:
    began = scene.began
    where = " → ".join(filter(None, (text(began, "environment"), scene.target)))
    what = " ".join(filter(None, (text(began, "application"), text(began, "task"), text(began, "version"))))
    line = Text.assemble((one_line(what or "at work"), "bold"), f" → {where}" if where else "")
    if scene.ended:
        outcome = text(scene.ended, "outcome")
        line.append(f": {outcome}", "bold green" if scene.ended.get("code") == 0 else "bold red")
    end = scene.ended_at or now
    took = duration((end - scene.at).total_seconds()) if scene.at else ""
    right = f"{took}  {clock(end)} UTC"
    line.truncate(max(0, width - len(right) - 1), overflow="ellipsis", pad=True)
    return line.append(f" {right}", "dim")


def _steps(scene: Scene, width: int, rows: int, now: datetime) -> Lines:
    """The plan in as few columns as fit into so many rows; when none fit, what surrounds the running step."""
    steps = scene.steps
    if not steps or rows < 1:
        return []
    columns = min(-(-len(steps) // rows), _columns(width))
    rows = min(rows, -(-len(steps) // columns))
    place = next((at for at, step in enumerate(steps) if step.state not in ("done", "waiting")), 0)
    first = max(0, min(place - rows * columns // 2, len(steps) - rows * columns))
    lines = []
    for row in range(rows):
        line = Text()
        for column in range(columns):
            at = first + column * rows + row
            if at < len(steps):
                cell = _step(steps[at], now)
                cell.truncate(width // columns - 1, overflow="ellipsis", pad=True)
                line.append_text(cell).append(" ")
        lines.append(line)
    return lines


def _step(step: StepSeen, now: datetime) -> Text:
    mark, style = _MARKS[step.state]
    seconds = step.seconds
    if step.state == "began" and step.at:
        seconds = max(0.0, (now - step.at).total_seconds())
    took = f" {duration(seconds)}" if seconds is not None else ""
    label = Text.assemble((f"{mark} ", style), (one_line(step.label), "" if step.state != "waiting" else "dim"))
    return label.append(took, "dim")


def _rollout(scene: Scene, width: int, now: datetime) -> list[Section]:
    if not (scene.outlook or scene.shifting):
        return []
    users, more, probes = gauges.numbers(scene)
    return [
        Section(1, [Text()]),
        Section(8, [gauges.phase(scene, now)]),
        Section(8, gauges.split(scene, width)),
        Section(8, users),
        Section(6, more),
        Section(3, probes),
        Section(4, gauges.levels(scene)),
        Section(5, [gauges.limits(scene)]),
        Section(6, [gauges.nearest(scene, width)]),
    ]


def _waiting(scene: Scene, width: int, now: datetime) -> Lines:
    """What is being waited for."""
    held = next((v for v in verdicts(scene.outlook, "verdicts") if text(v, "kind") in ("HOLD", "FAIL")), None)
    if scene.ended:
        return _wrapped("", text(scene.ended, "why") or text(scene.ended, "outcome"), width)
    if held is not None:
        state = "on hold: " if text(held, "kind") == "HOLD" else "bad: "
        return _wrapped(state, text(held, "why"), width, "bold yellow")
    if scene.outlook and scene.read_at and scene.running:
        poll = number(scene.rules.get("poll")) or 0.0
        ahead = max(0.0, poll - (now - scene.read_at).total_seconds())
        return [Text(f"waiting for the next reading, in {seconds(ahead)}", "dim")]
    return [Text(f"waiting for: {one_line(scene.running.label)}" if scene.running else "", "dim")]


def _wrapped(mark: str, said: str, width: int, style: str = "") -> Lines:
    """A sentence on at most two lines."""
    lines = wrap(mark + one_line(said), width, max_lines=_SENTENCE, placeholder=" …", subsequent_indent="  ")
    return [Text(line, style) for line in lines]


def _warnings(scene: Scene, width: int) -> list[Section]:
    found = [text(verdict, "why") for verdict in verdicts(scene.outlook, "warnings")]
    warned = [Section(5, _wrapped("! ", why, width, "yellow")) for why in found[-_WARNINGS:]]
    return warned + [Section(2, _wrapped("", note, width, "dim")) for note in texts(scene.outlook, "notes")]


def _foot(scene: Scene) -> Text:
    switch = ("armed", "green") if scene.armed else ("not armed", "dim")
    line = Text.assemble(("dead-man's switch ", "dim"), switch, ("  Ctrl-C takes it back", "dim"))
    return line.append(f"  {one_line(text(scene.began, 'deployment'))}", "dim")
