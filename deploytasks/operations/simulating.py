"""``inv simulate``: an environment's own plan, on a virtual clock and made-up traffic. Opens nothing, asks nobody."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from .. import executor, plans, view
from ..engine.plan import Plan, Situation
from ..errors import GateRefused
from ..ports import Installed, Release, Split
from ..rollout import Rules, adequate
from ..settings import load, plain
from ..settings.several import parts
from ..settings.sources import judged
from ..simulation.figures import Figures, figures, typical
from ..simulation.playing import Run, play
from ..simulation.scene import Scene
from ..steps import RollOut

if TYPE_CHECKING:
    from invoke import Context

    from ..settings import Settings
    from .asked import Asked

RATES = (0.01, 0.02, 0.03, 0.05, 0.1)
"""Shares of errors that are tried beside the one that is asked for."""
WORSE = (0.2, 0.5, 1.0)
"""Tried when none of those is surely kept out."""
SURELY = 0.95
"""The share of deployments from which a fault counts as seen."""
_NEED = ("rollout", "traffic", "fleet", "metrics", "probe", "database", "deadman", "smoke", "warm_up", "gates")
_NOW, _NEXT = (Release(version, "", digit * 64, "") for version, digit in (("live", "a"), ("new", "b")))


class Rate(NamedTuple):
    """How releases fare of whose requests a share ``errors`` fails."""

    errors: float
    figures: Figures


def simulate(c: Context, env: str | None, asked: Asked, *, hotfix: bool, json: bool) -> None:
    """Show what would happen to a release like that in this environment."""
    executor.require()
    settings = load(plain(c.config.get("deploy", {})), env, _NEED)
    with view.a_word_in_time(lambda: f"simulating {asked.runs} deployments and some beside them …"):
        found = answer(settings, asked, hotfix=hotfix)
    view.show("simulation", found, json)


def answer(settings: Settings, asked: Asked, *, hotfix: bool = False) -> dict[str, Any]:
    """What would happen, as plain data; the same for the same seed."""
    plan = planned(settings, hotfix=hotfix)
    rules = rules_of(plan)
    scene = asked.scene(float(getattr(settings.sections.get("probe"), "rps", 0.0)))
    runs = many(rules, scene, asked.seed, asked.runs)
    others = max(1, asked.runs // 4)
    well = figures(runs if scene == scene.healthy else many(rules, scene.healthy, asked.seed + 1, others))
    rates = tried(rules, scene, asked, well)
    return {
        "application": settings.application,
        "environment": settings.name,
        "steps": [step.name for step in plan.steps],
        "rules": rules.to_json(),
        "assumed": asked.to_json(),
        "deployments": _figures(figures(runs)),
        "fault": scene != scene.healthy,
        "typical": _run(typical(runs)),
        "healthy": _figures(well) | {"at_most": well.most_taken_back},
        "rates": [{"rate": rate.errors, **_figures(rate.figures)} for rate in rates],
        "seen_from": seen_from(rates, well),
        "notes": notes(rules, scene, confirmed=settings.rollout.confirm),
    }


def planned(settings: Settings, *, hotfix: bool = False) -> Plan:
    """The plan of a deployment beside a live release. Raises ``GateRefused`` where there can be none."""
    live = Installed(_NOW.name, _NOW.digest, _NOW.version, running=True)
    seen = Situation(Split.all_on("blue", None, "settled:before"), live, None, lag=lateness(settings))
    return plans.deploy(settings, seen, "simulated", release=_NEXT, hotfix=hotfix)


def lateness(settings: Settings) -> float:
    """How late the metrics of an environment are, in seconds, as their settings say it."""
    values = parts(settings.sections.get("metrics"))
    return max((float(getattr(values[source.place], "shows_after", 0.0)) for source in judged(values)), default=0.0)


def rules_of(plan: Plan) -> Rules:
    """The rules by which a plan's rollout is judged. Who must say so at its end has said it."""
    for step in plan.steps:
        if isinstance(step, RollOut):
            return replace(step.rules, finish_at_end=True)
    raise GateRefused("this plan moves no traffic: there is nothing to simulate")


def many(rules: Rules, scene: Scene, seed: int, count: int) -> list[Run]:
    """So many deployments, each with a seed of its own that follows from ``seed``."""
    return [play(rules, scene, seed * 1_000_003 + number) for number in range(count)]


def tried(rules: Rules, scene: Scene, asked: Asked, well: Figures) -> Sequence[Rate]:
    """What becomes of other shares of errors, the one that is asked for among them; worse ones until one is seen."""
    count = max(10, asked.runs // 8)
    own = [asked.errors] if asked.errors != asked.usual_errors else []
    wanted = sorted({*RATES, *own})
    found = [_rate(rules, scene, rate, asked.seed + at, count) for at, rate in enumerate(wanted, 2)]
    for rate in WORSE:
        if is_seen(found[-1].figures, well):
            break
        if rate > found[-1].errors:
            found.append(_rate(rules, scene, rate, asked.seed + 20, count))
    return found


def _rate(rules: Rules, scene: Scene, errors: float, seed: int, count: int) -> Rate:
    return Rate(errors, figures(many(rules, scene.failing(errors), seed, count)))


def is_seen(of: Figures, well: Figures) -> bool:
    """Whether a fault is surely kept out. Where healthy releases are kept out as well, only what is judged bad
    counts: to hold everything is no way of seeing."""
    share = of.kept_out if well.finished >= well.runs / 2 else of.taken_back / of.runs
    return share >= SURELY


def seen_from(rates: Sequence[Rate], well: Figures) -> float | None:
    """The smallest of the rates from which on all are seen; ``None``: not even the largest is."""
    seen: float | None = None
    for rate in reversed(rates):
        if not is_seen(rate.figures, well):
            break
        seen = rate.errors
    return seen


def notes(rules: Rules, scene: Scene, *, confirmed: bool = False) -> list[str]:
    """What is not simulated as it may be, and what cannot be seen at this traffic."""
    found = [f"too few users: {why}"] if (why := adequate(rules, scene.rps)) else []
    if scene.ill.errors <= rules.errors and scene.ill.errors > scene.well.errors:
        found.append("so many errors are allowed: nothing takes a release back for what is not above the limit")
    if scene.after >= (rules.watch + rules.lag) * len(rules.path) + rules.bake + rules.lag:
        found.append("the fault begins when the rollout is over, unless it waits: then users have it")
    if rules.probes and scene.probed:
        found.append("our own requests meet the same errors; --unprobed: they ask for pages that are well")
    if confirmed:
        found.append("at its end somebody has to say `inv promote`; here it is said at once")
    if not scene.ill.p99:
        found.append("every answer is fast: say --p99 to try latency, too")
    if scene.well.cluster == 1:
        found.append("errors come one by one; --cluster 5: as when every client tries five times")
    return found


def _figures(of: Figures) -> dict[str, Any]:
    return dict(of._asdict())


def _run(run: Run) -> dict[str, Any]:
    told = run._asdict() | {"took": run.took}
    return told | {"moments": [moment._asdict() for moment in run.moments]}
