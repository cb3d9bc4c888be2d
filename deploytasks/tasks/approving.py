"""A plan, written down, and the approval of it by others than its author."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .options import task, words

if TYPE_CHECKING:
    from invoke import Context


@task(
    iterable=["exclude_host"],
    help=words(
        "env",
        "version",
        "hotfix",
        "target",
        "redeploy",
        "allow_older",
        "exclude_host",
        "reason",
        "json",
        out="A file to write it to, for `inv approve` and `inv deploy --plan-file`. Default: it is only shown.",
    ),
)
def plan(
    c: Context,
    env: Any = None,
    out: Any = None,
    version: Any = None,
    hotfix: bool = False,
    target: Any = None,
    redeploy: bool = False,
    allow_older: bool = False,
    exclude_host: Any = None,
    reason: Any = None,
    json: bool = False,
) -> None:
    """Show exactly what a deployment would do, call by call, and write it down to have it approved."""
    from ..operations import approving, choices, opening

    world = opening.open_world(c, env, exclude=exclude_host, reason=reason)
    wanted = approving.wish(hotfix, choices.older(allow_older, reason), target, redeploy)
    approving.plan(world, version, wanted, out, json=json)


@task(
    positional=["file"],
    help=words(
        "env",
        "plan",
        "yes",
        "json",
        file="The plan, as `inv plan --out` wrote it.",
        note="What to say to it. Default: nothing.",
    ),
)
def approve(
    c: Context, file: Any, env: Any = None, note: Any = None, plan: bool = False, yes: bool = False, json: bool = False
) -> None:
    """Approve a plan of somebody else, with your SSH key where the environment is protected."""
    from ..operations import approving

    approving.approve(c, env, file, note, preview=plan, consent=yes, json=json)
