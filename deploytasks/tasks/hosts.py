"""Ad hoc work on the hosts, and what they say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .options import task, words

if TYPE_CHECKING:
    from invoke import Context

_HOST = "A host, and no other; several times, or web1,web2. Default: all that have the color."


@task(
    iterable=["host"],
    help=words(
        "env",
        "plan",
        "yes",
        color="blue, green, live or idle. Needed.",
        host=_HOST,
        force="Although somebody is at work on this environment.",
    ),
)
def run(
    c: Context,
    env: Any = None,
    color: Any = None,
    host: Any = None,
    plan: bool = False,
    yes: bool = False,
    force: bool = False,
) -> None:
    """Run what stands after -- on the hosts of a color, in its current release; code 9 when it fails on one."""
    from ..operations import everywhere

    everywhere.run(c, env, color, host, preview=plan, consent=yes, force=force)


@task(iterable=["host"], help=words("env", "color", host=_HOST, lines="How many of the last lines to begin with."))
def logs(c: Context, env: Any = None, color: Any = None, host: Any = None, lines: int = 100) -> None:
    """Follow the application's log on all hosts of a color (default: the live one), until Ctrl-C."""
    from ..operations import everywhere

    everywhere.logs(c, env, color, host, lines=lines)
