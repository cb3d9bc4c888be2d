"""One deployment from beginning to end: steps, shifts, what each stage was judged by, and how it ended."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, NamedTuple

from ..outlooks import begins_stage, evidence, verdicts
from ..paint import Paint, table
from ..sentences import percent_of, reading
from ..wording import MISSING, counted, duration, moment
from .checklist import recorded, signatures
from .past import at, told
from .reading import fields, items, title, word

Event = Mapping[str, Any]


class Row(NamedTuple):
    """One line of the timeline."""

    at: str
    since: str
    """The beginning."""
    text: str


def report(answer: Mapping[str, Any], paint: Paint) -> list[str]:
    """The timeline; without a deployment, those that are known."""
    where = title(word(answer, "application"), word(answer, "environment"))
    events = items(answer, "events")
    if not events:
        known = answer.get("known")
        names = [f"    {name}" for name in known] if isinstance(known, list | tuple) else []
        if not names:
            return [f"no deployment of {where} is recorded"]
        return [f"no such deployment of {where}; the last ones:", *names]
    heading = f"{word(answer, 'deployment')}: {where} (times are UTC)"
    rows = [Row(*_when(group[0], events[0]), text) for group, text in _timeline(events, paint)]
    last = next((each for each in reversed(events) if word(each, "kind") == "ended"), None)
    end = told(last, paint) if last else paint("it has not ended: somebody works on it, or died at it", "warn")
    notes = _notes(events[0], paint)
    shown = [*notes, *table(rows, "  ", right=(1,)), *_judged(events, paint), *_gates(answer, paint)]
    return [paint(heading, "bold"), *shown, paint(end, "bold")]


def _notes(began: Event, paint: Paint) -> list[str]:
    """What the changelog said about the version, when the deployment began."""
    facts = fields(began, "facts")
    said = [line for line in str(facts.get("notes") or "").split("\n") if line.strip()]
    return [f"  what {word(facts, 'version')} brings:", *(paint(f"    {line}", "dim") for line in said)] if said else []


def _gates(answer: Mapping[str, Any], paint: Paint) -> list[str]:
    """The checklist that it began with, and what people signed for it."""
    known = fields(answer, "checklist")
    return [*(recorded(known, paint) if known else ()), *signatures(items(answer, "signed"), paint)]


def _when(event: Event, first: Event) -> tuple[str, str]:
    began, now = moment(first.get("at")), moment(event.get("at"))
    since = duration((now - began).total_seconds()) if began and now else MISSING
    return at(event), f"+{since}"


def _timeline(events: Sequence[Event], paint: Paint) -> Iterator[tuple[Sequence[Event], str]]:
    """Events with their text; the readings of one stage as one."""
    for (kind, _), found in groupby(events, lambda each: (word(each, "kind"), _stage(each))):
        group = list(found)
        if kind == "reading":
            telling = [event for event in group if not begins_stage(fields(fields(event, "facts"), "outlook"))]
            if telling:
                yield telling, _readings(telling, word(fields(events[0], "facts"), "color"))
            continue
        for event in group:
            state = fields(event, "facts").get("state")
            if kind not in ("shifting", "ended") and not (kind == "step" and state == "began"):
                yield [event], told(event, paint)


def _stage(event: Event) -> str:
    outlook = fields(fields(event, "facts"), "outlook")
    return f"{word(outlook, 'stage')} {word(outlook, 'phase').rpartition(' at ')[2]}" if outlook else ""


def _readings(group: Sequence[Event], target: str) -> str:
    last = fields(group[-1], "facts")
    phase = word(fields(last, "outlook"), "phase", "rollout")
    return f"{phase}: {counted(len(group), 'reading')}, the last one: {reading(last, target)}"


def _judged(events: Sequence[Event], paint: Paint) -> list[str]:
    """Every verdict and warning once, and how near it ever came to rolling back."""
    said: dict[str, str] = {}
    most: tuple[str, float] | None = None
    for event in events:
        outlook = fields(fields(event, "facts"), "outlook")
        for verdict in (*verdicts(outlook, "warnings"), *verdicts(outlook, "verdicts")):
            kind, metric = word(verdict, "kind"), word(verdict, "metric")
            said[f"{kind} {metric} {word(verdict, 'why') if kind == 'PASS' else ''}"] = (
                f"{paint(f'{kind:<4}', {'PASS': 'good', 'FAIL': 'bad'}.get(kind, 'warn'))}  {word(verdict, 'why')}"
            )
        now = evidence(outlook)
        most = now if now and (most is None or now[1] > most[1]) else most
    nearest = [f"  evidence toward rolling back was at most {percent_of(most[1])} ({most[0]})"] if most else []
    return ["  judged:", *(f"    {line}" for line in said.values()), *nearest] if said or nearest else []
