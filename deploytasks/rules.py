"""From an environment's settings to the rules by which a rollout is judged. Pure: no clock, no socket, no Invoke."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .rollout import Rules
from .settings.several import parts
from .settings.sources import JUDGED, Source, judged

if TYPE_CHECKING:
    from .ports import Color
    from .settings import Settings

_ALONE = Source("users", 0, JUDGED)
"""What counts, where nothing is said of it; and what a single source is called."""


def rollout_rules(
    settings: Settings,
    deployment: str,
    home: Color | None,
    target: Color,
    stages: tuple[int, ...],
    watch: float | None = None,
    lag: float = 0.0,
    hotfix: bool = False,
) -> Rules:
    """The rules of a rollout, as the settings have them.

    ``watch``: seconds per stage, instead of the configured. ``lag``: how late the metrics are, in seconds. ``hotfix``:
    shorter, where the environment's own times are not shorter still.
    """
    of = settings.rollout
    stays = stages[-1] == 100
    first, *further = judged(parts(settings.sections.get("metrics"))) or (_ALONE,)
    usual = min(of.watch, of.hotfix.watch) if hotfix else of.watch
    bake = min(of.bake, of.hotfix.bake) if hotfix else of.bake
    return Rules(
        home=home,
        target=target,
        writer=f"deploy:{deployment}",
        stages=(100,) if home is None else stages,
        watch=usual if watch is None else watch,
        bake=bake if stays else 0.0,
        poll=of.poll,
        hold=of.hold,
        baseline=of.baseline,
        missing=of.missing,
        lag=lag,
        health_failures=of.rollback_when.health_failures,
        min_requests=of.min_requests,
        rule=of.rule,
        errors=of.rollback_when.errors,
        p99=of.rollback_when.p99,
        worse=of.rollback_when.p99_worse,
        worse_from=of.rollback_when.p99_worse_from,
        warn_errors=of.warn_when.errors,
        warn_p95=of.warn_when.p95,
        warn_p99=of.warn_when.p99,
        warn_query=of.warn_when.query,
        warn_pool=of.warn_when.pool,
        warn_replication_lag=of.warn_when.replication_lag,
        warn_cpu=of.warn_when.cpu,
        warn_memory=of.warn_when.memory,
        warn_disk=of.warn_when.disk,
        probes="probe" in settings.sections,
        measured_share=of.measured_share and _is_counted_where_it_is_shared(settings),
        finish_at_end=not (of.confirm and stays),
        users=first.name if further else _ALONE.name,
        measures=first.gives,
        more=tuple((each.name, each.gives) for each in further),
    )


def _is_counted_where_it_is_shared(settings: Settings) -> bool:
    """Whether the balancer that shares traffic is who counts it: an application counts what others ask for, too."""
    values = parts(settings.sections.get("metrics"))
    counts = next((getattr(values[each.place], "kind", "") for each in judged(values)), "")
    return counts in getattr(settings.sections.get("traffic"), "counted_by", ())
