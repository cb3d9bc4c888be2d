"""Tell people and systems elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .options import task, words

if TYPE_CHECKING:
    from invoke import Context


@task(
    aliases=["notify"],
    positional=["event"],
    help=words(
        "env",
        "json",
        event="started, finished, failed, rolled-back, or another word. Not needed with --flush.",
        version="Which version. Default: the one that is live.",
        message="What to say about it. Default: nothing more.",
        flush="Tell what waits, because nobody answered or a deployer died.",
        plan="Print each message that would be sent, and change nothing.",
    ),
)
def notify_deployment(
    c: Context,
    event: Any = None,
    env: Any = None,
    version: Any = None,
    message: str = "",
    flush: bool = False,
    plan: bool = False,
    json: bool = False,
) -> None:
    """Tell everybody that something happened, or what waits to be told; code 7 when somebody could not be told."""
    from ..operations import announcing

    announcing.notify(c, env, event, version, message, flush=flush, preview=plan, json=json)
