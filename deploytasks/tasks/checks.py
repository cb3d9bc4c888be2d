"""Ask whether it works, and how well."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .options import task, words

if TYPE_CHECKING:
    from invoke import Context


@task(
    aliases=["smoke-tests"],
    help=words("env", "plan", "json", color="blue, green, live or idle. Default: the public address."),
)
def smoke(c: Context, env: Any = None, color: Any = None, plan: bool = False, json: bool = False) -> None:
    """Run the smoke checks against the public address, or against one color; code 9 when one fails."""
    from ..operations import asking

    asking.smoke(c, env, color, preview=plan, json=json)


@task(help=words("env", "plan", color="blue, green, live or idle. Default: the idle one, if anything idles."))
def warmup(c: Context, env: Any = None, color: Any = None, plan: bool = False) -> None:
    """Send the configured requests to a color, so that its caches are warm before users come."""
    from ..operations import asking

    asking.warm_up(c, env, color, preview=plan)


OPTIONS = words(
    "env",
    "json",
    color="blue or green. Default: the live one.",
    window="How long to look: 30s, 5m. Default: as long as a stage is watched.",
    release="The version that is meant, on whichever color it is. Default: that of the color.",
    watch="Judge again at each poll, until Ctrl-C; the last verdict gives the exit code.",
)


@task(help=OPTIONS)
def check_error_rate(
    c: Context,
    env: Any = None,
    color: Any = None,
    window: Any = None,
    release: Any = None,
    watch: bool = False,
    json: bool = False,
) -> None:
    """Judge the error rate of a color over a window: code 9 over the threshold, 6 with too little data."""
    from ..operations import checking

    checking.check(c, env, color, window, measure="errors", release=release, watch=watch, json=json)


@task(help=OPTIONS)
def check_latency(
    c: Context,
    env: Any = None,
    color: Any = None,
    window: Any = None,
    release: Any = None,
    watch: bool = False,
    json: bool = False,
) -> None:
    """Judge P95 and P99 of a color over a window: code 9 over the threshold, 6 with too little data."""
    from ..operations import checking

    checking.check(c, env, color, window, measure="latency", release=release, watch=watch, json=json)
