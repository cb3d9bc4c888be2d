"""One judged reading: what each source counted, each verdict, and why."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...verdict.levels import LEVELS
from ..paint import Paint, table
from ..wording import duration, milliseconds, number, share, whole
from .reading import fields, items, word

_KINDS = {"PASS": "good", "WARN": "warn", "HOLD": "warn", "FAIL": "bad"}


def verdicts(answer: Mapping[str, Any], paint: Paint) -> list[str]:
    """What each source saw; each metric with how many requests it was judged by, its value and its limit; then why."""
    about = f"{word(answer, 'color')} in {word(answer, 'environment')}, over {duration(number(answer.get('window')))}"
    rows, whys = [("", "", "requests", "value", "limit")], []
    for verdict in items(answer, "verdicts"):
        kind = word(verdict, "kind")
        shown = [_measured(verdict, name) for name in ("value", "limit")]
        count = "" if word(verdict, "metric") in LEVELS else whole(verdict.get("n"))
        rows.append((paint(kind, _KINDS.get(kind, "bad")), word(verdict, "metric"), count, shown[0], shown[1]))
        whys.append(f"  {word(verdict, 'why')}")
    judged = table(rows, "  ", right=(2, 3, 4)) if whys else ["  nothing was judged"]
    return [paint(about, "bold"), *_sources(answer, paint), *judged, *whys]


def _sources(answer: Mapping[str, Any], paint: Paint) -> list[str]:
    """Both colors as each source counted them, where there is something to compare."""
    color, rows = word(answer, "color"), []
    for source in items(answer, "sources"):
        reading, baseline, name = fields(source, "reading"), fields(source, "baseline"), word(source, "source")
        rows += [(name, color, *_counts(reading))] if reading else []
        rows += [(name, "baseline", *_counts(baseline))] if baseline else []
    if len(rows) < 2:
        return []
    return [*table([("", "", *(paint(head, "dim") for head in _HEADS)), *rows], "  ", right=(2, 3, 5, 6)), ""]


_HEADS = ("requests", "errors", "95 % interval", "P95", "P99")


def _counts(of: Mapping[str, Any]) -> tuple[str, ...]:
    low, high = of.get("interval") or (None, None)
    return (
        whole(of.get("requests")),
        f"{whole(of.get('errors'))} ({share(of.get('error_rate'))})",
        f"{share(low)} to {share(high)}",
        milliseconds(of.get("p95")),
        milliseconds(of.get("p99")),
    )


def short(answer: Mapping[str, Any]) -> str:
    """The same on one line, for a log."""
    found = items(answer, "verdicts")
    parts = [f"{word(each, 'kind')} {word(each, 'why')}" for each in found if word(each, "metric") not in LEVELS]
    return f"{word(answer, 'color')}: {'; '.join(parts) or 'nothing was judged'}"


def _measured(verdict: Mapping[str, Any], name: str) -> str:
    """In the unit of its metric; a hold for want of requests compares counts."""
    value, metric = number(verdict.get(name)), word(verdict, "metric")
    if value is None:
        return "over 30 s" if metric.startswith("p9") and name == "value" else word(verdict, name)
    if metric in LEVELS:
        return LEVELS[metric].text(value)
    if word(verdict, "kind") == "HOLD" and "not enough data" in word(verdict, "why"):
        return whole(value)
    return milliseconds(value) if metric.startswith("p9") else share(value)
