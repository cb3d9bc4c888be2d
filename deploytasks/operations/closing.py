"""Close the site with a page, open it again; and stop what the embedded environment started."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import view
from ..errors import GateRefused, UsageError
from ..ports import COLORS, Calls, Notice
from ..settings.several import parts
from . import answers
from .consent import agree
from .opening import leased, open_world

if TYPE_CHECKING:
    from invoke import Context

    from ..world import World


def maintenance(
    c: Context,
    env: str | None,
    action: str,
    message: str,
    retry_after: int,
    *,
    preview: bool,
    consent: bool,
    json: bool,
) -> None:
    """``enable``, ``disable`` or ``status``. Needs no lease: it is an emergency brake."""
    from .. import interrupt

    world = open_world(c, env, need=("traffic", "fleet", "maintenance", "store"), consent=consent, tells=True)
    if world.maintenance is None:
        raise GateRefused("no maintenance page is configured", do="add `maintenance:` to the environment")
    if action == "status":
        view.show("maintenance", answers.maintenance(world), json)
        return
    if action not in ("enable", "disable"):
        raise UsageError(f"{action!r} is not an action", do="say enable, disable or status")
    notice = _notice(world, message, retry_after) if action == "enable" else None
    call = world.maintenance.write(notice)
    if preview:
        view.say(f"would: {call.text}")
        return
    with interrupt.held_off():
        world.perform([[call]], 15.0)
        with world.going_back():
            world.note("maintenance", on=notice is not None, message=message, retry_after=retry_after)
    view.show("maintenance", answers.maintenance(world), json)


def _notice(world: World, message: str, retry_after: int) -> Notice:
    """What was said, or else what is configured."""
    of = parts(world.settings.sections["maintenance"])[0]
    text = message or str(getattr(of, "message", ""))
    seconds = retry_after or int(getattr(of, "retry_after", 300))
    return Notice(text, seconds, world.clock.now(), world.site.who)


def shut_down(world: World, *, preview: bool) -> None:
    """Stop the switch, both colors and the balancer, in this order; only what is ours."""
    calls: list[Calls] = [[[world.deadman.disarm()]]] if world.deadman else []
    calls += [world.traffic.shut_down(), *(world.fleet.stop(color) for color in COLORS)]
    if preview:
        for batch in (batch for each in calls for batch in each):
            view.say("\n".join(f"would: {call.text}" for call in batch))
        return
    agree(world, f"Stop everything in {world.settings.name}, the balancer and both colors?")
    with leased(world, "down"):
        for each in calls:
            world.perform(each, 30.0)
        world.note("note", text="everything that the embedded environment started was stopped")
    view.say(f"{world.settings.name} is down; data, releases and ledger stay")
