"""One reading, judged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .options import task, words

if TYPE_CHECKING:
    from invoke import Context

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
