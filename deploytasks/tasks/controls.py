"""What one says to a deployment that runs, from another terminal or from CI."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .options import task, words

if TYPE_CHECKING:
    from invoke import Context

_WAIT = "Seconds to wait for what comes of it. Default: 15."
OPTIONS = words("env", "plan", "yes", "json", reason="Why; recorded, and told to others. Needed.", wait=_WAIT)


@task(help=OPTIONS)
def pause(
    c: Context,
    env: Any = None,
    reason: Any = None,
    wait: float = 15.0,
    plan: bool = False,
    yes: bool = False,
    json: bool = False,
) -> None:
    """Hold the running rollout where it is, watched all the time; after 30 minutes traffic goes home."""
    from ..operations.controls import control

    control(c, env, "pause", reason, wait=wait, preview=plan, consent=yes, json=json)


@task(name="continue", help=OPTIONS)
def continue_(
    c: Context,
    env: Any = None,
    reason: Any = None,
    wait: float = 15.0,
    plan: bool = False,
    yes: bool = False,
    json: bool = False,
) -> None:
    """End a pause: the running rollout goes on."""
    from ..operations.controls import control

    control(c, env, "continue", reason, wait=wait, preview=plan, consent=yes, json=json)


@task(help=OPTIONS)
def abort(
    c: Context,
    env: Any = None,
    reason: Any = None,
    wait: float = 15.0,
    plan: bool = False,
    yes: bool = False,
    json: bool = False,
) -> None:
    """Have the running deployment take itself back, at whatever step it is."""
    from ..operations.controls import control

    control(c, env, "abort", reason, wait=wait, preview=plan, consent=yes, json=json)


@task(help=OPTIONS)
def promote(
    c: Context,
    env: Any = None,
    reason: Any = None,
    wait: float = 15.0,
    plan: bool = False,
    yes: bool = False,
    json: bool = False,
) -> None:
    """End this stage's watch early: skips time, never a doubt; signed where the environment is protected."""
    from ..operations.controls import control

    control(c, env, "promote", reason, wait=wait, preview=plan, consent=yes, json=json)
