"""The parts of the live view that say where traffic is, and what both colors met."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from ..ledger.facts import Facts, number, part, text, whole
from ..ports import COLORS
from ..verdict.levels import LEVELS, worded
from .outlooks import is_over, sick, silences, streams
from .scene import Scene
from .sentences import levels as readings
from .sparks import bar, spark
from .trail import line as over_time
from .wording import MISSING, number as finite, one_line, seconds, share, slow

_WIDEST = 80
"""Cells of a bar."""
_VERSION = 24
"""Cells of a version."""
_PACE, _COUNT, _FAILED, _TIME = 7, 9, 16, 9
"""Cells of the columns of numbers."""
_SOURCE = 7, 16
"""Cells of the name of who counts, at least and at most."""
_SPARK = 40
"""Cells of a line over time, at most."""


def phase(scene: Scene, width: int, now: datetime) -> Text:
    """Which stage, and how much of its time is over: a rule that fills."""
    outlook = scene.outlook
    passed = max(0.0, (now - scene.read_at).total_seconds()) if scene.read_at else 0.0
    title = one_line(text(outlook, "phase")) or "roll out: not begun"
    style, words, total, left = "bold", "", 0.0, 0.0
    for name, limit, said in (
        ("pause_left", "pause", "goes home in {}"),
        ("hold_left", "hold", "goes home in {}"),
    ):
        if finite(outlook.get(name)) is not None and not is_over(outlook):
            left, total, style = _left(outlook, name, passed), number(scene.rules, limit), "bold reverse"
            words = said.format(seconds(left))
            break
    else:
        if finite(outlook.get("seconds_left")) is not None and not is_over(outlook):
            left, total = _left(outlook, "seconds_left", passed), _length(scene, title)
            words = f"{seconds(left)} left"
    return _rule(f" {title} ", f" {words} " if words else "", 1 - left / total if total else 0.0, width, style)


def _left(outlook: Facts, name: str, passed: float) -> float:
    return max(0.0, number(outlook, name) - passed)


def _length(scene: Scene, title: str) -> float:
    """Seconds that a phase takes."""
    name = next((name for name in ("baseline", "bake") if name in title), "watch")
    return number(scene.rules, name)


def _rule(title: str, words: str, done: float, width: int, style: str) -> Text:
    cells = max(0, width - cell_len(title) - cell_len(words) - 4)
    heavy = round(min(1.0, max(0.0, done)) * cells)
    found = Text.assemble(("━━", "cyan"), (title, style), ("━" * heavy, "cyan"), ("─" * (cells - heavy), "dim"))
    return found.append(words, style).append("──", "dim")


def split(scene: Scene, width: int) -> list[Text]:
    """The share of each color as a bar."""
    lines = []
    versions = {color: one_line(scene.version(color)) for color in COLORS}
    column = min(_VERSION, max(map(cell_len, versions.values())))
    cells = max(10, min(_WIDEST, width - column - 24))
    unhealthy = dict(sick(part(scene.reading, "reading")))
    for at, color in enumerate(COLORS):
        percent = scene.split[at] if scene.split else 0
        ahead = f" → {scene.shifting[at]} %" if scene.shifting and scene.shifting[at] != percent else ""
        line = Text.assemble(("  " + f"{color:<6}", f"bold {color}"), f"{_fitted(versions[color], column)} ")
        if color in unhealthy:
            line.append(f" {percent:>3} %{ahead} ", "bold").append(" unhealthy ", "bold reverse")
            lines.append(line.append(f" {one_line(unhealthy[color])}", "bold"))
            continue
        lines.append(line.append(bar(percent / 100, cells), color).append(f" {percent:>3} %{ahead}", "bold"))
    return lines


def _fitted(words: str, cells: int) -> str:
    """Exactly so many cells; what is cut ends in an ellipsis."""
    return set_cell_size(words, cells) if cell_len(words) <= cells else set_cell_size(words, cells - 1) + "…"


def numbers(scene: Scene, width: int) -> tuple[list[Text], list[Text], list[Text]]:
    """What users met by the first source, by the others, and what probes met: one line per color; the first of users
    is the heading. Who has no numbers says why."""
    outlook = scene.outlook
    sources = streams(outlook)
    silent = silences(part(scene.reading, "reading"), outlook)
    column = min(_SOURCE[1], max(_SOURCE[0], *(cell_len(name) + 1 for name, _ in sources)))
    heading = f"{'req/s':>{_PACE}}{'requests':>{_COUNT}}{'errors':>{_FAILED}}  {'P95':>{_TIME}}  {'P99':>{_TIME}}"
    has_spark = width - 8 - column - len(heading) - 2 >= 4
    head = Text(" " * (8 + column) + heading + ("  P99 by poll" if has_spark and width >= 90 else ""), "dim")
    if len(sources) == 1 and (why := silent.get(sources[0][0])):
        return [head, Text.assemble(("  no data: ", "bold"), one_line(why))], [], []
    (first, users), *more = sources
    rows = [head, *_rows(scene, first, users, column, silent, scene.rates)]
    for row, color in zip(rows[1:], COLORS, strict=False):
        line = _p99(scene, color, width - row.cell_len - 2)
        row.append("  ").append_text(line)
    others = [row for name, found in more for row in _rows(scene, name, found, column, silent, {})]
    return rows, others, _rows(scene, "probes", part(outlook, "probes"), column, {}, {})


def _p99(scene: Scene, color: str, cells: int) -> Text:
    """P99 from poll to poll; a full block is over the lowest limit that holds for it."""
    known = [finite(scene.rules.get("p99"))]
    if color == scene.target:
        known.append(finite(part(scene.outlook, "worse").get(streams(scene.outlook)[0][0])))
    limit = min((each for each in known if each), default=None)
    return Text(spark(over_time(scene.trail, color, "p99"), limit, min(_SPARK, cells)), color) if cells >= 4 else Text()


def _rows(
    scene: Scene, source: str, found: Facts, column: int, silent: Mapping[str, str], rates: Mapping[str, float]
) -> list[Text]:
    if why := silent.get(source):
        name = _fitted(one_line(source), column - 1)
        return [Text.assemble(f"  {'':<6}{name} ", ("no data: ", "bold"), one_line(why))]
    name = _fitted(one_line(source), column - 1) + " "
    return [_row(scene, color, name, part(found, color), rates.get(color)) for color in COLORS]


def _row(scene: Scene, color: str, source: str, found: Facts, rate: float | None) -> Text:
    pace = MISSING if rate is None else f"{rate:.1f}"
    count = f"{whole(found, 'requests'):,}" if found else MISSING
    line = Text.assemble((f"  {color:<6}", color), f"{source}{pace:>{_PACE}}{count:>{_COUNT}}")
    if not whole(found, "requests"):
        return line.append(f"{MISSING:>{_FAILED}}  {MISSING:>{_TIME}}  {MISSING:>{_TIME}}", "dim")
    failed = f"{whole(found, 'errors'):,} ({share(found.get('rate'))})" if "errors" in found else MISSING
    _append(line, failed, _FAILED, *_over(scene, "errors", number(found, "rate"), "warn_errors"))
    for name, limit, soft in (("p95", "", "warn_p95"), ("p99", "p99", "warn_p99")):
        value = finite(found.get(name)) if name in found else 0.0
        _append(line, slow(found, name), _TIME, *_over(scene, limit, float("inf") if value is None else value, soft))
    return line


def _append(line: Text, words: str, cells: int, mark: str, style: str) -> None:
    """A number and its mark, which is read where no color is: ``!!`` above the limit, ``!`` above the warning."""
    line.append(f"{words:>{cells}}", style).append(f"{mark:<2}", style)


def _over(scene: Scene, limit: str, value: float, soft: str) -> tuple[str, str]:
    """Red above the limit that rolls back, bold above the one that warns."""
    hard, warn = (finite(scene.rules.get(name)) for name in (limit, soft))
    if hard is not None and value > hard:
        return "!!", "bold red"
    return ("!", "bold") if warn is not None and value > warn else ("", "")


def levels(scene: Scene) -> list[Text]:
    """Database and hosts, on one line; marked what warns, with its limit."""
    found = readings(scene.outlook)
    if not found:
        return []
    line = Text("  ")
    for at, (name, (value, limit)) in enumerate(found.items()):
        over = f" > {LEVELS[name].text(limit)} !" if value > limit else ""
        line.append("  " if at else "").append(worded(name, value) + over, "bold" if over else "dim")
    return [line]
