"""What would happen in an environment: its own plan and rules, and nothing of its world."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploytasks.errors import UsageError
from deploytasks.operations.asked import Asked, asked
from deploytasks.operations.simulating import answer, lateness, planned, rules_of
from deploytasks.settings import Settings, load

ROOT = Path(__file__).parents[2]
OPTIONS: dict[str, Any] = {
    "error_rate": None,
    "baseline_error_rate": "0.1%",
    "rps": 20.0,
    "p99": None,
    "baseline_p99": None,
    "cluster": 1,
    "from_": None,
    "after": None,
    "silent_after": None,
    "unhealthy_after": None,
    "pause_at": None,
    "continue_at": None,
    "promote_at": None,
    "unprobed": False,
    "runs": 8,
    "seed": 1,
}


def fault(**given: Any) -> Asked:
    return asked({**OPTIONS, **given})


def settings(**environment: Any) -> Settings:
    """One environment with the defaults, and nothing behind it."""
    given: dict[str, Any] = {
        "traffic": {"kind": "envoy", "listen": "127.0.0.1:9"},
        "fleet": {"kind": "local", "colors": {"blue": "127.0.0.1:7", "green": "127.0.0.1:13"}, "start": "false"},
        "metrics": {"kind": "envoy"},
        **environment,
    }
    return load({"application": "library", "environments": {"test": given}}, "test", None)


def sample() -> Settings:
    """The environment of the sample application, as it is configured here."""
    return load(yaml.safe_load((ROOT / "invoke.yaml").read_text())["deploy"], "development", None)


SHORT: dict[str, Any] = {"stages": [25, 100], "watch": "2m", "bake": "2m", "hold": "5m"}


# -- the plan ------------------------------------------------------------------------------------------------------


def test_the_rules_are_those_of_a_deployment() -> None:
    """Made by the builder of plans from the settings; and, for a hotfix, the short ones."""
    of = settings(stages=[20, 100], watch="4m", rollback_when={"errors": "3%"}, probe={"kind": "http"})
    plan = planned(of)
    rules = rules_of(plan)
    assert (20, 100) == rules.stages
    assert (240.0, 0.03, True) == (rules.watch, rules.errors, rules.probes)
    assert [step.name for step in plan.steps] == answer(of, fault(runs=1))["steps"]
    assert 60.0 == rules_of(planned(of, hotfix=True)).watch


@pytest.mark.parametrize(
    ("metrics", "late"),
    [
        ({"kind": "envoy"}, 2.0),
        ({"kind": "prometheus", "url": "http://p", "counts": "envoy"}, 15.0),
        ({"kind": "prometheus", "url": "http://p", "counts": "envoy", "lag": "40s"}, 40.0),
        ({"kind": "sentry", "organization": "a", "project": "b"}, 90.0),
        ([{"kind": "envoy"}, {"kind": "sentry", "organization": "a", "project": "b", "lag": "1m"}], 60.0),
    ],
)
def test_numbers_are_as_late_as_their_source(metrics: Any, late: float) -> None:
    """By the settings alone, and of several the latest: no source is opened for that."""
    of = settings(metrics=metrics)
    assert late == lateness(of)
    assert late == rules_of(planned(of)).lag


def test_who_confirms_at_the_end_is_not_waited_for() -> None:
    """A plan that ends with somebody's word would never end; here it is said at once, and noted."""
    found = answer(settings(**SHORT, confirm=True), fault(runs=1))
    assert "finished" == found["typical"]["moments"][-1]["kind"]
    assert any("inv promote" in note for note in found["notes"])


def test_where_ecs_moves_the_traffic_its_steps_are_simulated() -> None:
    """The same fold judges there, at what ECS makes of the stages."""
    arn = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:"
    groups = {color: f"{arn}targetgroup/shop-{color}/1a" for color in ("blue", "green")}
    fleet = {
        "kind": "ecs",
        "cluster": "shop",
        "services": {"blue": "shop", "green": "shop"},
        "image": "registry.example/shop:{version}",
        "addresses": {"blue": "https://blue.example/", "green": "https://green.example"},
    }
    traffic = {"kind": "ecs", "public": "https://shop.example", "groups": groups}
    of = settings(traffic=traffic, fleet=fleet, strategy="ecs-native", **SHORT)
    found = answer(of, fault(runs=1))
    assert "hand over" in found["steps"]
    assert 100 == found["typical"]["percent"]


# -- the answer ----------------------------------------------------------------------------------------------------


def test_it_is_the_same_each_time() -> None:
    """The same seed, the same answer; another one, another."""
    of = settings(**SHORT)
    one, two, other = (answer(of, fault(error_rate="5%", seed=seed)) for seed in (1, 1, 2))
    assert one == two
    assert one["typical"] != other["typical"]


def test_its_shape_is_stable() -> None:
    """Whoever reads the JSON finds these names, and values that JSON has."""
    found = json.loads(json.dumps(answer(settings(**SHORT), fault(error_rate="5%"))))
    assert {
        "application", "environment", "steps", "rules", "assumed", "deployments", "fault", "typical", "healthy",
        "rates", "seen_from", "notes",
    } == set(found)  # fmt: skip
    counts = {"runs", "taken_back", "held", "finished", "median", "p95", "requests", "errors", "errors_p95"}
    assert counts == set(found["deployments"])
    assert counts | {"at_most"} == set(found["healthy"])
    assert [counts | {"rate"}] * 5 == [set(rate) for rate in found["rates"]]
    assert {
        "seed", "code", "ended", "percent", "shifted", "onset", "took", "requests", "errors", "metric", "why",
        "moments",
    } == set(found["typical"])  # fmt: skip
    assert {"at", "percent", "kind", "why", "requests", "errors"} == set(found["typical"]["moments"][0])
    assert {*OPTIONS} - {
        "error_rate",
        "baseline_error_rate",
        "baseline_p99",
        "from_",
        "unprobed",
        "pause_at",
        "continue_at",
        "promote_at",
    } < set(found["assumed"])


def test_rates_say_from_where_on_it_sees() -> None:
    """Much worse ones are kept out at any traffic that suffices; at none, not even all errors are."""
    seen = answer(settings(**SHORT), fault(runs=80, rps=50.0))["seen_from"]
    assert seen is not None
    assert 0.02 < seen <= 0.1
    none = answer(settings(**SHORT), fault(rps=0.001))
    assert none["seen_from"] is None
    assert 1.0 == none["rates"][-1]["rate"]


def test_too_few_users_are_named() -> None:
    """With what the first stage would need."""
    found = answer(settings(), fault(rps=0.2, runs=1))
    assert "too few users: stage 10 % would see about 6 requests in 300 s, 30 are needed" in found["notes"][0]


def test_a_fault_that_comes_too_late_is_named() -> None:
    """Nothing of it can be seen in a rollout that is over."""
    found = answer(settings(**SHORT), fault(error_rate="50%", after="10m", runs=1))
    assert any("begins when the rollout is over" in note for note in found["notes"])
    assert "finished" == found["typical"]["moments"][-1]["kind"]


def test_a_release_without_a_fault_is_its_own_control() -> None:
    """Then all of its deployments are healthy ones."""
    found = answer(settings(**SHORT), fault())
    assert not found["fault"]
    assert found["healthy"] == found["deployments"] | {"at_most": found["healthy"]["at_most"]}


def test_the_sample_application_is_simulated_as_it_is_configured() -> None:
    """Its probes find a release that fails half of all requests before any user meets it."""
    found = answer(sample(), fault(error_rate="50%"))
    assert (4, 0, 0) == tuple(found["typical"][key] for key in ("code", "percent", "requests"))
    assert 8 == found["deployments"]["taken_back"]


def test_nothing_is_opened_or_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """No provider, no socket."""
    from deploytasks import providers

    def never(*_: Any, **__: Any) -> Any:
        raise AssertionError("somebody was asked")

    monkeypatch.setattr(providers, "open_provider", never)
    monkeypatch.setattr(socket, "socket", never)
    assert answer(sample(), fault(error_rate="5%"))["deployments"]["runs"]


# -- what is asked -------------------------------------------------------------------------------------------------


def test_words_become_a_scene() -> None:
    """With the units of the settings; what is not said of the new release is as the live one's."""
    scene = fault(error_rate="3 %", p99="1.5s", from_="25%", after="1m30s", unprobed=True, cluster=4).scene(20.0)
    assert (0.03, 4, 1.5) == scene.ill[:3]
    assert (0.001, 4, 0.2) == scene.well[:3]
    assert (25, 90.0, 20.0, False) == (scene.stage, scene.after, scene.probes, scene.probed)
    assert scene.healthy.ill == scene.well
    plain = fault(baseline_error_rate="0.4%").scene(0)
    assert plain.ill == plain.well == plain.ill._replace(errors=0.004, p99=0.0)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"error_rate": "lots"}, "--error-rate: 'lots' is not a share: write 2% or 0.02"),
        ({"error_rate": "3"}, "--error-rate: 3 is not between 0 and 100 %"),
        ({"error_rate": "nan"}, "--error-rate: nan is not between 0 and 100 %"),
        ({"baseline_error_rate": "-1%"}, "--baseline-error-rate: -1% is not between"),
        ({"rps": 0.0}, "--rps: 0.0 is not above 0"),
        ({"rps": float("inf")}, "--rps: inf is not above 0"),
        ({"p99": "fast"}, "--p99: 'fast' is not a duration"),
        ({"p99": "0s"}, "--p99: 0 s is no time"),
        ({"baseline_p99": "0ms", "p99": "1s"}, "--baseline-p99: 0 s is no time"),
        ({"after": "8d"}, "--after: 8d is not between nothing and a week"),
        ({"after": "-1s"}, "--after: '-1s' is not a duration"),
        ({"promote_at": "x"}, "--promote-at: 'x' is not a duration"),
        ({"silent_after": "x"}, "--silent-after: 'x' is not a duration"),
        ({"from_": "0%"}, "--from: '0%' is no share of the traffic"),
        ({"from_": "half"}, "--from: 'half' is no share of the traffic"),
        ({"from_": "101"}, "--from: '101' is no share of the traffic"),
        ({"runs": 0}, "--runs: 0 is not between 1 and 100000"),
        ({"cluster": 0}, "--cluster: 0 is not between 1 and 100"),
    ],
)
def test_wrong_words_are_named(given: dict[str, Any], said: str) -> None:
    """With the option, code 2."""
    with pytest.raises(UsageError) as caught:
        fault(**given)
    assert caught.value.what.startswith(said)
