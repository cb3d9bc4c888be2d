"""Deploy a release, blue-green, watched, and taken back by itself when it was not safe; or by a person."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from .checks import smoke
from .gates import build, checklist, test, validate
from .options import task, words

if TYPE_CHECKING:
    from invoke import Context

OPTIONS = words(
    "env",
    "version",
    "hotfix",
    "plan",
    "plan_file",
    "yes",
    "target",
    "redeploy",
    "wait",
    "allow_older",
    "exclude_host",
    "reason",
)


@task(pre=[validate, checklist, test, build], iterable=["exclude_host"], help=OPTIONS)
def deploy(
    c: Context,
    env: Any = None,
    version: Any = None,
    hotfix: bool = False,
    plan: bool = False,
    plan_file: Any = None,
    yes: bool = False,
    target: Any = None,
    redeploy: bool = False,
    wait: float = 0.0,
    allow_older: bool = False,
    exclude_host: Any = None,
    reason: Any = None,
) -> None:
    """Deploy a release: back up, migrate, warm up, shift traffic, watch, verify."""
    from .. import plans
    from ..operations import carrying_out, choices, opening, releases

    world = opening.open_world(c, env, consent=yes, exclude=exclude_host, reason=reason, plan_file=plan_file)
    if plan_file:
        from ..operations import approving

        given = approving.wish(hotfix, choices.older(allow_older, reason), target, redeploy)
        approving.deploy(world, plan_file, given, version, preview=plan, wait=wait)
        return
    release = releases.choose_release(world, version) if plan else releases.built_release(world, version)
    older = choices.older(allow_older, reason)
    wanted = partial(plans.deploy, release=release, target=target, redeploy=redeploy, hotfix=hotfix, older=older)
    carrying_out.carry_out(world, wanted, task="hotfix" if hotfix else "deploy", preview=plan, wait=wait)


@task(
    iterable=["exclude_host"],
    help=words(
        "env", "version", "hotfix", "plan", "yes", "target", "redeploy", "wait", "allow_older", "exclude_host", "reason"
    ),
)
def deploy_blue_green(
    c: Context,
    env: Any = None,
    version: Any = None,
    hotfix: bool = False,
    plan: bool = False,
    yes: bool = False,
    target: Any = None,
    redeploy: bool = False,
    wait: float = 0.0,
    allow_older: bool = False,
    exclude_host: Any = None,
    reason: Any = None,
) -> None:
    """Deploy a release that is built already: from installing on; only a protected environment asks its gates."""
    from .. import plans
    from ..operations import carrying_out, choices, opening, releases

    world = opening.open_world(c, env, consent=yes, exclude=exclude_host, reason=reason)
    choices.require_open(world)
    release = releases.built_release(world, version)
    older = choices.older(allow_older, reason)
    wanted = partial(
        plans.deploy, release=release, target=target, redeploy=redeploy, gates=False, hotfix=hotfix, older=older
    )
    carrying_out.carry_out(world, wanted, task="deploy-blue-green", preview=plan, wait=wait)


ROLLBACK = words(
    "env",
    "plan",
    "yes",
    "force",
    reason="Why; recorded, and told to others. Needed.",
    to="The color to go to. Default: where the balancer says that home is.",
    database="Then reverse the migrations of the release that was left, where they are recorded as reversible.",
    watch="Watch afterwards, as long as the environment says (`after_rollback`).",
)


@task(post=[smoke], help=ROLLBACK)
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
