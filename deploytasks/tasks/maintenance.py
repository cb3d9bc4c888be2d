"""Close the site with a page, and open it again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .options import task, words

if TYPE_CHECKING:
    from invoke import Context

OPTIONS = words(
    "env",
    "plan",
    "yes",
    "json",
    action="enable, disable or status.",
    message="What visitors read. Default: what is configured.",
    **{"retry-after": "Seconds until visitors should try again. Default: what is configured."},
)


@task(positional=["action"], help=OPTIONS)
def maintenance_mode(
    c: Context,
    action: Any,
    env: Any = None,
    message: str = "",
    retry_after: int = 0,
    plan: bool = False,
    yes: bool = False,
    json: bool = False,
) -> None:
    """Have the balancer answer 503 with a page (enable), or stop that (disable)."""
    from ..operations import closing

    closing.maintenance(c, env, action, message, retry_after, preview=plan, consent=yes, json=json)
