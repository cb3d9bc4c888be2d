"""Ask whether it works at all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .options import task, words

if TYPE_CHECKING:
    from invoke import Context


@task(
    aliases=["smoke-tests"],
    help=words("env", "plan", "json", color="blue, green, live or idle. Default: the public address."),
)
def smoke(c: Context, env: Any = None, color: Any = None, plan: bool = False, json: bool = False) -> None:
    """Run the smoke checks against the public address, or against one color; code 9 when one fails."""
    from ..operations import asking

    asking.smoke(c, env, color, preview=plan, json=json)


@task(help=words("env", "plan", color="blue, green, live or idle. Default: the idle one, if anything idles."))
def warmup(c: Context, env: Any = None, color: Any = None, plan: bool = False) -> None:
    """Send the configured requests to a color, so that its caches are warm before users come."""
    from ..operations import asking

    asking.warm_up(c, env, color, preview=plan)
