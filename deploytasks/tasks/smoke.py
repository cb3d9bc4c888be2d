"""Ask whether it works at all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .options import task, words

if TYPE_CHECKING:
    from invoke import Context


@task(aliases=["smoke-tests"], help=words("env", "color", "plan", "json"))
def smoke(c: Context, env: Any = None, color: Any = None, plan: bool = False, json: bool = False) -> None:
    """Run the smoke checks against the public address, or against one color; code 9 when one fails."""
    from ..operations import asking

    asking.smoke(c, env, color, preview=plan, json=json)


@task(help=words("env", "color", "plan"))
def warmup(c: Context, env: Any = None, color: Any = None, plan: bool = False) -> None:
    """Send the configured requests to a color, so that its caches are warm before users come."""
    from ..operations import asking

    asking.warm_up(c, env, color, preview=plan)
