"""What is, and what was."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .options import task, words

if TYPE_CHECKING:
    from invoke import Context


@task(help=words("env", "json"))
def status(c: Context, env: Any = None, json: bool = False) -> None:
    """Show what is live and idle, the way back, the switch, the lease, and the last deployments."""
    from .. import view
    from ..operations import answers, opening

    need = ("traffic", "fleet", "store", "maintenance", "deadman")
    view.show("status", answers.status(opening.open_world(c, env, need=need)), json)


@task(
    help=words(
        "env",
        "json",
        verify="Check the whole chain of the ledger; code 9 when it was tampered with.",
        expect="A digest of the head, known from earlier: finds a ledger that was cut off.",
        limit="Only the newest so many.",
    )
)
def history(
    c: Context, env: Any = None, json: bool = False, verify: bool = False, expect: Any = None, limit: int = 0
) -> None:
    """Show what happened, or verify the ledger."""
    from ..operations import asking

    asking.history(c, env, verify=verify or expect is not None, expect=expect, limit=limit, json=json)


@task(help=words("env", "json", deployment="Which one; default: the last."))
def report(c: Context, env: Any = None, deployment: Any = None, json: bool = False) -> None:
    """Tell everything that the ledger knows about one deployment."""
    from .. import view
    from ..operations import answers, opening

    view.show("report", answers.report(opening.open_world(c, env, need=("store",)), deployment), json)


@task(help=words("env", "json"))
def doctor(c: Context, env: Any = None, json: bool = False) -> None:
    """Say what is configured, reachable, missing, and how to mend it; code 7 when something is broken."""
    from ..operations import asking

    asking.doctor(c, env, json=json)
