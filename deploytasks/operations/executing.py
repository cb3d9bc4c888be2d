"""Run a plan that was made, record how it began and ended, and turn its outcome into an exit code."""

from __future__ import annotations

import socket
from contextlib import suppress
from typing import TYPE_CHECKING

from .. import redaction, view
from ..ci import here
from ..engine.plan import Plan, to_json
from ..engine.progress import Progress
from ..engine.run import Outcome, run
from ..errors import Aborted, DeployError, LeaseLost, NotEnoughEvidence, TakenBack, UsageError, WayBackFailed

if TYPE_CHECKING:
    from datetime import datetime

    from ..ports import Json, Release
    from ..world import World


def execute(world: World, plan: Plan, past: Progress, task: str, first: int = 0) -> Outcome:
    """Record the whole plan, run it, record the end. After a lost lease nothing more is recorded.

    ``first``: the number of the event with which a resumed deployment began.
    """
    refuse_secrets(plan)
    host = world.site.host or socket.gethostname()
    aside: dict[str, Json] = {"aside": dict(world.aside)} if world.aside else {}
    job = here()
    told: dict[str, Json] = {"run": job.url} if job and job.url else {}
    planned: dict[str, Json] = {"planned": _handed_over(world)} if world.planned else {}
    began = world.note(
        "began",
        task=task,
        who=world.site.who,
        host=host,
        color=plan.color,
        plan=to_json(plan),
        first=first,
        **_described(world, plan.release),
        **told,
        **aside,
        **planned,
    )
    outcome = _run(world, plan, past, began.number if began else 0)
    if not isinstance(outcome.error, LeaseLost):
        end(world, outcome)
    if outcome.code == 0 and any(step.name == "settle" for step in plan.steps):
        from .retaining import tidy  # only a deployment that went well needs it

        tidy(world)
    return outcome


def _run(world: World, plan: Plan, past: Progress, number: int) -> Outcome:
    """Run it, hearing what people ask meanwhile. ``number``: of the event with which it begins now: what was asked
    before was asked of somebody else."""
    from .listening import listening  # a rollback needs none of it
    from .living import life

    world.orders.expect(rollout=any(step.moves_traffic and step.label not in past.done for step in plan.steps))
    with listening(world, number, plan.release.commit if plan.release else "", past.events) as ask:
        for listener in world.listeners:
            with suppress(Exception):  # whoever listens must never stop a deployment
                take_orders = getattr(listener, "take_orders", None)
                if take_orders is not None:
                    take_orders(ask)
                show_life, signs = getattr(listener, "show_life", None), life(world)
                if show_life is not None and signs is not None:
                    show_life(signs)
        return run(plan, world, past)


def _handed_over(world: World) -> dict[str, Json]:
    """The plan that is carried out, who made and who approved it."""
    of = world.planned
    return {**of._asdict(), "author": world.site.recorded(of.author)} if of else {}


def refuse_secrets(plan: Plan) -> None:
    """A plan is recorded word for word: a command in it must name a secret's variable, not hold its value."""
    for step in plan.steps:
        for field in ("command", "reverse"):
            text = getattr(step, field, None)
            if isinstance(text, str) and redaction.clean(text) != text:
                raise UsageError(
                    f"the command of `{step.label}` holds the value of a secret",
                    state="nothing was changed",
                    do="write the name of its environment variable instead, as the shell expands it",
                )


def _described(world: World, release: Release | None) -> dict[str, Json]:
    """What is deployed, with what the changelog says about it there."""
    if release is None:
        return {}
    from .notes import carried

    of, notes = release, carried(world, release)
    known: dict[str, Json] = {"version": of.version, "digest": of.digest, "release": of.name, "commit": of.commit}
    known |= {"notes": notes} if notes else {}
    return known | ({"committed": at.isoformat()} if (at := _committed(world, of)) else {})


def _committed(world: World, release: Release) -> datetime | None:
    """When its commit was made, where it is known here: how long changes take to get out is counted from it."""
    from ..release.commits import committed

    try:
        return committed(world.site.root, release.commit)
    except (DeployError, OSError):
        return None


def end(world: World, outcome: Outcome) -> None:
    """Record how the deployment ended; best effort, for its effects are in the world already."""
    with world.going_back():
        world.note(
            "ended",
            outcome=outcome.word,
            code=outcome.code,
            why=outcome.why,
            seconds=round(outcome.seconds, 1),
            left=list(outcome.left),
            resumable=outcome.resumable,
        )


def concluded(world: World, plan: Plan, outcome: Outcome) -> Outcome:
    """Show the last lines, and raise the error that the outcome means, unless it went well."""
    view.conclude(world, plan, outcome)
    if outcome.code == 0:
        return outcome
    error = _error(outcome)
    if isinstance(error, DeployError):
        error.told = True
    raise error from (None if error is outcome.error else outcome.error)


def _error(outcome: Outcome) -> BaseException:
    left = "; ".join(outcome.left)
    if outcome.code == WayBackFailed.exit_code:
        state = f"could not be taken back: {left}" if left else "nothing is exposed to users any more"
        return WayBackFailed(outcome.why, state=state, do="`inv status`, `inv doctor`; act now")
    taken_back = f"taken back, but for: {left}" if left else "all that can be was taken back"
    if isinstance(outcome.error, Aborted):
        return TakenBack(outcome.why, state=taken_back)
    if outcome.word == "taken back" and isinstance(outcome.error, DeployError):
        return TakenBack(outcome.error.what, state=taken_back, do=outcome.error.do)
    if outcome.word == "held":
        state = "all traffic is home; the release stays installed"
        return NotEnoughEvidence(outcome.why, state=state, do="`inv resume` tries again")
    return outcome.error or DeployError(outcome.why)
