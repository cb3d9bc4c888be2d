"""All traffic back in one write. Needs the balancer and nothing else: not the ledger, not the database."""

from __future__ import annotations

import secrets
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from ..errors import DeployError, GateRefused, PartlyKnown, SettingsError, Unreachable, WayBackFailed
from ..ports import Color, Split, Unconditional, other

if TYPE_CHECKING:
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
    before, is_everywhere = known(world, to)
    target = target_of(before, to) or (None if is_everywhere else before.live)
    if target is None:
        return Returned(before, before, False, f"already taken back: {before.weights()}")
    after = Split.all_on(target, None, f"back:rollback-{secrets.token_hex(4)}")
    if is_everywhere and before.live == target and before.way_back is None and before.verb == "back":
        return Returned(before, before, False, f"everything is on {target} already")
    _require_health(world, target, force)
    _write(world, after)
    _stand_down(world, before, after)
    if before.verb == "deploy":
        _insist(world, after)
    return Returned(before, after, True)


def known(world: World, to: Color | None) -> tuple[Split, bool]:
    """Where traffic is, and whether it is so at every balancer. Of several some may be silent or elsewhere: the others
    must get home all the same, and what the others say does not mean that those are home."""
    try:
        return world.traffic.read(), True
    except PartlyKnown as error:
        if error.split is None and to is None:
            raise
        return error.split or Split(0, 0), False


def target_of(split: Split, to: Color | None) -> Color | None:
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
            state=f"{error.state or 'traffic may still be as it was'}; wanted: {to.weights()}",
            do="act at the balancer by hand; `inv doctor` says what it answers",
        ) from error
    if not _is_home(seen := _look(world), to):
        raise WayBackFailed(f"the balancer shows {seen.weights()} after the way back was written", do="`inv status`")


def _stand_down(world: World, before: Split, after: Split) -> None:
    """Let no switch write over this that would not look who has written it. There is none once a deployment has ended
    well. One that cannot be disarmed does no harm where it would put traffic itself."""
    if not isinstance(world.deadman, Unconditional) or before.verb in ("settled", "retired"):
        return
    try:
        world.deadman.disarm().perform(10.0)
    except DeployError as error:
        if after.live != before.way_back:
            raise WayBackFailed(
                f"everything is on {after.live}, but the dead-man's switch is not off: {error.what}",
                state="it would send traffic to where the deployment began",
                do="`inv status` says when; then `inv rollback` again",
            ) from error
        return
    if not _is_home(_look(world), after):
        _write(world, after)  # it went off in between


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
