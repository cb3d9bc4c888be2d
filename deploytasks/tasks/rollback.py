"""All traffic back, now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .options import task, words
from .smoke import smoke

if TYPE_CHECKING:
    from invoke import Context

OPTIONS = words(
    "env",
    "plan",
    "yes",
    "force",
    reason="Why; recorded, and told to others. Needed.",
    to="The color to go to. Default: where the balancer says that home is.",
    database="Then reverse the migrations of the release that was left, where they are recorded as reversible.",
    watch="Watch afterwards, as long as the environment says (`after_rollback`).",
)


@task(post=[smoke], help=OPTIONS)
def rollback(
    c: Context,
    env: Any = None,
    reason: Any = None,
    to: Any = None,
    plan: bool = False,
    yes: bool = False,
    force: bool = False,
    database: bool = False,
    watch: bool = True,
) -> None:
    """Send all traffic back in one write, verify it, and watch."""
    from ..operations.rollback import rollback as roll_back

    roll_back(c, env, reason, to=to, preview=plan, consent=yes, force=force, database=database, watch=watch)
