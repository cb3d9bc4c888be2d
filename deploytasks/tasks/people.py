"""What people say: a plan and its approval, what only they know, what they set aside; and who they are."""

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


_ITEMS = "Which items of the checklist; several: people.oncall,people.announced."


@task(
    positional=["items"],
    help=words(
        "env", "commit", "version", "plan", "json", items=_ITEMS, note="What you have seen or done; signed. Needed."
    ),
)
def sign(
    c: Context,
    items: Any,
    env: Any = None,
    note: Any = None,
    commit: Any = None,
    version: Any = None,
    plan: bool = False,
    json: bool = False,
) -> None:
    """Sign what no machine can know, with your SSH key where the environment is protected."""
    from ..operations import signing

    signing.sign(c, env, [items], note, commit=commit, version=version, preview=plan, json=json)


@task(
    positional=["items"],
    help=words(
        "env", "commit", "version", "plan", "json", items=_ITEMS, reason="Why; signed, and in the report. Needed."
    ),
)
def override(
    c: Context,
    items: Any,
    env: Any = None,
    reason: Any = None,
    commit: Any = None,
    version: Any = None,
    plan: bool = False,
    json: bool = False,
) -> None:
    """Set a refusal of the checklist aside, for one commit and 24 hours; never silently."""
    from ..operations import signing

    signing.override(c, env, [items], reason, commit=commit, version=version, preview=plan, json=json)


@task(positional=["text"], help=words("env", "plan", "json", text="What was learned.", deployment="Default: the last."))
def note(
    c: Context, text: Any, env: Any = None, deployment: Any = None, plan: bool = False, json: bool = False
) -> None:
    """Keep a lesson beside a deployment, for its report."""
    from ..operations import signing

    signing.note(c, env, text, deployment, preview=plan, json=json)


@task(
    help=words(
        "env",
        "plan",
        "yes",
        "json",
        forget="A person whose line is deleted, by name or id: then nobody here can tell. Default: all are shown.",
    )
)
def people(
    c: Context, env: Any = None, forget: Any = None, plan: bool = False, yes: bool = False, json: bool = False
) -> None:
    """Show whose ids the ledger has, for whoever has the translation; or forget somebody."""
    from ..operations import people

    people.people(c, env, forget=forget, json=json, preview=plan, consent=yes)
