"""Who is who, where the ledger does not say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .options import task, words

if TYPE_CHECKING:
    from invoke import Context


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
