"""People's word: what only they know, what they set aside, and what they learned."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .options import task, words

if TYPE_CHECKING:
    from invoke import Context

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
