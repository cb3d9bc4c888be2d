"""One screen of a deployment at work: a scene and a size in, lines out. Pure, so that any size can be tested.

Each part has its place from the beginning to the end, whatever happens in it: nothing jumps.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from rich.text import Text

from ..ledger.facts import text, truth
from . import gauges
from .desk import NOBODY, Desk
from .footing import answer, keys, life, page
from .messages import messages
from .meters import charts, meters
from .scene import Scene
from .ticks import rows as tick_rows, ticks
from .wording import clock, duration, one_line, weights

_TALL = 34
"""Lines from which on there is room to breathe."""
_TALLEST = 52
"""Lines; more would only be empty."""
_LEAST_STEPS = 4
"""Lines of the plan before anything else has to go."""

Lines = list[Text]


class Section(NamedTuple):
    """Lines that belong together; when there is no room, those with the lowest ``rank`` go first."""

    rank: int
    lines: Lines


def frame(scene: Scene, width: int, height: int, now: datetime, desk: Desk = NOBODY) -> Lines:
    """The screen. No line is wider than ``width`` cells, and there are at most ``height``; as many each time, as long
    as size and plan are the same."""
    height = min(height, _TALLEST)
    shown = _screen(scene, width, height, now, desk)
    if desk.dialog.mode == "help":
        shown = _page(len(shown), width)
    return [_cut(line, width) for line in shown[:height]]


def _screen(scene: Scene, width: int, height: int, now: datetime, desk: Desk) -> Lines:
    plan = Section(7, [Text()] * tick_rows(scene.steps, width))
    above = [Section(10, [_header(scene, width, now, desk)]), Section(0, [Text()])]
    below = [
        Section(9, _exactly(messages(scene, width, now, desk), 4 if height >= _TALL else 3)),
        *([Section(8, [answer(scene, desk)])] if desk.has_keys else []),
        Section(4, [life(scene, desk)]),
        Section(6, [keys(scene, width, desk)]),
    ]
    body = _rollout(scene, width, now)
    fitting, steps = _fitting([*above, plan, *body, *below], plan, height)
    spare = height - sum(len(each.lines) for each in fitting) + len(plan.lines) - steps
    drawn = _drawn(scene, width, spare) if body and spare > 0 else []
    after = body[-1] if body and any(each is body[-1] for each in fitting) else plan
    lines: Lines = []
    for each in fitting:
        lines += ticks(scene.steps, width, steps, now) if each is plan else each.lines
        lines += drawn if each is after else []
    return lines


def _drawn(scene: Scene, width: int, spare: int) -> Lines:
    """Charts where there is room for them, set off from what is around them where there is room for that, too."""
    return _exactly([Text(), *(charts(scene, width, spare - 2) or charts(scene, width, spare - 1))], spare)


def _page(count: int, width: int) -> Lines:
    return _exactly(page(width), count)


def final(scene: Scene, width: int, now: datetime, desk: Desk = NOBODY) -> Lines:
    """What stays when it is over: the steps, and where traffic is."""
    shown = ticks(scene.steps, width, tick_rows(scene.steps, width), now)
    traffic = [Text(f"traffic: {weights(scene.split)}")] if scene.split else []
    return [_cut(line, width) for line in (_header(scene, width, now, desk), *shown, *traffic)]


def _fitting(sections: Sequence[Section], plan: Section, height: int) -> tuple[list[Section], int]:
    """What there is room for, and how many lines the plan has: it gets shorter before anything else goes."""
    kept, steps = list(sections), len(plan.lines)

    def over() -> int:
        return sum(len(each.lines) for each in kept) - len(plan.lines) + steps - height

    while len(kept) > 1 and over() > 0:
        lowest = min(reversed(kept), key=lambda each: each.rank)
        if lowest.rank and steps > _LEAST_STEPS:
            steps -= 1
        elif lowest is plan:
            kept.remove(plan)
            steps, plan = 0, Section(0, [])
        else:
            kept.remove(lowest)
    return kept, steps


def _exactly(lines: Lines, count: int) -> Lines:
    return [*lines[:count], *([Text()] * (count - len(lines)))]


def _cut(line: Text, width: int) -> Text:
    line.truncate(width, overflow="ellipsis")
    line.no_wrap = True
    return line


def _header(scene: Scene, width: int, now: datetime, desk: Desk) -> Text:
    began = scene.began
    application, environment = (desk.life.application, desk.life.environment) if desk.life else ("", "")
    where = " → ".join(filter(None, (one_line(environment), scene.target)))
    what = " ".join(filter(None, (application, text(began, "task"), text(began, "version"))))
    line = Text.assemble((one_line(what or "at work"), "bold"), f" → {where}" if where else "")
    if scene.ended:
        outcome = text(scene.ended, "outcome")
        line.append(f": {outcome}", "bold green" if scene.ended.get("code") == 0 else "bold red")
    end = scene.ended_at or now
    took = duration(float(int((end - scene.at).total_seconds()))) if scene.at else ""
    right = f"{took}  {clock(end)} UTC"
    line.truncate(max(0, width - len(right) - 1), overflow="ellipsis", pad=True)
    return line.append(f" {right}", "dim")


def _rollout(scene: Scene, width: int, now: datetime) -> list[Section]:
    """Nothing where no traffic is going to move."""
    if not (scene.rules or scene.outlook or scene.shifting):
        return []
    users, more, probes = gauges.numbers(scene, width)
    failed, slow, nearest = meters(scene, width)
    others = 2 * len(parts_of(scene))
    return [
        Section(0, [Text()]),
        Section(9, [gauges.phase(scene, width, now)]),
        Section(9, gauges.split(scene, width)),
        Section(0, [Text()]),
        Section(8, _exactly(users, 3)),
        Section(5, _exactly(more, max(others, len(more)))),
        Section(2, _exactly(probes, 2) if truth(scene.rules, "probes") else []),
        Section(3, gauges.levels(scene)),
        Section(0, [Text()]),
        Section(6, [failed, slow]),
        Section(7, [nearest]),
    ]


def parts_of(scene: Scene) -> Sequence[object]:
    """The further sources that count users, as planned."""
    found = scene.rules.get("more")
    return found if isinstance(found, list | tuple) else ()
