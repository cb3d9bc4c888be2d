"""One simulated deployment from its baseline to its end: the fold makes the moves, the world is made up."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Literal, NamedTuple

from ..rollout import Course, Finish, Move, Rules, Shift, Stop, TurnBack, Wait, advance, start
from .scene import Scene
from .world import World

Kind = Literal["baseline", "shift", "bake", "hold", "paused", "warning", "taken back", "held", "finished"]


class Moment(NamedTuple):
    """Something worth telling: at ``at`` seconds, with ``percent`` of the traffic on the new release.

    ``requests`` and ``errors`` are what the new release had from users until then, as far as the metrics showed it; at
    the end, all of it.
    """

    at: float
    percent: int
    kind: Kind
    why: str
    requests: int = 0
    errors: int = 0


class Run(NamedTuple):
    """How one deployment went. Times in seconds since its rollout began."""

    seed: int
    code: int
    """0: it finished; 4: judged bad; 6: it went home for want of evidence."""
    ended: float
    percent: int
    """Of the traffic, on the new release, when it ended."""
    shifted: float | None
    """When users met the new release for the first time."""
    onset: float | None
    """When its fault began; ``None``: never."""
    requests: int
    """Users' requests to the new release."""
    errors: int
    """Those of them that were answered with an error."""
    metric: str
    why: str
    moments: tuple[Moment, ...]

    @property
    def took(self) -> float | None:
        """Seconds from when users could meet the fault until traffic went home; ``None``: it did not, or never began.
        One that is found out before it has any traffic takes none."""
        if self.code == 0 or self.onset is None:
            return None
        return 0.0 if self.shifted is None else max(0.0, self.ended - max(self.onset, self.shifted))


def play(rules: Rules, scene: Scene, seed: int) -> Run:
    """The deployment that this seed makes: the same one each time."""
    world = World(rules, scene, Random(seed))  # noqa: S311  chance, and no secret
    course = start(rules, world.at)
    moments = [Moment(0.0, 0, "baseline", f"{rules.home or rules.target} is read, nothing is shifted")]
    while True:
        before = course
        course, move = advance(rules, before, world.reading())
        match move:
            case Shift(percent=percent, why=why):
                world.shift(percent)
                moments.append(_moment(world, "shift", why))
            case Wait(seconds=seconds):
                moments.extend(_told(world, before, course))
                world.wait(seconds)
            case _:
                return _run(world, seed, move, moments)


def _told(world: World, before: Course, after: Course) -> Iterator[Moment]:
    """What is new in a course that goes on."""
    for warning in after.warnings[len(before.warnings) :]:
        yield _moment(world, "warning", warning.why)
    if after.phase == "bake" and before.phase != "bake":
        yield _moment(world, "bake", after.verdicts[0].why)
    if after.pause and not before.pause:
        yield _moment(world, "paused", f"by {after.pause.who}, {after.pause.reason}")
    if after.held and not before.held:
        yield _moment(world, "hold", after.verdicts[0].why)


def _moment(world: World, kind: Kind, why: str) -> Moment:
    return Moment(world.now, world.share, kind, why, world.met.requests, world.met.errors)


def _run(world: World, seed: int, move: Move, moments: list[Moment]) -> Run:
    """The end, with all that users met until then, whether it shows yet or not."""
    world.serve(world.now)
    code, metric, why = _meaning(move)
    kind: Kind = "taken back" if code == 4 else "held" if code else "finished"
    moments.append(_moment(world, kind, why))
    return Run(
        seed, code, world.now, world.share, world.shifted, world.onset, world.met.requests, world.met.errors,
        metric, why, tuple(moments),
    )  # fmt: skip


def _meaning(move: Move) -> tuple[int, str, str]:
    match move:
        case Finish(verdict=verdict):
            return 0, verdict.metric, verdict.why
        case TurnBack(verdict=verdict, code=code):
            return code, verdict.metric, verdict.why
        case Stop(why=why):
            raise AssertionError(f"nobody else is there to move traffic: {why}")
        case _:
            raise AssertionError(f"{move} ends nothing")
