"""Lines over time as SVG that stands inside a page: pygal places lines, axes and labels; colors are the page's own.

Each chart is drawn twice, for a wide page and for a phone, of which the style shows one. Nothing in it runs or is
fetched: of pygal's output the geometry stays, without its style, script and tooltips.
"""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import NamedTuple
from xml.etree import ElementTree as ET

import pygal
from markupsafe import Markup
from pygal.style import Style
from pygal.util import get_texts_box

from ..wording import clean

# pygal looks for plugins at every import of anything from then on, in a way that Python warns of: we have none.
sys.meta_path[:] = [finder for finder in sys.meta_path if type(finder).__name__ != "PluginImportFixer"]

_SVG = "http://www.w3.org/2000/svg"
_FONT = 13
"""Pixels of a drawing's text."""
_LEFT = 62.0
"""Pixels left of a plot, whatever its labels: charts below each other share their time axis."""
_WIDTHS = {"wide": (960, 9), "narrow": (400, 4)}
"""Which drawing → its width in pixels, and how many times its axis names at most."""
_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400)
_NUMBER = re.compile(r"-?\d+\.\d+")

Value = float | None


class Line(NamedTuple):
    """One line; ``None`` interrupts it. ``look``: classes of the style; with ``fill`` it is an area down to zero."""

    look: str
    points: Sequence[tuple[datetime, Value]]
    fill: bool = False


class Mark(NamedTuple):
    """A moment: a line from top to bottom, with a word at its top, if it has one."""

    look: str
    at: datetime
    label: str = ""


class Axis(NamedTuple):
    """From the lowest to the highest value, with the values that are named. ``place``: where a value stands, for an
    axis that is not even."""

    low: float
    high: float
    named: Sequence[float]
    words: Callable[[float], str]
    place: Callable[[float], float] = float


class Chart(NamedTuple):
    """What is drawn. ``name``: its id in the page; ``title`` and ``told`` are for whoever cannot see it."""

    name: str
    title: str
    told: str
    axis: Axis
    lines: Sequence[Line]
    marks: Sequence[Mark]
    began: datetime
    ended: datetime
    height: int = 220


def drawn(chart: Chart) -> Markup:
    """Both drawings, each in an element of its own."""
    shown = [f'<div class="chart {which}">{_svg(chart, which)}</div>' for which in _WIDTHS]
    return Markup("".join(shown))  # noqa: S704  (ElementTree has escaped every text in it)


def _svg(chart: Chart, which: str) -> str:
    plot = _plot(chart, which)
    _dress(plot, chart)
    width, _ = _WIDTHS[which]
    root = ET.Element("svg", xmlns=_SVG, viewBox=f"0 0 {width} {chart.height}", role="img")
    names = {part: f"{chart.name}-{which}-{part}" for part in ("title", "desc")}
    root.set("aria-labelledby", " ".join(names.values()))
    for (part, name), words in zip(names.items(), (chart.title, chart.told), strict=True):
        ET.SubElement(root, part, id=name).text = clean(words)
    root.append(plot)
    for each in root.iter():
        each.tag = each.tag.rpartition("}")[2]
    return ET.tostring(root, encoding="unicode")


def _plot(chart: Chart, which: str) -> ET.Element:
    """What pygal draws, without its surroundings."""
    width, most = _WIDTHS[which]
    words = [chart.axis.words(value) for value in chart.axis.named]
    labels_width = get_texts_box(words, _FONT)[1] if words else 0
    span = (chart.ended - chart.began).total_seconds() or 1.0
    low, high = chart.axis.place(chart.axis.low), chart.axis.place(chart.axis.high)
    drawing = pygal.XY(
        width=width,
        height=chart.height,
        margin=6,
        margin_left=max(0.0, _LEFT - labels_width),
        style=Style(label_font_size=_FONT, major_label_font_size=_FONT),
        css=[],
        js=[],
        show_legend=False,
        show_dots=False,
        no_prefix=True,
        allow_interruptions=True,
        truncate_label=-1,
        range=(low, high),
        xrange=(0.0, span),
    )
    times = _times(chart.began, span, most)
    drawing.x_labels = [{"label": label, "value": at} for at, label in times]
    drawing.y_labels = [
        {"label": w, "value": chart.axis.place(v)} for w, v in zip(words, chart.axis.named, strict=True)
    ]
    longest = max((len(line.points) for line in chart.lines), default=0)
    for line in chart.lines:
        points = [_point(chart, *each) for each in line.points]
        if line.fill:  # pygal makes all as long as the longest, with nothing, at which an area would break off
            points += points[-1:] * (longest - len(points))
        drawing.add("", points, fill=line.fill)
    for mark in chart.marks:
        place = (mark.at - chart.began).total_seconds()
        drawing.add("", [(place, low), (place, high)])
    found = drawing.render_tree().find(".//g[@class='plot']")
    return found if found is not None else ET.Element("g")


def _point(chart: Chart, at: datetime, value: Value) -> tuple[float, Value]:
    """Within the plot: what is beyond its ends is drawn at its ends."""
    axis = chart.axis
    inside = None if value is None else axis.place(min(max(value, axis.low), axis.high))
    return (at - chart.began).total_seconds(), inside


def _dress(plot: ET.Element, chart: Chart) -> None:
    """Our classes on the lines, words on the marks, numbers as long as anybody can see."""
    looks = [f"line {line.look}{' area' if line.fill else ''}" for line in chart.lines]
    looks += [f"mark {mark.look}" for mark in chart.marks]
    for parent in list(plot.iter()):
        for child in list(parent):
            if child.tag.endswith("title"):
                parent.remove(child)
    background = next((each for each in plot if each.tag.endswith("rect")), None)
    width = float(background.get("width", "0")) if background is not None else 0.0
    free = 0.0
    for each in [each for each in plot if each.get("class", "").startswith("series")]:
        number = int(each.get("class", "").split()[1].removeprefix("serie-"))
        each.set("class", looks[number])
        if number >= len(chart.lines):
            free = _name(each, chart.marks[number - len(chart.lines)], width, free)
    for each in plot.iter():
        if "d" in each.attrib:
            each.set("d", _NUMBER.sub(lambda found: f"{float(found[0]):.1f}".removesuffix(".0"), each.get("d", "")))
            if each.get("class", "").startswith("line reactive"):
                del each.attrib["class"]


def _name(mark: ET.Element, of: Mark, width: float, free: float) -> float:
    """Write a mark's word where there is room, ``free`` being where that begins; returns where it begins then."""
    path = next(iter(mark), None)
    if path is None or not of.label:
        return free
    place = float(path.get("d", "M0").removeprefix("M").split()[0])
    if place < free and of.look == "stage":
        return free
    is_late = place > width - 60
    where = {"x": f"{place - 5 if is_late else place + 5:.1f}", "y": "16", "class": "end" if is_late else "start"}
    ET.SubElement(mark, "text", where).text = clean(of.label)
    return place + 10 + float(get_texts_box([of.label], _FONT)[1])


# -- axes ----------------------------------------------------------------------


def _times(began: datetime, span: float, most: int) -> list[tuple[float, str]]:
    """Round times of day within the span, as seconds since it began."""
    step = next((step for step in _STEPS if span / step <= most), _STEPS[-1] * math.ceil(span / _STEPS[-1] / most))
    first = math.ceil(began.timestamp() / step) * step
    found = [first + at * step for at in range(int((began.timestamp() + span - first) // step) + 1)]
    words = "%H:%M:%S" if step < 60 else "%H:%M" if span <= 86400 else "%d %b" if step >= 86400 else "%d %b %H:%M"
    return [(at - began.timestamp(), f"{datetime.fromtimestamp(at, UTC):{words}}") for at in found]


def even(most: float, words: Callable[[float], str]) -> Axis:
    """From zero to a little above ``most``, with three to five round values named."""
    high = 1.08 * most if most > 0 else 1.0
    rough = high / 4
    power = 10.0 ** math.floor(math.log10(rough))
    step = next((each * power for each in (1, 2, 2.5, 5) if each * power >= rough), 10 * power)
    return Axis(0.0, high, [at * step for at in range(int(high / step) + 1)], words)


def decades(least: float, most: float, words: Callable[[float], str]) -> Axis:
    """An axis on which ten times as much is the same way up, whatever it begins with. Both above zero."""
    low, high = 10.0 ** math.floor(math.log10(least)), 1.25 * most
    steps = [low * 10**at for at in range(int(math.log10(high / low)) + 1)]
    return Axis(low, high, steps, words, math.log10)
