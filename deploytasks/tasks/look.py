"""What is, and what was."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .options import task, words

if TYPE_CHECKING:
    from invoke import Context


@task(
    help=words(
        "json",
        env="Which environment. Default: all of them, side by side.",
        watch="Look again every 2 s until Ctrl-C: a picture on a terminal, else a line for each change.",
    )
)
def status(c: Context, env: Any = None, watch: bool = False, json: bool = False) -> None:
    """Show what is live and idle, the way back, who is at work, what happened last, and what is not as recorded."""
    from ..operations import abreast

    abreast.status(c, env, watch=watch, json=json)


@task(
    help=words(
        "env",
        "json",
        "plan",
        "yes",
        verify="Check the whole chain of the ledger; code 9 when it was tampered with.",
        expect="A digest of the head, known from earlier: finds a ledger that was cut off. Default: none.",
        limit="Only the newest so many events, or rows. Default: 0, which is all of them.",
        format="The audit export, a row for each thing done: csv, json or html. Default: text, a line for each event.",
        since="From when on: 90d, 12w, 36h, a date or an instant (UTC where it has no offset). Default: all of it.",
        until="Up to then: as --since; of a date, all of it. Default: now.",
        out="The export goes to this file, whose place it takes, or into this folder. Default: stdout.",
        export="A new file for the whole ledger, to move it to another store. Default: it is only shown.",
        **{"import": "A file; what it has more than the ledger is added. Default: nothing is."},
    )
)
def history(
    c: Context,
    env: Any = None,
    json: bool = False,
    plan: bool = False,
    yes: bool = False,
    verify: bool = False,
    expect: Any = None,
    limit: int = 0,
    format_: Any = None,
    since: Any = None,
    until: Any = None,
    out: Any = None,
    export: Any = None,
    import_: Any = None,
) -> None:
    """Show what happened, verify the ledger, export it for an audit, or move it to another store."""
    from ..operations import asking, moving

    if export or import_:
        moving.move(c, env, export=export, bring_in=import_, preview=plan, consent=yes, json=json)
    else:
        form, is_asked = asking.form(format_, json=json), verify or expect is not None
        asking.history(c, env, asking.Wanted(form, since, until, is_asked, expect, limit, out), json=json)


@task(help=words("env", "plan", "yes", "wait"))
def prune(c: Context, env: Any = None, plan: bool = False, yes: bool = False, wait: float = 0.0) -> None:
    """Delete what `retain` lets go: built releases, copies of the database, reports. What is needed stays."""
    from ..operations import retaining

    retaining.prune(c, env, preview=plan, consent=yes, wait=wait)


@task(help=words("env", "json"))
def doctor(c: Context, env: Any = None, json: bool = False) -> None:
    """Say what is configured, reachable, missing, and how to mend it; code 7 when something is broken."""
    from ..operations import asking

    asking.doctor(c, env, json=json)
