"""Ask something of the deployment that runs, from wherever one is, and wait a moment for what comes of it.

The ledger carries it: whoever may write there can ask. The lease is not needed, nor is the balancer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from .. import view
from ..errors import GateRefused, Unreachable, UsageError
from ..ledger.event import instant_text
from ..ledger.facts import Facts, part, text, truth, whole
from . import promoting, signing
from .consent import agree
from .opening import open_world

if TYPE_CHECKING:
    from invoke import Context

    from ..ledger import Holding, Open
    from ..ports import Event, Json
    from ..world import World

LOOK = 0.5
"""Seconds between two looks whether there is an answer."""
SLOW_STORE = 5.0
"""Seconds that a deployer may be silent beyond its lease before one says so."""


def control(
    c: Context, env: str | None, verb: str, reason: str | None, *, wait: float, preview: bool, consent: bool, json: bool
) -> None:
    """Ask for ``pause``, ``continue``, ``abort`` or ``promote``. ``wait``: seconds for what comes of it.

    Raises ``GateRefused`` when nothing runs, nobody is at work, or it is not obeyed; ``Unreachable`` when the ledger
    does not answer, or the deployer does not within ``wait``.
    """
    why = signing.one_line(reason or "")
    if not why:
        raise UsageError("why?", do="say --reason: it is recorded, and others will ask")
    need = signing.LEAST if verb == promoting.ACT else ("store", "people")
    world = open_world(c, env, need=need, consent=consent)
    ask(world, verb, why, wait=wait, preview=preview, json=json)


def ask(world: World, verb: str, reason: str, *, wait: float, preview: bool = False, json: bool = False) -> None:
    """The same in an environment that is open."""
    of = running(world)
    if preview:
        view.say(f"would ask {of.deployment} in {world.site.environment} to {verb}: {reason}")
        return
    agree(world, f"{verb.capitalize()} {of.task} {of.version} in {world.settings.name}?")
    asked = _record(world, of, verb, reason)
    answer = world.site.readable({**_told(world, of, verb, reason, asked), **_came(world, of, verb, asked, wait)})
    if answer["obeyed"]:
        view.show("controlled", answer, json)
        return
    if json:
        view.show("controlled", answer, json)
    raise GateRefused(f"{verb} refused: {answer['said']}" if answer["said"] else f"{verb} refused")


def running(world: World) -> Open:
    """The deployment that runs. Raises ``GateRefused`` when there is none, or nobody is at work on it."""
    standing, env = world.ledger.head().standing, world.settings.name
    of = standing.open
    if of is None:
        last = standing.recent[-1] if standing.recent else None
        state = (
            f"the last one, {last.deployment}, ended {last.ended:%Y-%m-%d %H:%M} UTC: {last.outcome}" if last else ""
        )
        raise GateRefused(f"nothing runs in {env}", state=state, do=f"`inv status --env {env}` shows what is live")
    holding, is_dead = _holder(world)
    if holding is None or is_dead:
        who = world.site.readable(of.who)
        raise GateRefused(
            f"nobody is at work on {of.deployment}, which {who} began on {of.host or 'a machine'}: it died there",
            state="nothing was asked; the dead-man's switch takes traffic home, where one is armed",
            do=f"`inv resume --env {env}` goes on with it, `inv rollback --env {env} --reason …` takes it back",
        )
    silent = (world.clock.now() - holding.beat_at).total_seconds() - holding.ttl
    if silent > SLOW_STORE:
        view.say(f"its deployer has shown no sign of life for {silent + holding.ttl:.0f} s; it is asked all the same")
    return of


def _holder(world: World) -> tuple[Holding | None, bool]:
    """Who holds the lease, and whether that process is surely gone."""
    from ..ledger import Holder, holding
    from ..providers.identity import identity, is_alive

    found = holding(world.store, world.scope)
    return found, found is not None and found.is_dead(Holder.here(world.site.who, identity, world.site.host), is_alive)


def _record(world: World, of: Open, verb: str, reason: str) -> Event:
    reason = str(world.recordable({"reason": reason})["reason"])
    facts: dict[str, Json] = {"verb": verb, "reason": reason, "deployment": of.deployment}
    if verb == promoting.ACT:
        began = world.ledger.event(of.number)
        commit = text(began.facts, "commit") if began else ""
        facts |= promoting.signed(world, of.deployment, reason, commit)
    if world.recordable(facts) != facts:
        raise UsageError("what would be recorded holds a secret, or the name of somebody", state="nothing was asked")
    event = world.note("asked", **facts)
    if event is None:
        raise Unreachable("the ledger did not take it", state="nothing was asked", do="`inv doctor`")
    return event


def _told(world: World, of: Open, verb: str, reason: str, asked: Event) -> dict[str, Any]:
    return {
        "environment": world.site.environment,
        "deployment": of.deployment,
        "version": of.version,
        "verb": verb,
        "reason": reason,
        "who": text(asked.facts, "signer") or asked.who,
        "at": instant_text(asked.at),
        "asked": asked.number,
    }


# -- what comes of it ------------------------------------------------------------------------------------------


def _came(world: World, of: Open, verb: str, asked: Event, wait: float) -> dict[str, Any]:
    """Whether it is obeyed and how that is said; of an abort, how the deployment ended, too, where that is soon."""
    until = world.clock.elapsed() + wait
    events = _following(world, asked.number, lambda: world.clock.elapsed() < until)
    answer: dict[str, Any] | None = None
    for event in events:
        if text(event.facts, "deployment") != of.deployment:
            continue
        answer = answer or answered(event, asked.number)
        if answer and (verb != "abort" or not answer["obeyed"]):
            return answer
        if event.kind == "ended":
            return ended(event, verb, answer)
    if answer:
        return {**answer, "said": f"{answer['said']}; not yet at its end"}
    holding, _ = _holder(world)
    busy = f" (it is at: {holding.doing})" if holding else ""
    raise Unreachable(
        f"no answer within {wait:g} s{busy}",
        state=f"it is recorded as event {asked.number}, and is obeyed as soon as the deployer hears it",
        do=f"`inv status --env {world.settings.name}`; `inv rollback --reason …` waits for nobody",
    )


def _following(world: World, number: int, is_time: Callable[[], bool]) -> Iterator[Event]:
    """The events after a number, as they come."""
    while True:
        event = world.ledger.event(number + 1)
        if event is not None:
            number = event.number
            yield event
        elif is_time():
            world.clock.sleep(LOOK)
        else:
            return


def answered(event: Event, asked: int) -> dict[str, Any] | None:
    """What an event says came of what event ``asked`` asked: a reading that carried it, or an answer without one."""
    found: Facts = part(event.facts, "answer") if event.kind == "reading" else event.facts
    if event.kind not in ("reading", "answered") or whole(found, "asked") != asked:
        return None
    return {"obeyed": truth(found, "obeyed"), "said": text(found, "said")}


def ended(event: Event, verb: str, answer: dict[str, Any] | None) -> dict[str, Any]:
    """What the end of the deployment says of what was asked before."""
    outcome, code, why = text(event.facts, "outcome"), whole(event.facts, "code"), text(event.facts, "why")
    told = f"{outcome}, code {code}: {why}" if why else f"{outcome}, code {code}"
    if answer is None and not (verb == "abort" and why.startswith("abort by ")):
        return {"obeyed": False, "said": f"too late, the deployment is over: {told}", "outcome": outcome, "code": code}
    return {"obeyed": True, "said": told, "outcome": outcome, "code": code}
