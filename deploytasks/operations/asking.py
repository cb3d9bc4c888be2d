"""Ask something of an environment, show the answer, and leave with the code that it means."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from .. import view
from ..at_once import at_once
from ..errors import OverThreshold, Unreachable, UsageError
from ..ports import COLORS, Color, other
from ..smoke import Result, addresses, run_checks
from . import answers
from .opening import open_world

if TYPE_CHECKING:
    from invoke import Context

    from ..world import World


def smoke(c: Context, env: str | None, color: str | None, *, preview: bool, json: bool) -> None:
    """Run the smoke checks; ``OverThreshold`` when one fails."""
    world = open_world(c, env, need=("traffic", "fleet", "smoke"))
    bases = addresses(world.fleet, chosen(world, color)) if color else {"": world.traffic.address()}
    if preview:
        for base in bases.values():
            for check in world.settings.smoke.checks:
                view.say(f"would ask: GET {base}{check.path}")
        return
    base = ", ".join(bases.values())
    answer = answers.smoke(base, _checked(world, bases))
    view.show("smoke", answer, json)
    if not answer["passed"]:
        failed = [check["name"] for check in answer["checks"] if not check["passed"]]
        raise OverThreshold(f"smoke checks failed at {base}: {', '.join(failed)}")


def _checked(world: World, bases: Mapping[str, str]) -> Sequence[Result]:
    """All checks at all addresses; of several hosts, each with the host's name."""
    works = [partial(run_checks, base, world.settings.smoke.checks) for base in bases.values()]
    found: list[Result] = []
    for host, came in zip(bases, at_once(works, world.settings.parallel), strict=True):
        if came.error is not None:
            raise came.error
        found += [one._replace(name=f"{host}: {one.name}") if len(bases) > 1 else one for one in came.value or ()]
    return found


def warm_up(c: Context, env: str | None, color: str | None, *, preview: bool) -> None:
    """Send the warm-up requests to a color (default: the idle one, or the live one when nothing idles)."""
    from ..steps import WarmUp

    world = open_world(c, env, need=("traffic", "fleet", "warm_up"))
    live = world.traffic.read().live
    target = chosen(world, color) if color else other(live or "green")
    settings = world.settings.warm_up
    step = WarmUp(target, settings.paths, settings.requests)
    for batch in step.calls(world):
        for call in batch:
            view.say(f"would: {call.text}" if preview else call.text)
    if not preview:
        world.perform(step.calls(world), step.deadline)


def chosen(world: World, color: str) -> Color:
    """The color that was typed: ``blue``, ``green``, or ``live`` and ``idle`` as traffic is now."""
    for known in COLORS:
        if color == known:
            return known
    live = world.traffic.at_rest().live if color in ("live", "idle") else None
    if live:
        return live if color == "live" else other(live)
    raise UsageError(f"there is no color {color!r} now", do="say blue, green, live or idle")


FORMATS = ("text", "csv", "json", "html")


class Wanted(NamedTuple):
    """Which part of the past, and how it is to be shown."""

    form: str = "text"
    since: str | None = None
    until: str | None = None
    verify: bool = False
    expect: str | None = None
    limit: int = 0
    out: str | None = None


def form(given: str | None, *, json: bool) -> str:
    """The format that was typed. Raises ``UsageError`` for one that is none, or two at once."""
    found = given or "text"
    if found not in FORMATS:
        raise UsageError(f"--format {found!r} is none", do=f"choose one of: {', '.join(FORMATS)}")
    if json and found not in ("text", "json"):
        raise UsageError(f"--json and --format {found} at once?", do="say one of them")
    return found


def history(c: Context, env: str | None, wanted: Wanted, *, json: bool) -> None:
    """Show what happened, verify the chain, or export it for an audit; ``OverThreshold`` when it was tampered with."""
    if wanted.form != "text":
        from .auditing import export

        return export(c, env, wanted)
    if wanted.out:
        raise UsageError("--out needs a format", do="say --format csv, json or html; the whole ledger: --export")
    world = open_world(c, env, need=("store",))
    if not wanted.verify:
        view.show("history", answers.history(world, wanted.limit or None, wanted.since, wanted.until), json)
        return None
    return _verify(world, wanted.expect, json=json)


def _verify(world: World, expect: str | None, *, json: bool) -> None:
    world.spool.drain(world.ledger)
    answer = answers.verification(world, world.ledger.verify(expect))
    view.show("verification", answer, json)
    if not answer["ok"]:
        raise OverThreshold(
            f"the ledger of {world.scope} was changed: {'; '.join(answer['problems'])}",
            do="keep a copy of it as it is, and find out who had access",
        )


def doctor(c: Context, env: str | None, *, json: bool) -> None:
    """Diagnose every port; ``Unreachable`` when something is broken."""
    world = open_world(c, env)
    answer = answers.doctor(world)
    view.show("doctor", answer, json)
    broken = [finding["subject"] for finding in answer["findings"] if finding["state"] == "fail"]
    if broken:
        raise Unreachable(f"not well: {', '.join(broken)}", state="nothing was changed")
