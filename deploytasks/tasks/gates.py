"""What a deployment has to pass: its configuration, its checklist, its tests, its artifact."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .options import task, words

if TYPE_CHECKING:
    from invoke import Context


@task(iterable=["exclude_host"], help=words("env", "plan_file", "json", "exclude_host", "reason"))
def validate(
    c: Context,
    env: Any = None,
    plan_file: Any = None,
    json: bool = False,
    exclude_host: Any = None,
    reason: Any = None,
) -> None:
    """Validate the whole configuration of an environment, and report every mistake at once."""
    from .. import view
    from ..operations import opening

    world = opening.open_world(c, env, exclude=exclude_host, reason=reason, plan_file=plan_file)
    settings = world.settings
    view.show("validate", {"environment": settings.name, "ok": True, "sections": sorted(settings.sections)}, json)


@task(
    iterable=["exclude_host"],
    help=words("env", "version", "hotfix", "plan", "plan_file", "json", "exclude_host", "allow_older", "reason"),
)
def checklist(
    c: Context,
    env: Any = None,
    version: Any = None,
    hotfix: bool = False,
    plan: bool = False,
    plan_file: Any = None,
    json: bool = False,
    allow_older: bool = False,
    exclude_host: Any = None,
    reason: Any = None,
) -> None:
    """Check every line of the checklist, and refuse (code 3) when one stands in the way."""
    from ..operations import choices, opening, proving, releases

    world = opening.open_world(c, env, exclude=exclude_host, reason=reason, plan_file=plan_file)
    release = releases.choose_release(world, version, plan_file)
    older = choices.older(allow_older, reason)
    if plan_file:
        from ..operations import approving

        hotfix, older = approving.hand_over(world, plan_file)[:2]
    proving.check(world, release, preview=plan, json=json, hotfix=hotfix, older=older)


@task(
    help=words(
        "env", "version", "plan", "plan_file", again="Run them although they passed for this very content within a day."
    )
)
def test(
    c: Context, env: Any = None, version: Any = None, plan: bool = False, plan_file: Any = None, again: bool = False
) -> None:
    """Run the configured tests, and leave evidence for exactly this content."""
    from pathlib import Path

    from ..operations import opening, proving, releases

    world = opening.open_world(c, env, need=("store", "rollout"), plan_file=plan_file)
    release = releases.choose_release(world, version, plan_file)
    proving.run_tests(world, release, preview=plan, again=again, beside=Path(plan_file) if plan_file else None)


@task(help=words("env", "version", "plan", "plan_file"))
def build(c: Context, env: Any = None, version: Any = None, plan: bool = False, plan_file: Any = None) -> None:
    """Build the artifact: the same content always gives the same digest."""
    from .. import view
    from ..operations import opening, releases

    world = opening.open_world(c, env, need=(), plan_file=plan_file)
    release = releases.choose_release(world, version, plan_file)
    if plan:
        view.say(f"would write {release.archive}")
        return
    built = releases.build_release(world, release, plan_file)
    view.say(f"built {built.version}: {built.archive} (sha256 {built.digest[:12]})")
