"""What would happen, what would have, and a drill: nothing that users meet is at stake."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .options import task, words

if TYPE_CHECKING:
    from invoke import Context


@task(
    help=words(
        "env",
        "json",
        **{
            "error-rate": "Share of the new release's requests that fail: 3% or 0.03. Default: as the live color's.",
            "baseline-error-rate": "Share of the live color's requests that fail. Default: 0.1%.",
            "rps": "Users' requests a second, to both colors together. Default: 20.",
            "p99": "The new release's P99: 800ms, 2s. Default: as the live color's.",
            "baseline-p99": "The live color's P99. Default: 200ms with --p99, else every answer is fast.",
            "cluster": "Errors that come at once, as when a client tries again. Default: 1.",
            "from": "The fault begins at this percent of traffic: 25%. Default: at the first stage.",
            "after": "The fault begins this long after the first traffic: 90s, 10m. Default: at once.",
            "silent-after": "The metrics fall silent this long after the first traffic: 5m. Default: never.",
            "unhealthy-after": "The health page fails this long after the first traffic: 5m. Default: never.",
            "pause-at": "Somebody pauses this long after the first traffic: 5m. Default: never.",
            "continue-at": "Somebody continues this long after the first traffic: 20m. Default: never.",
            "promote-at": "Somebody promotes this long after the first traffic: 5m. Default: never.",
            "unprobed": "Our own probes do not meet the fault: they ask for other pages.",
            "runs": "How many deployments. Default: 200.",
            "seed": "Which chance, a whole number: the same seed gives the same answer. Default: 1.",
            "hotfix": "The short way, as `inv deploy --hotfix` takes it.",
        },
    )
)
def simulate(
    c: Context,
    env: Any = None,
    error_rate: Any = None,
    baseline_error_rate: str = "0.1%",
    rps: float = 20.0,
    p99: Any = None,
    baseline_p99: Any = None,
    cluster: int = 1,
    from_: Any = None,
    after: Any = None,
    silent_after: Any = None,
    unhealthy_after: Any = None,
    pause_at: Any = None,
    continue_at: Any = None,
    promote_at: Any = None,
    unprobed: bool = False,
    runs: int = 200,
    seed: int = 1,
    hotfix: bool = False,
    json: bool = False,
) -> None:
    """Say what the environment's own plan would do with a bad release, and when. Asks nobody, changes nothing."""
    from ..operations import asked, simulating

    fault = asked.asked(
        {
            "error_rate": error_rate,
            "baseline_error_rate": baseline_error_rate,
            "rps": rps,
            "p99": p99,
            "baseline_p99": baseline_p99,
            "cluster": cluster,
            "from_": from_,
            "after": after,
            "silent_after": silent_after,
            "unhealthy_after": unhealthy_after,
            "pause_at": pause_at,
            "continue_at": continue_at,
            "promote_at": promote_at,
            "unprobed": unprobed,
            "runs": runs,
            "seed": seed,
        }
    )
    simulating.simulate(c, env, fault, hotfix=hotfix, json=json)


@task(
    iterable=["set"],
    help=words(
        "env",
        "json",
        rule="sequential or threshold. Default: as recorded.",
        errors="Share of errors that takes a release back: 1%. Default: as recorded.",
        p99="P99 that takes a release back: 1500ms. Default: as recorded.",
        stages="Percent of traffic, stage by stage: 10,50,100. Default: as recorded.",
        set="Another setting by its name, several times: min_requests=100, warn_when.p95=300ms. Default: as recorded.",
        since="Only deployments that began since then: 90d, or 2026-09-01. Default: all.",
        deployment="Only this one. Default: all.",
        **{"p99-worse": "How much slower than the live color's P99 is too much: 30%. Default: as recorded."},
    ),
)
def backtest(
    c: Context,
    env: Any = None,
    rule: Any = None,
    errors: Any = None,
    p99: Any = None,
    p99_worse: Any = None,
    stages: Any = None,
    set: Any = None,  # noqa: A002  the option's name
    since: Any = None,
    deployment: Any = None,
    json: bool = False,
) -> None:
    """Replay recorded deployments under other rules: what would have been taken back, and how much earlier."""
    from ..operations import backtesting, other_rules

    named = {
        "rule": rule,
        "rollback_when.errors": errors,
        "rollback_when.p99": p99,
        "rollback_when.p99_worse": p99_worse,
        "stages": stages,
    }
    wanted = other_rules.wanted({key: value for key, value in named.items() if value is not None}, set or ())
    backtesting.backtest(c, env, wanted, since=since, deployment=deployment, json=json)


OPTIONS = words(
    "env",
    "plan",
    "yes",
    "json",
    html="Write the same as a page to this file or folder. Default: no page.",
    at="Only the steps whose names begin so; several times. Default: all of them.",
    rollback="Rehearse a rollback also where everything is on this machine.",
    thorough="Have each of resume, rollback and deploy come after each death. Default: by turns.",
    rps="Requests per second of visitors while deployers die, at most 100. Default: 20.",
)


@task(iterable=["at"], help=OPTIONS)
def drill(
    c: Context,
    env: Any = None,
    at: Any = None,
    rollback: bool = False,
    thorough: bool = False,
    rps: float = 20.0,
    plan: bool = False,
    yes: bool = False,
    html: Any = None,
    json: bool = False,
) -> None:
    """Kill deployers at every step on this machine, or rehearse a rollback elsewhere; code 9 when something is lost."""
    from ..operations.drilling import drill as practice

    practice(
        c,
        env,
        at=at or (),
        rollback=rollback,
        thorough=thorough,
        rps=rps,
        preview=plan,
        consent=yes,
        html=html,
        json=json,
    )
