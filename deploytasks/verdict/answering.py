"""What came of something that a person asked of a rollout, from the course before and after the reading that carried
it. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from ..ports import Command, Json, Reading
from .course import Course, Finish, Move, Shift, Stop, TurnBack
from .rules import Rules


class Answered(NamedTuple):
    """To which event (``asked``), which verb, whether it is obeyed, and a sentence for who asked."""

    asked: int
    verb: str
    obeyed: bool
    said: str

    def to_json(self) -> dict[str, Json]:
        """All fields by name."""
        return dict(self._asdict())


def answer(rules: Rules, before: Course, after: Course, reading: Reading, move: Move) -> Answered:
    """What is said to who asked what this reading carries. Raises ``ValueError`` for one that carries nothing."""
    command = reading.command
    if command is None:
        raise ValueError("nobody asked anything")
    obeyed, said = _ended(command, move) or _SAY[command.verb](rules, before, after, reading, move)
    return Answered(command.number, command.verb, obeyed, said)


def cut_short(rules: Rules, before: Course, after: Course, reading: Reading) -> tuple[str, str] | None:
    """What was not watched for as long as the rules say, and by whose word; ``None`` when that is not so."""
    command = reading.command
    if command is None or command.verb != "promote" or not _went_on(before, after):
        return None
    left = (before.due(rules) - reading.at).total_seconds()
    if left <= 0:
        return None
    return f"the watch of {before.title(rules)}", f"promoted {_span(left)} early by {command.who}: {command.reason}"


def told(rules: Rules, course: Course) -> str:
    """Where it is; of a pause, by whom, why and until when."""
    if course.paused is None or course.pause is None:
        return course.title(rules)
    until = _clock(course.paused + timedelta(seconds=rules.pause))
    return f"paused at {course.title(rules)} by {course.pause.who} ({course.pause.reason}), goes home at {until}"


def _ended(command: Command, move: Move) -> tuple[bool, str] | None:
    """Where the rollout ends with this very reading."""
    match move:
        case TurnBack(verdict=verdict):
            own = command.verb == "abort" and verdict.metric == "abort"
            return own, f"all traffic goes home: {verdict.why}"
        case Stop(why=why):
            return False, why
        case Finish() if command.verb != "promote":
            return False, "too late: the rollout is through"
        case _:
            return None


def _paused(rules: Rules, before: Course, after: Course, reading: Reading, move: Move) -> tuple[bool, str]:
    if after.paused is None or after.pause is None:
        return _undecided(move)
    until = after.paused + timedelta(seconds=rules.pause)
    by = f"already by {after.pause.who} ({after.pause.reason}), " if before.paused else ""
    return True, f"paused {by}at {after.title(rules)}; goes home at {_clock(until)} unless continued"


def _continued(rules: Rules, before: Course, after: Course, reading: Reading, move: Move) -> tuple[bool, str]:
    if before.paused is None:
        return False, f"nothing is paused: it is at {after.title(rules)}"
    if isinstance(move, Shift):
        return True, f"goes on: {move.percent} % next"
    left = (after.due(rules) - reading.at).total_seconds()
    return True, f"goes on: {after.title(rules)}" + (f", {_span(left)} left" if left > 0 else "")


def _promoted(rules: Rules, before: Course, after: Course, reading: Reading, move: Move) -> tuple[bool, str]:
    if isinstance(move, Finish):
        return True, f"promoted: {before.title(rules)} was the last"
    if _went_on(before, after):
        return True, f"promoted: {before.title(rules)} is over, {after.title(rules)} begins"
    return _undecided(move)


def _undecided(move: Move) -> tuple[bool, str]:
    return False, getattr(move, "why", "") or "it could not be obeyed now: ask again"


def _went_on(before: Course, after: Course) -> bool:
    at = (before.phase, before.stage), (after.phase, after.stage)
    return at[0] != at[1] or isinstance(after.ended, Finish)


def _clock(at: datetime) -> str:
    return f"{at:%H:%M:%S} UTC"


def _span(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


_SAY = {"pause": _paused, "continue": _continued, "promote": _promoted, "abort": lambda *of: _undecided(of[-1])}
