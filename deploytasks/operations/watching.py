"""Watch a color as a rollout would, and change nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from .. import view
from ..errors import NotEnoughEvidence, TakenBack, UsageError
from ..ports import Color, Split
from ..rollout import Course, Finish, Rules, Shift, Stop, TurnBack, Wait, advance, start
from ..rules import rollout_rules
from ..steps.roll_out import probing
from ..verdict import LADDER

if TYPE_CHECKING:
    from ..world import World


def watch(world: World, color: Color | None, length: float) -> None:
    """Read for ``length`` seconds; raise ``TakenBack`` (code 4) when a rollout would have gone home.

    The fold sees the split as its own: whoever moves traffic meanwhile is somebody's business, not ours.
    """
    live = color or world.traffic.read().live
    if live is None:
        raise UsageError("traffic is shared: say which --color to watch")
    rules = rollout_rules(world.settings, "watch", None, live, (100,), watch=length)
    rules = replace(rules, bake=0.0, baseline=0.0)
    seen = Split.all_on(None, None, rules.writer)
    course = start(rules, world.clock.now())
    with probing(world):
        _follow(world, rules, course, seen, live)


def _follow(world: World, rules: Rules, course: Course, seen: Split, live: Color) -> None:
    while True:
        reading = world.observe(course.started, LADDER)._replace(split=seen)
        course, move = advance(rules, course, reading)
        view.reading(course, reading)
        match move:
            case Shift():
                seen = Split.all_on(live, None, rules.writer)
            case Wait(seconds=seconds):
                world.wait(seconds)
            case Finish(verdict=verdict):
                view.say(verdict.why)
                return
            case TurnBack(verdict=verdict, code=code):
                raise (NotEnoughEvidence if code == 6 else TakenBack)(verdict.why)
            case Stop(why=why):
                raise UsageError(why)
