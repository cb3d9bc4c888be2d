"""The deployment checklist, as far as machines can check it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from invoke import task

from .options import words

if TYPE_CHECKING:
    from invoke import Context


@task(help=words("env", "version", "plan", "json"), auto_shortflags=False)
def checklist(c: Context, env: Any = None, version: Any = None, plan: bool = False, json: bool = False) -> None:
    """Check every line of the checklist, and refuse (code 3) when one stands in the way."""
    from ..operations import opening, proving, releases

    world = opening.open_world(c, env)
    proving.check(world, releases.choose_release(world, version), preview=plan, json=json)
