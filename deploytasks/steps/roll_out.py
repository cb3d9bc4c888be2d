"""The whole rollout, bake included: one step around the fold in ``deploytasks.rollout``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from ..engine.step import Step
from ..errors import NotEnoughEvidence, SplitMoved, TakenBack, Unreachable, WayBackFailed
from ..ports import Color, Split, other
from ..rollout import (
    Course,
    Finish,
    Move,
    Rules,
    Shift,
    Stop,
    TurnBack,
    Wait,
    advance,
    again,
    outlook,
    reading_from_json,
    reading_to_json,
    start,
)
from ..verdict.answering import answer, cut_short, told
from ..verdict.course import worded
from ..verdict.ladder import LADDER
from .balancer import Arm
from .finding import found_healthy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..ports import Calls, Event, Json, Reading
    from ..world import World

_BLIND = 3
"""Consecutive looks at which the balancer itself did not answer, before traffic goes home."""


class Silence(NamedTuple):
    """How long what we depend on has been silent: the ledger since (elapsed seconds), the balancer how often."""

    ledger: float | None = None
    balancer: int = 0


@dataclass(frozen=True)
class RollOut(Step):
    """Shift traffic in stages, watching all the time; raise when it has to go home.

    Its undo is one absolute write. Every reading is recorded, so that a resumed deployment replays readings,
    never actions.
    """

    name = "roll out"
    deadline = 8.0
    moves_traffic = True
    exposes = True
    starts_over = True

    rules: Rules
    deployment: str
    ends_home: bool = False
    """A share that was tried by hand: when the watch is over, traffic goes home."""

    @property
    def home(self) -> Split:
        """Where traffic goes when this is taken back."""
        return Split.all_on(self.rules.home, None, f"back:{self.deployment}")

    def split(self, percent: int) -> Split:
        """The split with ``percent`` on the new release."""
        if self.rules.home is None:
            return Split.all_on(self.rules.target, None, self.rules.writer)
        return Split.partly_on(self.rules.target, percent, self.rules.home, self.rules.writer)

    def calls(self, world: World) -> Calls:
        """Every shift of a healthy rollout, in order; what really runs is decided reading by reading."""
        ahead = [[world.traffic.shift(self.split(percent))] for percent in self.rules.path]
        return [*ahead, [world.traffic.shift(self.home)]] if self.ends_home else ahead

    def undo(self, world: World) -> Calls:
        """All traffic home, in one write. To the new release only when home is down and the new one is not.

        A balancer that does not say where traffic is may take the write all the same. What somebody else wrote
        is not written over: ``SplitMoved``, unless it is home.
        """
        try:
            seen = world.traffic.at_rest()
        except Unreachable:
            return [[world.traffic.shift(self.home)]]
        if seen == self.home or self._is_foreign_home(seen):
            return ()
        color = self.rules.home
        if color is not None and not world.fleet.health(color).is_usable:
            self._stay_if_better(world, color)
        return [[world.traffic.shift(self.home)]]

    def _is_foreign_home(self, seen: Split) -> bool:
        if seen.deployment == self.deployment:
            return False
        if (seen.blue, seen.green) == (self.home.blue, self.home.green):
            return True
        raise SplitMoved(f"{seen.writer or 'somebody'} sent traffic to {seen.weights()}: there it stays")

    def _stay_if_better(self, world: World, home: Color) -> None:
        refuge = other(home)
        if not world.fleet.health(refuge).is_usable:
            return
        world.perform([[world.traffic.shift(Split.all_on(refuge, None, f"back:{self.deployment}"))]], self.deadline)
        raise WayBackFailed(
            f"{home}, the way home, is not healthy",
            state=f"all traffic is on {refuge}, which answers",
            do=f"mend {home}, then `inv rollback --to {home} --reason …`",
        )

    def do(self, world: World, past: Sequence[Event]) -> None:
        """Advance the fold, one reading after the other, until it finishes or turns back."""
        with probing(world), world.obedient():
            course = self._course(world, past)
            since, silence = course.started, Silence()
            while True:
                reading, silence = self._look(world, since, silence)
                if reading is not None:
                    ahead, move = advance(self.rules, course, reading)
                    silence = self._record(world, reading, (course, ahead), move, silence)
                    if silence.ledger is None or isinstance(move, TurnBack | Stop):
                        course = ahead
                        if self._obey(world, move, reading):
                            return
                        continue
                world.wait(self.rules.poll)

    def _course(self, world: World, past: Sequence[Event]) -> Course:
        """A new course; or, after a death, the one that the recorded readings lead to."""
        split = world.traffic.read()
        if split.writer != self.rules.writer:
            raise SplitMoved(
                f"someone else wrote to the balancer: {split.weights()}, written by {split.writer or 'nobody we know'}",
                state="nothing more was touched",
                do="`inv status` says who; `inv deploy` starts again from there",
            )
        if not (split.is_mixed or split.live == self.rules.target):
            return start(self.rules, world.clock.now())
        course: Course | None = None
        for event in past:
            if event.kind == "reading":
                reading = reading_from_json(cast("Mapping[str, Any]", event.facts["reading"]))
                course, _ = advance(self.rules, course or start(self.rules, reading.at), reading)
            elif event.kind == "watching again" and course:
                course = again(self.rules, course, event.at)
            elif event.kind == "ended":
                course = None
        if course is None:
            return start(self.rules, world.clock.now())
        noted = world.note("watching again")
        return again(self.rules, course, noted.at if noted else world.clock.now())

    def _look(self, world: World, since: object, silence: Silence) -> tuple[Reading | None, Silence]:
        try:
            return world.observe(since, LADDER), silence._replace(balancer=0)
        except Unreachable as error:
            if silence.balancer + 1 >= _BLIND:
                raise TakenBack(f"the balancer stopped answering: {error.what}", do="`inv doctor`") from error
            return None, silence._replace(balancer=silence.balancer + 1)

    def _record(
        self, world: World, reading: Reading, courses: tuple[Course, Course], move: Move, silence: Silence
    ) -> Silence:
        """Keep the reading, with what it makes of the course (before, after) and of what somebody asked."""
        before, after = courses
        facts: dict[str, Json] = {
            "reading": reading_to_json(reading),
            "move": worded(move),
            "outlook": outlook(self.rules, after, reading.at).to_json(),
        }
        if reading.command:
            facts["answer"] = answer(self.rules, before, after, reading, move).to_json()
        try:
            world.note("reading", **facts)
            world.orders.obeyed(reading.command)
            self._own_up(world, courses, reading)
            return silence._replace(ledger=None)
        except Unreachable as error:
            now = world.clock.elapsed()
            began = now if silence.ledger is None else silence.ledger
            patience = world.lease.ttl / 2 if world.lease else self.rules.missing
            if now - began >= patience:
                raise TakenBack(f"the ledger has been silent for {now - began:.0f} s: {error.what}") from error
            return silence._replace(ledger=began)

    def _own_up(self, world: World, courses: tuple[Course, Course], reading: Reading) -> None:
        """Say openly that somebody pauses it; and, until the end, that somebody has cut a watch short."""
        before, after = courses
        if (after.paused is None) != (before.paused is None) and not after.ended:
            world.doing(f"{self.label}: {told(self.rules, after)}")
        if said := cut_short(self.rules, before, after, reading):
            world.overridden += (": ".join(said),)
            world.note("overridden", items=[list(said)], promoted=True)

    def _obey(self, world: World, move: Move, reading: Reading) -> bool:
        """Do what the fold says; true when the rollout is over."""
        match move:
            case Shift(percent=percent):
                self._expose(world, self.split(percent), reading.split)
            case Wait(seconds=seconds):
                world.wait(seconds, heeding=True)
            case Finish():
                if self.ends_home:
                    self._shift(world, self.home, reading.split)
                return True
            case TurnBack(verdict=verdict, code=code):
                raise NotEnoughEvidence(verdict.why) if code == NotEnoughEvidence.exit_code else TakenBack(verdict.why)
            case Stop(why=why):
                raise SplitMoved(
                    f"someone else moved traffic: {why}",
                    state=f"traffic is at {reading.split.weights()}; nothing more was touched",
                    do="`inv status` says who; `inv deploy` starts again from there",
                )
        return False

    def _expose(self, world: World, to: Split, seen: Split) -> None:
        """A shift on the way there. Who gets traffic for the first time is found healthy before; where nothing was
        exposed the balancer looks only from then on, so afterwards too."""
        is_new = not seen.share(self.rules.target)
        if is_new:
            found_healthy(world, self.rules.target)
        self._shift(world, to, seen)
        if is_new and seen.live is None:
            found_healthy(world, self.rules.target)

    def _shift(self, world: World, to: Split, seen: Split) -> None:
        world.note("shifting", split=list(to))
        world.doing(f"shift to {to.weights()}")
        world.perform([*self._armed(world), [world.traffic.shift(to, expect=seen)]], self.deadline)
        world.note("shifted", split=list(world.traffic.read()))

    def _armed(self, world: World) -> Calls:
        """The switch once more, before each shift: a watchdog that lives is kept, one that died is replaced."""
        return Arm(self.home._replace(writer=f"deadman:{self.deployment}"), self.deployment).calls(world)

    def settled(self, world: World) -> bool:
        """Everything is where the rollout ends, whatever this deployment signed since."""
        end = self.home if self.ends_home else self.split(self.rules.path[-1])
        found = world.traffic.read()
        return found._replace(writer=end.writer) == end and found.deployment == self.deployment


@contextmanager
def probing(world: World) -> Iterator[None]:
    """Our own requests, where they are configured, as long as the body runs."""
    if world.prober is None:
        yield
        return
    world.prober.start()
    try:
        yield
    finally:
        world.prober.stop()
