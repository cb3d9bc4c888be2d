"""One reading, judged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .options import task, words

if TYPE_CHECKING:
    from invoke import Context

OPTIONS = words("env", "json", color="blue or green; default: the live one.", window="How long to look: 30s, 5m.")


@task(help=OPTIONS)
def check_error_rate(c: Context, env: Any = None, color: Any = None, window: Any = None, json: bool = False) -> None:
    """Judge the error rate of a color over a window: code 9 over the threshold, 6 with too little data."""
    from ..operations import asking

    asking.check(c, env, color, window, metrics=("errors",), json=json)


@task(help=OPTIONS)
def check_latency(c: Context, env: Any = None, color: Any = None, window: Any = None, json: bool = False) -> None:
    """Judge P95 and P99 of a color over a window: code 9 over the threshold, 6 with too little data."""
    from ..operations import asking

    asking.check(c, env, color, window, metrics=("p95", "p99"), json=json)
