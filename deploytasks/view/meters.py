"""The parts of the live view that say how near a release is to being taken back, now and over time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from rich.text import Text

from ..ledger.facts import Facts, number, part, text, whole
from ..ports import COLORS
from .outlooks import evidence, streams
from .scene import Scene
from .sentences import percent_of
from .sparks import EMPTY, LIMIT, REST, bar, chart, gauge, spark, top_of
from .trail import line as over_time
from .wording import MISSING, milliseconds, number as finite, one_line, share

_LABEL, _VALUE = 11, 9
"""Cells of a meter's name and number."""
_NARROWEST, _WIDEST = 18, 40
"""Cells of a gauge."""
_LEAST, _MOST = 2, 5
"""Lines of a chart."""


class Worst(NamedTuple):
    """What the release met by whoever says the worst of it. ``value`` is ``None`` while nobody says anything."""

    value: float | None
    source: str
    limits: tuple[float, ...]
    words: str


def meters(scene: Scene, width: int) -> list[Text]:
    """Errors and P99 of the release against their limits, and the evidence of the test that is nearest."""
    cells = max(_NARROWEST, min(_WIDEST, width - 62))
    failed, slow = errors(scene), latency(scene)
    first = _meter("errors", failed, share(failed.value), cells)
    history = spark(
        over_time(scene.trail, scene.target, "errors"), number(scene.rules, "errors"), width - first.cell_len - 2
    )
    return [
        first.append("  ").append(history, scene.target or ""),
        _meter("P99", slow, "over 30 s" if slow.value == float("inf") else milliseconds(slow.value), cells),
        nearest(scene, cells),
    ]


def _meter(name: str, worst: Worst, value: str, cells: int) -> Text:
    is_over = worst.value is not None and any(worst.value > limit for limit in worst.limits)
    line = Text(f"  {name:<{_LABEL - 2}}").append(
        gauge(worst.value, worst.limits, cells), "bold red" if is_over else ""
    )
    line.append(f"{value:>{_VALUE}}", "bold red" if is_over else "bold")
    return line.append(f"{'!!' if is_over else '':<3}", "bold red").append(worst.words, "dim")


def _drawn(shape: str, style: str) -> Text:
    """What is not reached is less than what is."""
    line = Text(shape)
    for at, cell in enumerate(shape):
        line.stylize("dim" if cell == REST else "bold" if cell == LIMIT else style, at, at + 1)
    return line


def errors(scene: Scene) -> Worst:
    """The share of errors of this stage."""
    limit = number(scene.rules, "errors")
    found = [(number(numbers, "rate"), name) for name, numbers in _counted(scene) if "rate" in numbers]
    value, source = max(found, default=(None, ""))
    return Worst(value, source, (limit,), f"{_of(scene, source)}limit {share(limit)}")


def latency(scene: Scene) -> Worst:
    """P99 of this stage."""
    rules, worse = scene.rules, part(scene.outlook, "worse")
    found = [(_seconds(numbers.get("p99")), name) for name, numbers in _counted(scene) if "p99" in numbers]
    value, source = max(found, default=(None, ""))
    relative = finite(worse.get(source)) or min(filter(None, map(finite, worse.values())), default=None)
    compared = finite(rules.get("worse")) if text(rules, "home") else None
    words, home = f"{milliseconds(rules.get('p99'))}", text(rules, "home")
    if compared is not None:
        words = (
            f"{milliseconds(relative)} (vs {home}), {words}" if relative else f"{words}, or {home} + {share(compared)}"
        )
    limits = tuple(filter(None, (finite(rules.get("p99")), relative)))
    return Worst(value, source, limits, f"{_of(scene, source)}limit {words}")


def _seconds(found: object) -> float:
    """A quantile of requests that were there; ``None`` is above the ladder's end."""
    value = finite(found)
    return float("inf") if value is None else value


def _counted(scene: Scene) -> Iterator[tuple[str, Facts]]:
    """Who has numbers of the release, and which."""
    probes = part(scene.outlook, "probes")
    for name, found in (*streams(scene.outlook), ("probes", probes)):
        numbers = part(found, scene.target)
        if whole(numbers, "requests"):
            yield name, numbers


def _of(scene: Scene, source: str) -> str:
    """Whose number it is, unless it is the one that is always meant."""
    return f"{one_line(source, 16)}: " if source and source != streams(scene.outlook)[0][0] else ""


def nearest(scene: Scene, cells: int) -> Text:
    """The evidence of the test that is nearest to rolling back."""
    if scene.rules.get("rule") == "threshold":
        return Text("  each reading is judged by these limits alone", "dim")
    name, value = evidence(scene.outlook) or ("", 0.0)
    style = "" if value < 0.5 else "bold" if value < 0.8 else "bold red"
    line = Text(f"  {'evidence':<{_LABEL - 2}}").append_text(
        _drawn(bar(min(1.0, value), cells).replace(EMPTY, REST), style)
    )
    line.append(f"{percent_of(value):>{_VALUE}}", style or "bold")
    return line.append(
        f"{'!!' if value >= 0.8 else '':<3}toward rolling back{f' ({name})' if name and value > 0 else ''}", "dim"
    )


def charts(scene: Scene, width: int, height: int) -> list[Text]:
    """Requests, errors and P99 of both colors over time, side by side, in at most so many lines; none where there is
    not room enough."""
    for rows in range(_MOST, _LEAST - 1, -1):
        heights = {"pace": max(1, rows - 2), "errors": rows, "p99": rows}
        for shown in (_CHARTS, _CHARTS[1:]) if rows == _LEAST else (_CHARTS,):
            if width >= 60 and sum(1 + heights[each] for each in shown) <= height:
                return [line for each in shown for line in _pair(scene, each, width, heights[each])]
    return []


_CHARTS = ("pace", "errors", "p99")
_SAID: Mapping[str, Callable[[object], str]] = {
    "pace": lambda value: MISSING if finite(value) is None else f"{finite(value):.1f}",
    "errors": share,
    "p99": lambda value: "over 30 s" if value == float("inf") else milliseconds(value),
}


def _pair(scene: Scene, what: str, width: int, rows: int) -> list[Text]:
    """One measure of both colors, on the same scale."""
    limit = {"errors": finite(scene.rules.get("errors")), "p99": min(latency(scene).limits, default=None)}.get(what)
    cells = (width - 6) // 2
    lines = {color: over_time(scene.trail, color, what)[-cells:] for color in COLORS}
    top = top_of(lines.values(), limit)
    heads = [_head(color, what, lines[color], top, limit) for color in COLORS]
    panes = [chart(lines[color], limit if limit and limit <= top else None, cells, rows, top) for color in COLORS]
    found = [Text.assemble("  ", _padded(heads[0], cells), "  ", _padded(heads[1], cells))]
    for left, right in zip(*panes, strict=True):
        found.append(Text.assemble("  ", (left, COLORS[0]), "  ", (right, COLORS[1])))
    return found


def _head(color: str, what: str, values: list[float | None], top: float, limit: float | None) -> Text:
    names = {"pace": "requests/s", "errors": "errors by poll", "p99": "P99 by poll"}
    known = [value for value in values if value is not None]
    said = _SAID[what]
    now = said(known[-1]) if known else MISSING
    line = Text.assemble((f"{color:<6}", f"bold {color}"), (f"{names[what]} {now:<8}", ""))
    mark = f"  ╌ {said(limit)}" if limit and limit <= top else ""
    return line.append(f"top {said(top)}{mark}", "dim")


def _padded(line: Text, cells: int) -> Text:
    line.truncate(cells, overflow="ellipsis", pad=True)
    return line
