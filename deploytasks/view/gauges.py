"""The parts of the live view that show numbers: the split, both colors, their limits, the evidence."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from rich.text import Text

from ..ledger.facts import Facts, number, part, text, whole
from ..ports import COLORS
from ..verdict.levels import LEVELS, worded
from .outlooks import evidence, is_over, sick, silences, streams
from .scene import Scene
from .sentences import levels as readings, percent_of
from .wording import MISSING, milliseconds, number as finite, one_line, seconds, share, slow

_FULL, _EMPTY = "█", "░"
_WIDEST = 60
"""Cells of a bar."""
_VERSION = 24
"""Characters of a version."""
_HEAD = f"{'req/s':>8}{'requests':>10}{'errors':>18}{'P95':>11}{'P99':>11}"
_SOURCE = 8, 16
"""Characters of the name of who counts, at least and at most."""


def phase(scene: Scene, now: datetime) -> Text:
    """Which stage, and how long it still takes."""
    outlook = scene.outlook
    passed = max(0.0, (now - scene.read_at).total_seconds()) if scene.read_at else 0.0
    line = Text(one_line(text(outlook, "phase") or "roll out"), "bold")
    for name, words in (("pause_left", "a person may pause {} more"), ("hold_left", "goes home in {}")):
        if finite(outlook.get(name)) is not None and not is_over(outlook):
            return line.append(f"  {words.format(_left(outlook, name, passed))}", "bold yellow")
    if finite(outlook.get("seconds_left")) is None or is_over(outlook):
        return line
    return line.append(f"  {_left(outlook, 'seconds_left', passed)} left")


def _left(outlook: Facts, name: str, passed: float) -> str:
    return seconds(max(0.0, number(outlook, name) - passed))


def bar(fraction: float, cells: int) -> str:
    """``████░░░░``; anything above nothing shows."""
    full = min(cells, max(round(fraction * cells), 1 if fraction > 0 else 0))
    return _FULL * full + _EMPTY * (cells - full)


def split(scene: Scene, width: int) -> list[Text]:
    """The share of each color as a bar."""
    lines = []
    versions = {color: one_line(scene.version(color), _VERSION) for color in COLORS}
    column = max(map(len, versions.values()))
    cells = max(10, min(_WIDEST, width - column - 26))
    unhealthy = dict(sick(part(scene.reading, "reading")))
    for at, color in enumerate(COLORS):
        percent = scene.split[at] if scene.split else 0
        ahead = f" → {scene.shifting[at]} %" if scene.shifting and scene.shifting[at] != percent else ""
        line = Text.assemble(("  " + f"{color:<6}", f"bold {color}"), f"{versions[color]:<{column}} ")
        line.append(bar(percent / 100, cells), color).append(f" {percent:>3} %{ahead}")
        if color in unhealthy:
            line.append(f" unhealthy: {one_line(unhealthy[color])}", "bold red")
        lines.append(line)
    return lines


def numbers(scene: Scene) -> tuple[list[Text], list[Text], list[Text]]:
    """What users met by the first source, by the others, and what probes met: one line per color; the first of users
    is the heading. Who has no numbers says why."""
    outlook = scene.outlook
    sources = streams(outlook)
    silent = silences(part(scene.reading, "reading"), outlook)
    width = min(_SOURCE[1], max(_SOURCE[0], *(len(name) + 1 for name, _ in sources)))
    if len(sources) == 1 and (why := silent.get(sources[0][0])):
        return [Text.assemble(("  no data: ", "bold yellow"), one_line(why))], [], []
    (first, users), *more = sources
    rows = [Text(" " * (8 + width) + _HEAD, "dim"), *_rows(scene, first, users, width, silent, scene.rates)]
    others = [row for name, found in more for row in _rows(scene, name, found, width, silent, {})]
    probes = part(outlook, "probes")
    return rows, others, _rows(scene, "probes", probes, width, {}, {}) if probes else []


def _rows(
    scene: Scene, source: str, found: Facts, width: int, silent: Mapping[str, str], rates: Mapping[str, float]
) -> list[Text]:
    if why := silent.get(source):
        name = one_line(source, width - 1)
        return [Text.assemble(f"  {'':<6}{name:<{width}}", ("no data: ", "bold yellow"), one_line(why))]
    return [
        _row(scene, color, f"{one_line(source, width - 1):<{width}}", part(found, color), rates.get(color))
        for color in COLORS
        if color in found or source != "probes"
    ]


def _row(scene: Scene, color: str, source: str, found: Facts, rate: float | None) -> Text:
    pace = MISSING if rate is None else f"{rate:.1f}"
    line = Text.assemble((f"  {color:<6}", color), f"{source}{pace:>8}{whole(found, 'requests'):>10,}")
    if not whole(found, "requests"):
        return line.append(f"{MISSING:>18}{MISSING:>11}{MISSING:>11}", "dim")
    failed = f"{whole(found, 'errors'):,} ({share(found.get('rate'))})" if "errors" in found else MISSING
    line.append(f"{failed:>18}", _style(scene, "errors", number(found, "rate"), "warn_errors"))
    for name, limit, soft in (("p95", "", "warn_p95"), ("p99", "p99", "warn_p99")):
        value = finite(found.get(name)) if name in found else 0.0
        line.append(f"{slow(found, name):>11}", _style(scene, limit, float("inf") if value is None else value, soft))
    return line


def _style(scene: Scene, limit: str, value: float, soft: str) -> str:
    """Red above the limit that rolls back, yellow above the one that warns."""
    hard, warn = (finite(scene.rules.get(name)) for name in (limit, soft))
    if hard is not None and value > hard:
        return "bold red"
    return "yellow" if warn is not None and value > warn else ""


def levels(scene: Scene) -> list[Text]:
    """Database and hosts, on one line; yellow what warns, with its limit."""
    found = readings(scene.outlook)
    if not found:
        return []
    line = Text("  ")
    for at, (name, (value, limit)) in enumerate(found.items()):
        over = f" > {LEVELS[name].text(limit)}" if value > limit else ""
        line.append("  " if at else "").append(worded(name, value) + over, "yellow" if over else "dim")
    return [line]


def limits(scene: Scene) -> Text:
    """What rolls back."""
    rules = scene.rules
    worse = finite(rules.get("worse"))
    least = finite(rules.get("worse_from"))
    beyond = f" from {milliseconds(least)} on" if least else ""
    compared = f" or {share(worse)} above {text(rules, 'home')}'s{beyond}" if worse and text(rules, "home") else ""
    p99 = f"P99 > {milliseconds(rules.get('p99'))}{compared}"
    return Text(f"  rolls back at  errors > {share(rules.get('errors'))}, {p99}", "dim")


def nearest(scene: Scene, width: int) -> Text:
    """The evidence of the test that is nearest to rolling back."""
    if scene.rules.get("rule") == "threshold":
        return Text("  each reading is judged by these limits alone", "dim")
    name, value = evidence(scene.outlook) or ("", 0.0)
    style = "green" if value < 0.5 else "yellow" if value < 0.8 else "bold red"
    line = Text("  evidence       ").append(bar(value, max(10, min(_WIDEST, width - 64))), style)
    return line.append(f" {percent_of(value)} toward rolling back{f' ({name})' if name and value > 0 else ''}")
