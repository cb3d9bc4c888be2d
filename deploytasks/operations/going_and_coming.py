"""A drill of the way back, for real: all traffic to the old color, and forward again, as fast as it goes."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, cast

from .. import interrupt, view
from ..errors import DeployError, GateRefused, WayBackFailed
from ..handing_over import refuse_by_hand
from ..ledger.facts import texts
from ..ports import Color, Split
from ..smoke import run_checks
from ..visitors import Seen, Visitors
from .opening import leased
from .returning import roll_back

if TYPE_CHECKING:
    from ..world import World

STAY = 5.0
"""Seconds that visitors are on the old color, so that somebody notices when it does not serve."""
_DEADLINE = 15.0

Answer = dict[str, Any]


def rehearse(world: World, stay: float = STAY) -> Answer:
    """Go back and come again, under the lease; returns what was measured. Raises ``GateRefused`` without a way back,
    ``WayBackFailed`` when traffic does not come forward again."""
    refuse_by_hand(world.settings)
    with interrupt.caught(), leased(world, "drill: rollback"):
        _finish_an_old_one(world)
        start = _require_a_way_back(world)
        back = cast("Color", start.way_back)
        world.note("drilling", split=list(start), to=back)
        with ExitStack() as stack:
            visitors = _visitors(world, stack)
            seen = visitors.seen if visitors else Seen()
            went = _there(world, start, back, stay)
            lost = visitors.seen.since(seen) if visitors else Seen()
        return {**went, "sent": lost.sent, "lost": lost.lost, "why_lost": lost.why, "counted": visitors is not None}


def would(world: World) -> str:
    """What it does, in words. Raises as ``rehearse``."""
    refuse_by_hand(world.settings)
    start = _require_a_way_back(world)
    there = world.traffic.shift(Split.all_on(cast("Color", start.way_back), None, "back:rollback-planned"))
    return f"would: {there.text}\nwould: {world.traffic.shift(start).text}"


def _require_a_way_back(world: World) -> Split:
    split, open_ = world.traffic.read(), world.ledger.head().standing.open
    if open_ is not None:
        raise GateRefused(
            f"{open_.deployment} is not over", state="nothing was changed", do="`inv status` says who is at work"
        )
    if split.live is None or split.way_back is None:
        raise GateRefused(
            f"there is no way back to rehearse: traffic is at {split.weights()}",
            state="nothing was changed",
            do="`inv deploy` opens one, for as long as `way_back` says; then drill",
        )
    return split


def _there(world: World, start: Split, back: Color, stay: float) -> Answer:
    """To the old color and forward again, whatever happens in between."""
    clock = world.clock
    began = clock.elapsed()
    try:
        returned = roll_back(world, to=back)
        took_back = clock.elapsed() - began
        wrong = _smoke(world, f"on {back}")
        world.wait(stay)
    finally:
        with interrupt.held_off(), world.going_back():
            began = clock.elapsed()
            _forward(world, start)
            took_forward = clock.elapsed() - began
    wrong += _smoke(world, f"on {start.live} again")
    return {
        "from": start.live,
        "to": returned.after.live,
        "seconds_back": round(took_back, 3),
        "seconds_forward": round(took_forward, 3),
        "stayed": stay,
        "wrong": wrong,
    }


def _forward(world: World, to: Split) -> None:
    """Where it all began: the same split, way back and signature. Nothing to do when it never left."""
    if world.traffic.read() == to:
        return
    try:
        world.traffic.shift(to).perform(_DEADLINE)
        seen = world.traffic.read()
    except DeployError as error:
        raise WayBackFailed(
            f"traffic did not come forward again: {error.what}",
            state=f"it is on {to.way_back}, the release before",
            do=f"`inv drill` brings it forward, or stay there: `inv rollback --to {to.way_back} --reason …`",
        ) from error
    if seen != to:
        raise WayBackFailed(f"the balancer shows {seen.weights()} after the way forward was written", do="`inv status`")


def _finish_an_old_one(world: World) -> None:
    """A drill that died on the old color left a note of where traffic belongs."""
    split = world.traffic.read()
    if split.verb != "back":
        return
    last = None
    for event in world.ledger.events():
        if event.kind in ("drilling", "began", "rolled-back"):
            last = event
        elif event.kind == "evidence" and event.facts.get("item") == "drill":
            last = None
    if last is None or last.kind != "drilling" or split.live != last.facts.get("to"):
        return
    of = cast("list[Any]", last.facts["split"])
    view.say(f"a drill died on {split.live}, {last.who}: traffic is brought forward first")
    _forward(world, Split(*of))


def _smoke(world: World, where: str) -> list[str]:
    checks = world.settings.smoke.checks
    return [
        f"{result.name} failed {where}: {result.detail}"
        for result in run_checks(world.traffic.address(), checks)
        if not result.passed
    ]


def _visitors(world: World, stack: ExitStack) -> Visitors | None:
    """Where our own requests are wanted: at the public address, at the pace of the prober."""
    probe = world.settings.sections.get("probe")
    if probe is None:
        return None
    paths = texts(dict(probe.__dict__), "paths") or ["/"]
    rate = float(getattr(probe, "rps", 1.0))
    return stack.enter_context(Visitors(world.traffic.address() + paths[0], rate))
