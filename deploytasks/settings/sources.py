"""Which of the configured sources of metrics are judged, and as what."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from .base import Value
from .measures import Measure
from .several import named, parts

JUDGED: tuple[Measure, ...] = ("errors", "latency")
"""What is judged of requests; the other measures only warn."""


class Source(NamedTuple):
    """One source of counts."""

    name: str
    place: int
    """Which part of ``metrics`` it is, from 0."""
    gives: tuple[Measure, ...]
    """Of ``JUDGED``, one at least."""


def judged(values: Sequence[Value]) -> tuple[Source, ...]:
    """Those that count requests, of all parts of ``metrics``: the first is the first that gives errors, for that one
    says what users met."""
    found = [
        Source(name, place, gives)
        for place, (name, value) in enumerate(zip(named(values), values, strict=True))
        if (gives := _of_requests(value))
    ]
    users = next((source for source in found if "errors" in source.gives), None)
    return tuple(sorted(found, key=lambda source: source is not users))


def _of_requests(value: Value) -> tuple[Measure, ...]:
    gives = given_by(value)
    return tuple(measure for measure in JUDGED if measure in gives)


def given_by(value: Value) -> frozenset[Measure]:
    """What a part of the section gives."""
    found: frozenset[Measure] = getattr(value, "gives", frozenset(JUDGED))
    return found


def unmeasured(sections: Mapping[str, Value], path: str) -> Iterator[str]:
    """The mistake of sources none of which counts errors."""
    section = sections.get("metrics")
    if parts(section) and not any("errors" in given_by(value) for value in parts(section)):
        yield f"{path}.metrics: nothing gives `errors`: add a source that does, or name it under `measures`"
