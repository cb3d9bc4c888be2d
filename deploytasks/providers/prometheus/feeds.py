"""From settings to selectors: what is fetched, and what each series of it means."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from ...errors import UsageError
from ...ports import COLORS, Color
from .presets import COUNTS, LATENCIES

if TYPE_CHECKING:
    from ...settings.prometheus import ColorValues, CountQueries, LatencyQueries, PrometheusSettings

Labels = Mapping[str, str]
What = Literal["requests", "errors", "latency"]
COLOR = "{color}"


@dataclass(frozen=True)
class Feed:
    """One selector, and how its series are read.

    ``what``: series of ``requests`` may be errors as well (``failed``); ``errors`` and ``latency`` are nothing else.
    """

    what: What
    selector: str
    label: str
    colors: Mapping[Color, re.Pattern[str]]
    """What ``label`` says; with a single color, every series is that color's."""
    counted: frozenset[str] = frozenset()
    """The names that are counted; all when empty. Others only show that a color is there."""
    failed: Mapping[str, re.Pattern[str]] = field(default_factory=dict)
    varying: frozenset[str] = frozenset()
    """Labels in which series of one process differ: they all begin anew together."""
    unit: float = 1.0
    """Seconds of an ``le`` of 1."""

    @property
    def targets(self) -> str:
        """A selector of the targets with this color's label whose series these would be: they show that an application
        is there that has none yet. Empty when the label or the name does not allow it."""
        name, _, matchers = self.selector.partition("{")
        return f"up{{{matchers}" if name.strip() and self.label else ""

    def color(self, labels: Labels) -> Color | None:
        """Whose series this is; ``None``: nobody's. Raises ``UsageError`` when it could be both colors'."""
        if len(self.colors) == 1:
            return next(iter(self.colors))
        found = [color for color, value in self.colors.items() if value.fullmatch(labels.get(self.label, ""))]
        if len(found) > 1:
            raise UsageError(f"{self.label}={labels[self.label]!r} is both blue and green by `colors`")
        return found[0] if found else None

    def counts(self, labels: Labels) -> bool:
        """Whether this series is counted."""
        return not self.counted or labels.get("__name__") in self.counted

    def is_failed(self, labels: Labels) -> bool:
        """Whether this series counts errors."""
        return self.what == "errors" or any(value.fullmatch(labels.get(of, "")) for of, value in self.failed.items())

    def process(self, labels: Labels) -> frozenset[tuple[str, str]]:
        """What the series of one process have in common."""
        return frozenset((name, value) for name, value in labels.items() if name not in self.varying)

    def component(self, labels: Labels) -> frozenset[tuple[str, str]]:
        """What tells a series from others of its process."""
        return frozenset((name, value) for name, value in labels.items() if name in self.varying)


def feeds(settings: PrometheusSettings, application: str) -> tuple[Feed, ...]:
    """All that is fetched in one look. Errors and latencies first: requests are never older than what is held
    against them."""
    return (*_latency(settings.counts, settings.latency, application), *_counts(settings.counts, application))


def _counts(of: CountQueries, application: str) -> Iterator[Feed]:
    if of.preset is None:
        assert of.requests is not None
        assert of.errors is not None
        colors = _colors(of.colors, COLOR, application)
        yield from _explicit("errors", of.errors, of.color_label, colors, of.match)
        yield from _explicit("requests", of.requests, of.color_label, colors, of.match)
        return
    preset = COUNTS[of.preset]
    label = of.color_label or preset.color_label
    colors = _colors(of.colors, preset.color, application)
    names = (*preset.names, *preset.beside)
    base = f"{names[0]}{{{preset.matchers}}}" if len(names) == 1 else f'{{__name__=~"{"|".join(names)}"}}'
    yield Feed(
        "requests",
        _with(base, [_any_of(label, colors), *_exactly(of.match)]),
        label,
        colors,
        frozenset(preset.names) if preset.beside else frozenset(),
        {name: re.compile(value) for name, value in preset.errors.items()},
        frozenset(preset.varying),
    )


def _latency(counts: CountQueries, of: LatencyQueries | None, application: str) -> Iterator[Feed]:
    if of is not None and of.preset is None:
        assert of.buckets is not None
        unit = 0.001 if of.milliseconds else 1.0
        colors = _colors(of.colors, COLOR, application)
        yield from _explicit("latency", of.buckets, of.color_label, colors, of.match, frozenset({"le"}), unit)
        return
    source = of or counts
    preset = LATENCIES[source.preset or ""]
    label = source.color_label or preset.color_label
    colors = _colors(source.colors, preset.color, application)
    selector = _with(preset.name, [_any_of(label, colors), *_exactly(source.match)])
    unit = 0.001 if preset.milliseconds else 1.0
    yield Feed("latency", selector, label, colors, varying=frozenset({"le"}), unit=unit)


def _explicit(
    what: What,
    selector: str,
    label: str | None,
    colors: Mapping[Color, re.Pattern[str]],
    match: Mapping[str, str],
    varying: frozenset[str] = frozenset(),
    unit: float = 1.0,
) -> Iterator[Feed]:
    """One query for both colors by their label; one for each where the selector has ``{color}``."""
    if COLOR not in selector:
        label = label or "color"
        text = _with(selector, [_any_of(label, colors), *_exactly(match)])
        yield Feed(what, text, label, colors, varying=varying, unit=unit)
        return
    for color in COLORS:
        said = quoted(colors[color].pattern)[1:-1]
        text = _with(selector.replace(COLOR, said), _exactly(match))
        yield Feed(what, text, "", {color: re.compile("")}, varying=varying, unit=unit)


def _colors(given: ColorValues | None, default: str, application: str) -> dict[Color, re.Pattern[str]]:
    said = {color: default.replace("{application}", application).replace(COLOR, color) for color in COLORS}
    if given is not None:
        said = {"blue": given.blue, "green": given.green}
    return {color: re.compile(said[color]) for color in COLORS}


def _any_of(label: str, colors: Mapping[Color, re.Pattern[str]]) -> str:
    return f"{label}=~{quoted('|'.join(value.pattern for value in colors.values()))}"


def _exactly(match: Mapping[str, str]) -> list[str]:
    return [f"{name}={quoted(value)}" for name, value in match.items()]


def quoted(text: str) -> str:
    """A PromQL string: its escapes in double quotes are Go's, of which JSON's are a part."""
    return json.dumps(text, ensure_ascii=False)


def _with(selector: str, matchers: Sequence[str]) -> str:
    """The selector with more matchers."""
    name, brace, inner = selector.rstrip().partition("{")
    known = inner.rstrip().removesuffix("}").strip().rstrip(",") if brace else ""
    return f"{name}{{{','.join(filter(None, [known, *matchers]))}}}"
