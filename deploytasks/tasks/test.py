"""Run the tests of what is going to be deployed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from invoke import task

from .options import words

if TYPE_CHECKING:
    from invoke import Context

OPTIONS = words("env", "version", "plan", again="Run them although they passed for this very content within a day.")


@task(help=OPTIONS, auto_shortflags=False)
def test(c: Context, env: Any = None, version: Any = None, plan: bool = False, again: bool = False) -> None:
    """Run the configured tests, and leave evidence for exactly this content."""
    from ..operations import opening, proving, releases

    world = opening.open_world(c, env, need=("store", "rollout"))
    proving.run_tests(world, releases.choose_release(world, version), preview=plan, again=again)
