"""The steps of a deployment as tasks of their own, for chaining by hand."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from .options import task, words

if TYPE_CHECKING:
    from invoke import Context


@task(
    iterable=["exclude_host"],
    help=words("env", "version", "hotfix", "plan", "yes", "target", "wait", "exclude_host", "reason"),
)
def install(
    c: Context,
    env: Any = None,
    version: Any = None,
    hotfix: bool = False,
    plan: bool = False,
    yes: bool = False,
    target: Any = None,
    wait: float = 0.0,
    exclude_host: Any = None,
    reason: Any = None,
) -> None:
    """Install and start a built release on the idle color; traffic stays where it is."""
    from .. import plans
    from ..operations import carrying_out, choices, opening, releases

    world = opening.open_world(c, env, consent=yes, exclude=exclude_host, reason=reason)
    release = releases.built_release(world, version)
    wanted = partial(plans.install, release=release, target=target, known=choices.were_live(world), hotfix=hotfix)
    carrying_out.carry_out(world, wanted, task="install", preview=plan, wait=wait)


@task(iterable=["exclude_host"], help=words("env", "hotfix", "plan", "yes", "color", "wait", "exclude_host", "reason"))
def migrate(
    c: Context,
    env: Any = None,
    hotfix: bool = False,
    plan: bool = False,
    yes: bool = False,
    color: Any = None,
    wait: float = 0.0,
    exclude_host: Any = None,
    reason: Any = None,
) -> None:
    """Back up the database, then migrate it from the release on the idle color."""
    from .. import plans
    from ..operations import asking, carrying_out, choices, opening

    world = opening.open_world(c, env, consent=yes, exclude=exclude_host, reason=reason)
    target = asking.chosen(world, color) if color else None
    wanted = partial(plans.migrate, target=target, commits=choices.commits(world), hotfix=hotfix)
    carrying_out.carry_out(world, wanted, task="migrate", preview=plan, wait=wait)


@task(
    positional=["to"],
    iterable=["to", "exclude_host"],
    help={
        **words("env", "hotfix", "plan", "yes", "target", "wait", "exclude_host", "reason"),
        "to": "Percent of traffic for the idle color; several times: one stage after the other.",
        "for": "How long each stage is watched: 10m, 90s. Default: as configured. Below 100 %, traffic goes home then.",
    },
)
def shift(
    c: Context,
    to: Any,
    env: Any = None,
    hotfix: bool = False,
    plan: bool = False,
    yes: bool = False,
    target: Any = None,
    for_: Any = None,
    wait: float = 0.0,
    exclude_host: Any = None,
    reason: Any = None,
) -> None:
    """Shift traffic to what is installed on the idle color, and stay and watch, with the switch armed."""
    from .. import plans
    from ..operations import carrying_out, choices, opening

    world = opening.open_world(c, env, consent=yes, exclude=exclude_host, reason=reason)
    choices.require_open(world)
    watch = choices.duration(for_, world.settings.rollout.watch)
    wanted = partial(
        plans.shift,
        stages=choices.stages(to),
        watch=watch,
        target=target,
        commits=choices.commits(world),
        hotfix=hotfix,
    )
    carrying_out.carry_out(world, wanted, task="shift", preview=plan, wait=wait)


@task(help={**words("env", "color"), "for": "How long: 10m, 90s. Default: as long as a stage is watched."})
def watch(c: Context, env: Any = None, color: Any = None, for_: Any = None) -> None:
    """Watch the live color as a rollout would, changing nothing; code 4 when it is judged bad."""
    from ..operations import asking, choices, opening, watching

    world = opening.open_world(c, env, need=("traffic", "fleet", "metrics", "alerts", "probe", "rollout"))
    target = asking.chosen(world, color) if color else None
    watching.watch(world, target, choices.duration(for_, world.settings.rollout.watch))


@task(
    iterable=["exclude_host"],
    help=words("env", "plan", "yes", "wait", "exclude_host", "reason", force="Although the way back is still open."),
)
def retire(
    c: Context,
    env: Any = None,
    plan: bool = False,
    yes: bool = False,
    force: bool = False,
    wait: float = 0.0,
    exclude_host: Any = None,
    reason: Any = None,
) -> None:
    """Stop the old color once its way back has run out."""
    from .. import plans
    from ..operations import carrying_out, choices, opening

    world = opening.open_world(c, env, consent=yes, exclude=exclude_host, reason=reason)
    if not force:
        choices.require_way_back_over(world)
    carrying_out.carry_out(world, plans.retire, task="retire", preview=plan, wait=wait)


@task(iterable=["exclude_host"], help=words("env", "plan", "yes", "wait", "exclude_host", "reason"))
def resume(
    c: Context,
    env: Any = None,
    plan: bool = False,
    yes: bool = False,
    wait: float = 0.0,
    exclude_host: Any = None,
    reason: Any = None,
) -> None:
    """Go on with a deployment whose deployer died, that was held, or that hosts failed; bring back hosts along."""
    from ..operations import choices, opening, resuming

    world = opening.open_world(c, env, consent=yes, exclude=exclude_host, reason=reason)
    choices.require_open(world)
    resuming.resume(world, preview=plan, wait=wait)


@task(help=words("env", "plan", "yes"))
def down(c: Context, env: Any = None, plan: bool = False, yes: bool = False) -> None:
    """Stop everything that the embedded environment started; data, releases and ledger stay."""
    from ..operations import closing, opening

    closing.shut_down(opening.open_world(c, env, consent=yes), preview=plan)
