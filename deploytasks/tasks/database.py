"""Copies of the database, and the way back to one."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from .options import task, words

if TYPE_CHECKING:
    from invoke import Context


@task(help=words("env", "plan", "yes", "wait"))
def backup_database(c: Context, env: Any = None, plan: bool = False, yes: bool = False, wait: float = 0.0) -> None:
    """Make a verified copy of the database; old copies go as the retention says."""
    from .. import plans
    from ..operations import carrying_out, opening

    world = opening.open_world(c, env, consent=yes)
    wanted = partial(plans.back_up, who=world.site.who)
    carrying_out.carry_out(world, wanted, task="backup-database", preview=plan, wait=wait, hosts=False)


@task(
    help=words(
        "env",
        "plan",
        "wait",
        backup="Its name. Default: the newest.",
        at="A point in time instead, in UTC: 2026-11-23T10:00Z. Default: when the copy was made.",
        consent="The environment's name, typed: what people type when they are asked. Default: ask.",
    )
)
def restore_database(
    c: Context,
    env: Any = None,
    backup: Any = None,
    at: Any = None,
    consent: Any = None,
    plan: bool = False,
    wait: float = 0.0,
) -> None:
    """Put a copy in the place of the database. Asks for the environment's name first."""
    from .. import plans
    from ..operations import carrying_out, choices, opening
    from ..operations.consent import typed

    world = opening.open_world(c, env, consent=True)
    name, instant = choices.restorable(world, backup, at)
    if not plan:
        typed(world, consent, f"restore {name or instant}: everything written since then is set aside")
    wanted = partial(plans.restore, backup=name, at=instant)
    carrying_out.carry_out(world, wanted, task="restore-database", preview=plan, wait=wait, hosts=False)


@task(help=words("env", "version", "plan", "yes", backup="The name of the copy. Default: the newest, or one made now."))
def rehearse(
    c: Context, env: Any = None, version: Any = None, backup: Any = None, plan: bool = False, yes: bool = False
) -> None:
    """Migrate a copy of the database by this release, and keep how long that took as evidence."""
    from ..operations import opening, rehearsing, releases

    world = opening.open_world(c, env, consent=yes)
    rehearsing.rehearse(world, releases.choose_release(world, version), backup=backup, preview=plan)
