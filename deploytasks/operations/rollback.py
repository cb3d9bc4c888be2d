"""The whole of ``inv rollback``: traffic first, then everything else."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from .. import interrupt, view
from ..errors import DeployError, GateRefused, NotEnoughEvidence, SettingsError, UsageError, WayBackFailed
from ..ports import COLORS, Color, Split
from .consent import agree
from .opening import is_somebody_told, open_world
from .recording import Recording
from .returning import Returned, known, roll_back, target_of

if TYPE_CHECKING:
    from invoke import Context

    from ..world import World

_PATIENCE = 1.0
"""Seconds that a rollback to a color that somebody names waits for the ledger."""


def rollback(
    c: Context,
    env: str | None,
    reason: str | None,
    *,
    to: str | None,
    preview: bool,
    consent: bool,
    force: bool,
    database: bool,
    watch: bool,
) -> None:
    """The whole of ``inv rollback``: traffic first, then everything else."""
    if not reason and not preview:
        raise UsageError("why?", do="say --reason: it is recorded, and others will ask")
    world, mistakes = _opened(c, env, consent=consent, watch=watch, database=database)
    color = None if to is None else _color(to)
    if preview:
        view.say(_would(world, color))
        if database:
            from .reversing import preview as would_reverse

            view.say("\n".join(would_reverse(world)))
        return
    agree(world, f"Roll {world.settings.name} back?", "traffic was not moved")
    returned = _go_back(world, color, reason or "", force=force, patience=2.0 if watch else None)
    _tell(world, stays=database or (watch and returned.changed and not mistakes))
    _say_who_is_ill(world, returned)
    if database:
        from .reversing import reverse

        reverse(world)
    if mistakes:
        view.say(f"traffic was not watched afterwards, and the dead-man's switch was not looked after: {mistakes}")
    elif watch and returned.changed:
        _watch(world, returned.after.live)


def _go_back(world: World, to: Color | None, reason: str, *, force: bool, patience: float | None) -> Returned:
    """Traffic first; then it is recorded, whatever came of it."""
    try:
        with interrupt.held_off(), Recording(world, patience=patience) as recording:
            if to is not None and not force:
                _require_was_live(world, to, recording)
            try:
                returned = roll_back(world, to=to, force=force)
            except WayBackFailed as error:
                recording.failed(error, reason)
                raise
            recording.record(returned, reason)
            view.returned(returned, world, reason or "")
    except WayBackFailed:
        _tell(world, stays=False)
        raise
    if recording.problem:
        view.say(f"traffic is home, but what a dead deployer left open is not closed: {recording.problem}")
    return returned


def _tell(world: World, *, stays: bool) -> None:
    """Tell others, who never hold up a way back: beside what is still done here, or by a process of its own."""
    with suppress(Exception):
        if not is_somebody_told(world):
            return
        if stays:
            from .telling import beside_a_watch

            beside_a_watch(world)
        else:
            from .handing_on import hand_over

            hand_over(world)


def _require_was_live(world: World, color: Color, recording: Recording) -> None:
    """A rollback passes no gates, so where it is protected it goes to nothing that was never live. But it waits for
    nobody: whoever is silent now, fleet or ledger, does not stand in its way."""
    if not world.settings.protected:
        return
    try:
        found = world.fleet.installed(color)
    except DeployError:
        return
    known = recording.were_live(_PATIENCE)
    if found is not None and found.digest and known and found.digest not in known:
        raise GateRefused(
            f"{found.version} on {color} was never live: it has passed no rollout",
            state="traffic was not moved",
            do="leave --to out, or `inv shift` there, which asks the gates and watches; all the same: --force",
        )


def _say_who_is_ill(world: World, returned: Returned) -> None:
    """Where the balancer checks by itself: a way back does not wait for it, but people should know."""
    ask, color = getattr(world.traffic, "targets", None), returned.after.live
    if ask is None or color is None or not returned.changed:
        return
    with suppress(DeployError):
        if not (found := ask(color)).healthy:
            view.say(f"the balancer does not find {color} healthy: {found.detail}")


def _watch(world: World, color: Color | None) -> None:
    """Watch what everybody came back to. Nobody there to judge it by does not make a bad rollback of a good one."""
    from .watching import watch

    try:
        watch(world, color, world.settings.rollout.after_rollback)
    except NotEnoughEvidence as error:
        view.say(f"{color} could not be judged: {error.what}")


def _opened(c: Context, env: str | None, *, consent: bool, watch: bool, database: bool) -> tuple[World, str]:
    """The environment; and the mistakes in parts of the settings that are only good to have: they block nothing."""
    least = ("traffic", "fleet")
    good_to_have = ("deadman", *(("rollout", "metrics", "alerts", "probe") if watch else ()))
    good_to_have += ("database",) if database else ()
    try:
        return open_world(c, env, need=(*least, "store", *good_to_have), consent=consent), ""
    except SettingsError as error:
        mistakes = "; ".join(error.mistakes)
    try:
        return open_world(c, env, need=(*least, "store"), consent=consent), mistakes
    except SettingsError:  # what happened then waits in the spool for a ledger that can be found
        return open_world(c, env, need=least, consent=consent), mistakes


def _color(given: str) -> Color:
    for color in COLORS:
        if color == given:
            return color
    raise UsageError(f"there is no color {given!r}", do="say --to blue or --to green")


def _would(world: World, to: Color | None) -> str:
    split, is_everywhere = known(world, to)
    target = target_of(split, to) or (None if is_everywhere else split.live)
    if target is None:
        return f"would do nothing: already taken back, {split.weights()}"
    return f"would: {world.traffic.shift(Split.all_on(target, None, 'back:rollback-planned')).text}"
