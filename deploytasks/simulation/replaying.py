"""Recorded readings, folded again: under the rules of then, and under others. Pure.

What is read depends on what was done: once other rules would have made another move, the readings that follow are of a
course that they would not have taken. So a comparison ends at the first move that differs. Where that move takes the
release home earlier, what users were spared is known: it is what they met until the recorded end. Everywhere else,
nobody knows what would have come.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Literal, NamedTuple

from ..ports import NoData, Totals
from ..rollout import Course, Finish, Move, Rules, Shift, Stop, TurnBack, advance, again, start
from ..verdict.course import worded
from ..verdict.ladder import NOTHING, difference, plus
from .recorded import Look, Recording

Kind = Literal["same", "home earlier", "goes on", "waits", "moves earlier", "moves elsewhere", "finishes earlier"]
KNOWN: tuple[Kind, ...] = ("same", "home earlier")
"""What is known to its end; after the others, nothing is."""


class Would(NamedTuple):
    """What other rules would have done, and from when on it differs from what was done.

    ``at`` and ``earlier`` in seconds: since the first reading; before the recorded end. ``requests`` and ``errors``:
    what users met of the release after that, until the recorded end.
    """

    kind: Kind
    at: float
    percent: int
    code: int | None
    """4 or 6, where it would have gone home."""
    metric: str
    why: str
    earlier: float = 0.0
    requests: int = 0
    errors: int = 0


class Seen(NamedTuple):
    """A look, and what rules make of it."""

    at: datetime
    move: Move
    course: Course


def replay(rules: Rules, looks: Iterable[Look]) -> Iterator[Seen]:
    """The course that these looks lead to, as a resumed deployment finds it."""
    course: Course | None = None
    for look in looks:
        if look.reading is not None:
            course, move = advance(rules, course or start(rules, look.at), look.reading)
            yield Seen(look.at, move, course)
        elif course is not None:
            course = again(rules, course, look.at)


def is_reproduced(recording: Recording) -> bool:
    """Whether the rules of then make of each reading the move that was made, and of the last one the same verdicts."""
    if recording.rules is None or recording.unreadable:
        return False
    read = [look for look in recording.looks if look.reading is not None]
    found = list(replay(recording.rules, recording.looks))
    if [_kind(look.move) for look in read] != [_kind(worded(seen.move)) for seen in found]:
        return False
    verdicts = tuple((each.kind, each.metric, each.n) for each in found[-1].course.verdicts)
    return verdicts == read[-1].verdicts


def _kind(move: str) -> str:
    """A move without how long it waits: that hangs on microseconds between a clock and its first reading."""
    return "wait" if move.startswith("wait") else move


def compare(recording: Recording, rules: Rules) -> Would:
    """What other ``rules`` would have done with what was read. The recording must be one that can be replayed."""
    assert recording.rules is not None
    read = [look for look in recording.looks if look.reading is not None]
    met = list(_met(recording.rules, read))
    pairs = zip(replay(recording.rules, recording.looks), replay(rules, recording.looks), strict=True)
    for number, (own, other) in enumerate(pairs):
        kind = _differs(own.move, other.move)
        if kind is not None:
            return _would(kind, read, number, other, met)
    return _would("same", read, len(read) - 1, other, met)


def _differs(own: Move, other: Move) -> Kind | None:
    """How two moves on one look differ; ``None`` when they do not, or somebody else moved traffic."""
    is_alike = type(own) is type(other) and getattr(own, "percent", 0) == getattr(other, "percent", 0)
    if is_alike or isinstance(own, Stop) or isinstance(other, Stop):
        return None
    if isinstance(other, TurnBack):
        return "home earlier"
    if isinstance(own, TurnBack) or isinstance(other, Finish):
        return "goes on" if isinstance(own, TurnBack) else "finishes earlier"
    if isinstance(other, Shift):
        return "moves elsewhere" if isinstance(own, Shift) else "moves earlier"
    return "waits"


def _would(kind: Kind, read: Sequence[Look], number: int, other: Seen, met: Sequence[Totals]) -> Would:
    verdict = other.course.verdicts[0] if other.course.verdicts else None
    code = other.move.code if isinstance(other.move, TurnBack) else None
    saved = difference(met[number], met[-1]) if kind == "home earlier" else NOTHING
    split = other.course.split
    return Would(
        kind=kind,
        at=(other.at - read[0].at).total_seconds(),
        percent=split.share if split else 0,
        code=code,
        metric=verdict.metric if verdict else "",
        why=verdict.why if verdict else getattr(other.move, "why", ""),
        earlier=(read[-1].at - other.at).total_seconds() if kind == "home earlier" else 0.0,
        requests=saved.requests,
        errors=saved.errors,
    )


def _met(rules: Rules, read: Sequence[Look]) -> Iterator[Totals]:
    """What users met of the new release until each look, as the first source counted it."""
    total, last = NOTHING, None
    for look in read:
        assert look.reading is not None
        if not isinstance(look.reading.totals, NoData):
            now = look.reading.totals.get(rules.target, NOTHING)
            if last is not None and look.reading.split.share(rules.target):
                new = difference(last, now)
                total = plus(total, Totals(new.requests, new.errors, {}))
            last = now
        yield total
