"""Make the artifact of a release."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from invoke import task

from .options import words

if TYPE_CHECKING:
    from invoke import Context


@task(help=words("env", "version", "plan"), auto_shortflags=False)
def build(c: Context, env: Any = None, version: Any = None, plan: bool = False) -> None:
    """Build the artifact: the same content always gives the same digest."""
    from .. import view
    from ..operations import opening, releases

    world = opening.open_world(c, env, need=())
    release = releases.choose_release(world, version)
    if plan:
        view.say(f"would write {release.archive}")
        return
    built = releases.build_release(world, release)
    view.say(f"built {built.version}: {built.archive} (sha256 {built.digest[:12]})")
