"""How well software is delivered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .options import task, words

if TYPE_CHECKING:
    from invoke import Context


@task(
    help=words(
        "json",
        env="Which environment; default: the protected one, or the only one.",
        since="From when on: 90d, 12w, 36h, a date or an instant (UTC where it has no offset); default: 90d.",
        until="Up to then: as --since; of a date, all of it. Default: now.",
        html="Write the same as a page with charts to this file or folder. Default: no page.",
    )
)
def metrics(
    c: Context, env: Any = None, since: Any = None, until: Any = None, html: Any = None, json: bool = False
) -> None:
    """Measure delivery as DORA does: how often, how long, how much fails, how soon it is mended; with definitions."""
    from ..operations import measuring

    measuring.metrics(c, env, since=since, until=until, html=html, json=json)
