"""All traffic back in one write. Needs the balancer and nothing else: not the ledger, not the database."""

from __future__ import annotations

import secrets
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple, Self

from .. import redaction
from ..errors import (
    DeployError,
    GateRefused,
    NotEnoughEvidence,
    PartlyKnown,
    SettingsError,
    Unreachable,
    UsageError,
    WayBackFailed,
)
from ..ports import COLORS, Color, Split, other

if TYPE_CHECKING:
    from invoke import Context

    from ..world import World

_TRIES = 3
"""Writes, when someone writes over ours."""


class Returned(NamedTuple):
    """What a rollback did: from where to where, or why there was nothing to do."""

    before: Split
    after: Split
    changed: bool
    why: str = ""


def roll_back(world: World, *, to: Color | None = None, force: bool = False) -> Returned:
    """Send everything to the way back (or ``to``), verify it, and look again when a deployer may be at work.

    Without the lease: it preempts. Raises ``GateRefused`` when there is no way back or its color is not
    healthy, ``Unreachable`` when the balancer does not answer, ``WayBackFailed`` when it did not take the write.
    """
    before = _before(world, to)
    target = _target(before, to)
    if target is None:
        return Returned(before, before, False, f"already taken back: {before.weights()}")
    after = Split.all_on(target, None, f"back:rollback-{secrets.token_hex(4)}")
    if before.live == target and before.way_back is None and before.verb == "back":
        return Returned(before, before, False, f"everything is on {target} already")
    _require_health(world, target, force)
    _write(world, after)
    if before.verb == "deploy":
        _insist(world, after)
    return Returned(before, after, True)


def _before(world: World, to: Color | None) -> Split:
    """Where traffic is. Of several balancers some may be silent or elsewhere: the others must get home all the same."""
    try:
        return world.traffic.read()
    except PartlyKnown as error:
        if error.split is not None:
            return error.split
        if to is None:
            raise
        return Split(0, 0)


def _target(split: Split, to: Color | None) -> Color | None:
    """The color to go to; ``None`` when traffic was taken back already."""
    if to is not None:
        return to
    if split.way_back is not None:
        return split.way_back
    if split.verb in ("back", "deadman"):
        return None
    raise GateRefused(
        "no way back is open",
        state=f"traffic is at {split.weights()}",
        do="choose a color with --to, or deploy the previous release: `inv deploy --version …`",
    )


def _require_health(world: World, target: Color, force: bool) -> None:
    """Unhealthy is refused, unless nobody is better off where they are (both colors are down: the database is).

    Where a color has several hosts, half of them are enough: the balancer does without the others.
    """
    health = world.fleet.health(target)
    if not health.is_usable and not force and world.fleet.health(other(target)).is_usable:
        raise GateRefused(
            f"{target} is not healthy: {health.detail}",
            state="traffic was not moved",
            do=f"mend {target}, or go there all the same with --force",
        )


def _write(world: World, to: Split) -> None:
    call = world.traffic.shift(to)
    try:
        call.perform(10.0)
    except Unreachable as error:
        raise WayBackFailed(
            f"the balancer did not take the way back: {error.what}",
            state=f"traffic may still be as it was; wanted: {to.weights()}",
            do="act at the balancer by hand; `inv doctor` says what it answers",
        ) from error
    if not _is_home(seen := _look(world), to):
        raise WayBackFailed(f"the balancer shows {seen.weights()} after the way back was written", do="`inv status`")


def _look(world: World) -> Split:
    """Where traffic is, once something was written: not to know that is no longer "nothing was changed"."""
    try:
        return world.traffic.read()
    except Unreachable as error:
        raise WayBackFailed(
            f"the way back was written, but the balancer does not say whether it is in force: {error.what}",
            do="`inv status`, `inv doctor`; then `inv rollback` again",
        ) from error


def _is_home(seen: Split, to: Split) -> bool:
    """Whether traffic is where we want it, by our write or by another's way back: a second rollback, the switch."""
    is_way_back = seen.way_back is None and seen.verb in ("back", "deadman")
    return is_way_back and (seen.blue, seen.green) == (to.blue, to.green)


def _insist(world: World, to: Split) -> None:
    """A deployer may have been about to write: look again for two of its polls."""
    poll = _poll(world)
    for _ in range(_TRIES):
        world.clock.sleep(2 * poll)
        if _is_home(_look(world), to):
            return
        _write(world, to)
    raise WayBackFailed("someone keeps writing over the way back", do="`inv status` says who; stop that process")


def _poll(world: World) -> float:
    """Seconds between a deployer's looks: read only now, since few who go back have one against them.

    The default where nothing can be read: the way back does not depend on how the way there is described.
    """
    from ..settings.rollout import Rollout
    from .opening import reloaded

    with suppress(SettingsError, LookupError):
        return reloaded(world, "rollout").rollout.poll
    return Rollout().poll


class Recording:
    """Records a rollback in the ledger without ever standing in its way.

    The ledger is opened in a thread, early; what is to be recorded goes to the local spool first, and
    from there into the ledger when that answers in time. If it does not, the next task imports it.
    """

    def __init__(self, world: World, patience: float | None = None) -> None:
        self._world = world
        self._patience = patience
        self._began = time.monotonic()
        self._standing = threading.Event()
        self._go = threading.Event()
        self._done = threading.Event()
        self._is_open = False
        self._is_back = False
        """Whether traffic came home; a rollback that was refused must not move it by clearing up."""
        self.problem = ""
        """What went wrong beside the rollback itself: recording it, or clearing up after a dead deployer."""
        self._thread = threading.Thread(target=self._deliver, daemon=True)
        self._thread.start()

    def _deliver(self) -> None:
        try:
            self._is_open = self._world.ledger.head().standing.open is not None
            self._standing.set()
            self._go.wait()
            self._world.catch_up()
            if self._is_open and (self._is_back or self._world.traffic.read().verb != "deploy"):
                from .recovery import settle_open

                settle_open(self._world)
        except (DeployError, OSError) as error:
            if self._standing.is_set():  # the ledger answered: what failed then is worth a word
                self.problem = str(getattr(error, "what", error))
        self._standing.set()
        self._done.set()

    def record(self, returned: Returned, reason: str) -> None:
        """Spool it at once; the thread takes it from there."""
        facts = {
            "reason": redaction.clean(reason),
            "from": list(returned.before),
            "to": list(returned.after),
            "by": self._world.site.who,
        }
        with suppress(DeployError, OSError):
            self._world.spool.put("rolled-back", facts, self._world.clock.now(), self._world.site.who)
        self._is_back = True
        self._go.set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Wait for the ledger no longer than ``patience`` seconds, or a tenth of what the rollback took.

        But when that answers, and shows what a dead deployer left open, wait until it is closed.
        """
        self._go.set()
        taken = time.monotonic() - self._began
        bound = max(0.02, taken / 10) if self._patience is None else self._patience
        if self._standing.wait(bound) and not self._done.wait(bound) and self._is_open:
            self._done.wait(60.0)


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
    from .. import interrupt, view

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
    _confirm(world)
    with interrupt.held_off(), Recording(world, patience=2.0 if watch else None) as recording:
        returned = roll_back(world, to=color, force=force)
        recording.record(returned, reason or "")
        view.returned(returned)
    if recording.problem:
        view.say(f"traffic is home, but what a dead deployer left open is not closed: {recording.problem}")
    if database:
        from .reversing import reverse

        reverse(world)
    if mistakes:
        view.say(f"traffic was not watched afterwards, and the dead-man's switch was not looked after: {mistakes}")
    elif watch and returned.changed:
        _watch(world, returned.after.live)


def _watch(world: World, color: Color | None) -> None:
    """Watch what everybody came back to. Nobody there to judge it by does not make a bad rollback of a good one."""
    from .. import view
    from .watching import watch

    try:
        watch(world, color, world.settings.rollout.after_rollback)
    except NotEnoughEvidence as error:
        view.say(f"{color} could not be judged: {error.what}")


def _opened(c: Context, env: str | None, *, consent: bool, watch: bool, database: bool) -> tuple[World, str]:
    """The environment; and the mistakes in parts of the settings that are only good to have: they block nothing."""
    from .opening import open_world

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
    split = world.traffic.read()
    target = _target(split, to)
    if target is None:
        return f"would do nothing: already taken back, {split.weights()}"
    return f"would: {world.traffic.shift(Split.all_on(target, None, 'back:rollback-…')).text}"


def _confirm(world: World) -> None:
    from .. import view

    if not world.settings.protected or world.consent:
        return
    if not view.is_terminal():
        raise UsageError(f"{world.settings.name} is protected, and nobody is at a terminal to confirm", do="say --yes")
    if not view.confirm(f"Roll {world.settings.name} back?"):
        raise GateRefused("not confirmed", state="traffic was not moved")
