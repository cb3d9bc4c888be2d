"""Whether what New Relic has is good enough to judge a rollout by, and how to mend it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ...errors import DeployError
from ...ports import Color, Finding
from ...settings.rollout import Rollout
from ..clocks import clock_findings
from . import nrql
from .counting import Question, marks_of, whole
from .graph import NerdGraph
from .nrql import Marks, Span
from .window import AHEAD, dates

if TYPE_CHECKING:
    from ...settings.newrelic import NewRelicSettings
    from ..site import Site

SUBJECT = "metrics: newrelic"
LOOK = 3_600_000
"""Milliseconds that a look goes back."""
EFFECT = "what is asked for is off by so much"


def diagnose(settings: NewRelicSettings, site: Site, graph: NerdGraph, now: float) -> Sequence[Finding]:
    """The key, the account, the pace, and what there is of each color, with its age."""
    span = Span(int(now * 1000) - LOOK, int(now * 1000) + AHEAD)
    try:
        marks = marks_of(settings, site)
        question = Question(graph)
        names = (
            [settings.app] if settings.app is not None else [name for each in marks.values.values() for name in each]
        )
        every, colored = question.add(nrql.newest_of_all(names, span)), question.add(nrql.newest(marks, span))
        answers = question.ask()
        count, newest = graph.understand(lambda rows: _newest(rows[every]), answers)
        found = graph.understand(lambda rows: dates(rows[colored], marks), answers)
    except DeployError as error:
        return [Finding(SUBJECT, "fail", error.what, error.do)]
    named = f" ({question.account})" if question.account else ""
    answered = Finding(SUBJECT, "ok", f"account {settings.account}{named} answers")
    return [
        answered,
        *clock_findings(SUBJECT, graph.ahead, EFFECT),
        *_pace(settings, site),
        *_data(settings, marks, count, None if newest is None else now - newest),
        *_colors(marks, found, now, has_any=count > 0),
    ]


def _newest(rows: Sequence[Mapping[str, Any]]) -> tuple[int, float | None]:
    count = whole(rows[0]["n"]) if rows else 0
    return count, whole(rows[0]["newest"]) / 1000 if count else None


def _pace(settings: NewRelicSettings, site: Site) -> Iterator[Finding]:
    rollout = site.sections.get("rollout")
    chosen = rollout if isinstance(rollout, Rollout) else Rollout()
    if settings.lag + 2 * chosen.poll > chosen.missing:
        detail = (
            f"what happens shows after {settings.lag:g} s, and `missing` is {chosen.missing:g} s: "
            "all would be taken back"
        )
        yield Finding(SUBJECT, "fail", detail, f"say `missing: {2 * settings.lag + 2 * chosen.poll:g}s`")


def _data(settings: NewRelicSettings, marks: Marks, count: int, age: float | None) -> Iterator[Finding]:
    subject = "metrics: data"
    if age is None:
        detail = f"there was no web transaction of {marks.what} in the last hour"
        yield Finding(
            subject, "warn", detail, "see that requests come and the agent runs; or mend the name and `account`"
        )
    elif age > settings.lag:
        detail = (
            f"{count} web transactions in the last hour; the newest is {age:.0f} s old, and `lag` is {settings.lag:g} s"
        )
        yield Finding(subject, "warn", detail, f"if requests come all the time, say `lag: {1.5 * age:.0f}s`")
    else:
        yield Finding(
            subject, "ok", f"{count} web transactions in the last hour; the newest is {max(0.0, age):.0f} s old"
        )


def _colors(marks: Marks, found: Mapping[Color, float], now: float, *, has_any: bool) -> Iterator[Finding]:
    if has_any and not found:
        detail = f"no web transaction of {marks.what} has a `{marks.attribute}` of {_values(marks)}"
        yield Finding("metrics: colors", "fail", detail, "let the application report it: docs/newrelic.md")
        return
    for color in marks.values:
        if color in found:
            yield Finding(
                f"metrics: {color}", "ok", f"the newest transaction is {max(0.0, now - found[color]):.0f} s old"
            )
        elif has_any:
            detail = f"no transaction with a `{marks.attribute}` of {_values(marks, color)} in the last hour"
            yield Finding(f"metrics: {color}", "warn", detail, f"fine if {color} had no request")


def _values(marks: Marks, color: Color | None = None) -> str:
    return " or ".join(value for each, values in marks.values.items() if color in (None, each) for value in values)
