"""The charts of a rollout, with what each shows in words. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from ...ledger.facts import Facts, number, part, text
from ...ports import COLORS, Color
from ..sentences import percent_of
from ..wording import clock, milliseconds, moment, number as finite, share as fraction, shares
from .charts import Axis, Chart, Line, Mark, decades, drawn, even
from .marks import home_at, marks, quiet
from .series import PROBES, Happened, Measured, Sample

if TYPE_CHECKING:
    from markupsafe import Markup

LEAST = 0.001
"""Seconds: the lowest value of an axis of times."""
Pick = Callable[[Measured], float | None]


class Key(NamedTuple):
    """What a line is, in the legend."""

    look: str
    words: str


class Figure(NamedTuple):
    """A chart with its heading, its legend, and what it says in words."""

    name: str
    heading: str
    svg: Markup
    keys: Sequence[Key]
    told: str


class Seen(NamedTuple):
    """What all charts of one rollout have in common."""

    samples: Sequence[Sample]
    rules: Facts
    marks: Sequence[Mark]
    began: datetime
    ended: datetime
    versions: Mapping[str, str]

    @property
    def target(self) -> str:
        return text(self.rules, "target")

    @property
    def colors(self) -> Sequence[Color]:
        """The new one first; without a home there is only one."""
        return [color for color in COLORS if color == self.target] + [
            color for color in COLORS if color == text(self.rules, "home")
        ]

    def key(self, color: str) -> Key:
        """``green: 1.2.3, the new one``."""
        version = self.versions.get(color, "")
        which = "new" if color == self.target else "old"
        return Key(f"{color} {which}", f"{color}, the {which} one{f' ({version})' if version else ''}")


def figures(
    events: Sequence[Happened], rules: Facts, versions: Mapping[str, str], found: Sequence[Sample]
) -> list[Figure]:
    """All that the readings give; none without two of them."""
    if len(found) < 2:
        return []
    ended = max(found[-1].at, home_at(events) or found[-1].at)
    seen = Seen(found, rules, marks(events, text(rules, "target")), found[0].at, ended, versions)
    names = list(dict.fromkeys(name for sample in found for name in sample.sources))
    made = [_split(seen, events)]
    made += [figure for name in names for figure in _source(seen, name, len({*names} - {PROBES}) > 1)]
    made += [_evidence(seen)] if any(sample.evidence for sample in found) else []
    return made


# -- charts --------------------------------------------------------------------


def _split(seen: Seen, events: Sequence[Happened]) -> Figure:
    """Steps, for a split is what it is until the next write."""
    place = COLORS.index(seen.target) if seen.target in COLORS else 0
    known = [(sample.at, sample.share) for sample in seen.samples]
    for event in events:
        at, split = moment(event.get("at")), shares(part(event, "facts").get("split"))
        if at and split and text(event, "kind") == "shifted":
            known.append((at, split[place]))
    known.sort(key=lambda each: each[0])
    home = home_at(events)
    known += [(home, 0)] if home and known and home >= known[-1][0] else []
    points: list[tuple[datetime, float | None]] = []
    for at, percent in known:
        if points and points[-1][1] != percent:
            points.append((at, points[-1][1]))
        points.append((at, float(percent)))
    points.append((seen.ended, points[-1][1]))
    whole: list[tuple[datetime, float | None]] = [(seen.began, 100.0), (seen.ended, 100.0)]
    other = [Line(f"{color} old", whole, fill=True) for color in seen.colors if color != seen.target]
    most = max(percent for _, percent in known)
    told = f"{seen.target} had at most {most} % of the requests, at the end {known[-1][1]} %."
    axis = Axis(0.0, 122.0, (0.0, 50.0, 100.0), lambda value: f"{value:.0f} %")
    lines = [*other, Line(f"{seen.target} new", points, fill=True)]
    keys = [seen.key(color) for color in seen.colors]
    title = "Split of traffic"
    chart = Chart("split", title, told, axis, lines, seen.marks, seen.began, seen.ended, 170)
    return Figure("split", title, drawn(chart), keys, told)


def _source(seen: Seen, name: str, named: bool) -> list[Figure]:
    """What one source counted: requests, errors, times; what it does not give is not drawn."""
    by = " of our own test requests (probes)" if name == PROBES else f", as {name} counts" if named else ""
    made = (
        [] if name == PROBES else [_colors(seen, name, f"Requests per second{by}", lambda each: each.pace, (), _pace)]
    )
    errors = [
        ("limit", number(seen.rules, "errors"), "rolls back"),
        ("warns", number(seen.rules, "warn_errors"), "warns"),
    ]
    if _has(seen, name, lambda each: each.errors):
        made.append(_colors(seen, name, f"Errors{by}", lambda each: each.errors, errors, fraction))
    if _has(seen, name, lambda each: each.p99):
        made.append(_times(seen, name, by))
    return made


def _has(seen: Seen, name: str, pick: Pick) -> bool:
    return any(pick(each) is not None for sample in seen.samples for each in sample.sources.get(name, {}).values())


def _line(seen: Seen, name: str, color: Color, pick: Pick, look: str) -> Line:
    points = [
        (sample.at, pick(found) if (found := sample.sources.get(name, {}).get(color)) else None)
        for sample in seen.samples
    ]
    return Line(look, points)


def _level(seen: Seen, look: str, value: float) -> Line:
    return Line(look, [(seen.began, value), (seen.ended, value)])


def _highest(lines: Sequence[Line]) -> float:
    return max((value for line in lines for _, value in line.points if value is not None), default=0.0)


def _colors(
    seen: Seen, name: str, title: str, pick: Pick, limits: Sequence[tuple[str, float, str]], words: Callable[[Any], str]
) -> Figure:
    lines = [_line(seen, name, color, pick, seen.key(color).look) for color in reversed(seen.colors)]
    levels = [_level(seen, look, value) for look, value, _ in limits if value]
    told = _told(seen, name, pick, words, [f"{verb} above {words(value)}" for _, value, verb in limits if value])
    keys = [seen.key(color) for color in seen.colors]
    keys += [Key(look, f"{verb} above {words(value)}") for look, value, verb in limits if value]
    axis = even(_highest([*lines, *levels]), words)
    return _figure(
        seen, f"{title.partition(',')[0].partition(' of our')[0]}-{name}", title, told, axis, [*levels, *lines], keys
    )


def _times(seen: Seen, name: str, by: str) -> Figure:
    """P99 of both, P95 of the new one, and what they are held to."""
    title = f"How long requests take{by}"
    lines = [_line(seen, name, color, lambda each: each.p99, seen.key(color).look) for color in reversed(seen.colors)]
    lines.insert(0, _line(seen, name, seen.colors[0], lambda each: each.p95, f"{seen.colors[0]} thin"))
    limits = [
        ("limit", number(seen.rules, "p99"), "P99 rolls back"),
        ("warns", number(seen.rules, "warn_p99"), "P99 warns"),
    ]
    levels = [_level(seen, look, value) for look, value, _ in limits if value]
    worse = Line("limit worse", [(sample.at, sample.worse.get(name)) for sample in seen.samples])
    follows = any(value is not None for _, value in worse.points)
    keys = [key._replace(words=f"P99 of {key.words}") for key in map(seen.key, seen.colors)]
    keys += [Key(f"{seen.colors[0]} thin", f"P95 of {seen.colors[0]}")]
    keys += [Key(look, f"{verb} above {milliseconds(value)}") for look, value, verb in limits if value]
    keys += (
        [Key("limit worse", f"P99 rolls back above {_above(seen.rules)} {text(seen.rules, 'home')}")] if follows else []
    )
    told = _told(seen, name, lambda each: each.p99, milliseconds, [key.words for key in keys[len(seen.colors) + 1 :]])
    shown = [*levels, *([worse] if follows else []), *lines]
    values = [value for line in shown for _, value in line.points if value]
    axis = decades(max(LEAST, min(values, default=LEAST)), max(values, default=1.0), milliseconds)
    return _figure(seen, f"times-{name}", title, f"P99: {told}", axis, shown, keys)


def _above(rules: Facts) -> str:
    return f"{1 + number(rules, 'worse'):.3g} times that of"


def _evidence(seen: Seen) -> Figure:
    points = [(sample.at, min(1.0, sample.evidence[1]) if sample.evidence else None) for sample in seen.samples]
    nearest = max((s for s in seen.samples if s.evidence), key=lambda s: s.evidence[1] if s.evidence else 0.0)
    name, value = nearest.evidence or ("", 0.0)
    told = f"At most {percent_of(value)} of what rolls back{f' ({name}, {clock(nearest.at)})' if value > 0 else ''}."
    axis = Axis(0.0, 1.08, (0.0, 0.5, 1.0), lambda each: f"{100 * each:.0f} %")
    lines = [_level(seen, "limit", 1.0), Line("evidence", points)]
    keys = [Key("evidence", "the test that is nearest to rolling back"), Key("limit", "rolls back")]
    return _figure(seen, "evidence", "Evidence toward rolling back", told, axis, lines, keys)


def _figure(
    seen: Seen, name: str, title: str, told: str, axis: Axis, lines: Sequence[Line], keys: Sequence[Key]
) -> Figure:
    name = "".join(letter if letter.isalnum() else "-" for letter in name.lower())
    chart = Chart(name, title, told, axis, lines, quiet(seen.marks), seen.began, seen.ended)
    return Figure(name, title, drawn(chart), keys, told)


def _told(seen: Seen, name: str, pick: Pick, words: Callable[[Any], str], limits: Sequence[str]) -> str:
    """Such as ``green at most 3.1 % (10:31:00), at the end 0.2 %; blue …. Rolls back above 2 %``."""
    said = []
    for color in seen.colors:
        found = [
            (value, sample.at)
            for sample in seen.samples
            if (each := sample.sources.get(name, {}).get(color)) and (value := pick(each)) is not None
        ]
        if found:
            most, at = max(found, key=lambda each: each[0])
            said.append(f"{color} at most {words(most)} ({clock(at)}), at the end {words(found[-1][0])}")
    limits = [each[0].upper() + each[1:] for each in limits]
    return " ".join(f"{each}." for each in ["; ".join(said), *limits] if each)


def _pace(value: object) -> str:
    found = finite(value)
    return "–" if found is None else f"{found:,.0f}" if found >= 10 or found == round(found) else f"{found:.1f}"
