"""`metrics` as a list: what each part gives, and which one says what users met."""

from __future__ import annotations

from typing import Any

import pytest

from deploytasks.errors import SettingsError
from deploytasks.rules import rollout_rules
from deploytasks.settings import Settings, kinds, load
from deploytasks.settings.several import parts
from deploytasks.settings.sources import given_by, judged
from deploytasks.verdict.rules import Rules

ENVOY: dict[str, Any] = {"kind": "envoy"}
PROMETHEUS: dict[str, Any] = {"kind": "prometheus", "url": "http://a:9090", "counts": "django"}
CLOUDWATCH: dict[str, Any] = {"kind": "cloudwatch"}
BOTH = ("errors", "latency")


def loaded(metrics: Any, **more: Any) -> Settings:
    fleet = {"kind": "local", "colors": {"blue": "127.0.0.1:1", "green": "127.0.0.1:2"}, "start": "true"}
    environment = {"traffic": {"kind": "envoy"}, "fleet": fleet, "metrics": metrics, **more}
    return load({"application": "shop", "environments": {"production": environment}}, "production")


def rules(metrics: Any) -> Rules:
    return rollout_rules(loaded(metrics), "d-1", "blue", "green", (100,))


def mistakes(metrics: Any) -> str:
    with pytest.raises(SettingsError) as error:
        loaded(metrics)
    return str(error.value)


@pytest.mark.parametrize(
    ("metrics", "gives"),
    [
        (ENVOY, set(BOTH)),
        ({**ENVOY, "measures": ["errors"]}, {"errors"}),
        ({"kind": "haproxy"}, {"errors"}),
        ({"kind": "haproxy", "log": "/var/log/haproxy.log"}, set(BOTH)),
        (PROMETHEUS, set(BOTH)),
        ({**PROMETHEUS, "levels": {"presets": ["django"]}}, {*BOTH, "database"}),
        ({**PROMETHEUS, "levels": {"presets": ["node_exporter"]}}, {*BOTH, "hosts"}),
        ({**PROMETHEUS, "levels": {"replication_lag": "x", "cpu": "y"}}, {*BOTH, "database", "hosts"}),
        ({**CLOUDWATCH, "levels": {"databases": [{"instance": "a"}]}}, {*BOTH, "database", "hosts"}),
        ({**CLOUDWATCH, "levels": {"groups": ["a"]}}, {*BOTH, "hosts"}),
    ],
)
def test_what_a_source_gives(metrics: dict[str, Any], gives: set[str]) -> None:
    """As it is configured: what nobody asks it for, it does not give."""
    model = kinds.model(kinds.KINDS["metrics"][metrics["kind"]])
    assert gives == given_by(model.model_validate(metrics))


def test_the_first_that_gives_errors_says_what_users_met() -> None:
    """Wherever it stands; the others are judged beside it, in their order. Who gives neither is not judged."""
    timed = {**PROMETHEUS, "measures": ["latency"]}
    read = {**PROMETHEUS, "measures": ["hosts"], "levels": {"presets": ["node_exporter"]}}
    found = judged(parts(loaded([timed, read, ENVOY, PROMETHEUS]).sections["metrics"]))
    assert [("envoy", 2, BOTH), ("prometheus 1", 0, ("latency",)), ("prometheus 3", 3, BOTH)] == [*map(tuple, found)]


def test_rules_know_what_each_gives() -> None:
    """A single section has no name, in a list or not, and is judged as ever."""
    assert ("users", BOTH, ()) == (rules(ENVOY).users, rules(ENVOY).measures, rules(ENVOY).more)
    assert rules(ENVOY) == rules([ENVOY])
    assert ("users", ("errors",)) == ((found := rules({"kind": "haproxy"})).users, found.measures)
    found = rules([{**ENVOY, "measures": ["errors"]}, {**PROMETHEUS, "measures": ["latency"]}])
    assert ("envoy", ("errors",), (("prometheus", ("latency",)),)) == (found.users, found.measures, found.more)


def test_mistakes_have_their_path() -> None:
    """Each part's own; what it cannot give; and that nobody counts errors."""
    assert "metrics[1].kind: 'promotheus' is unknown" in mistakes([ENVOY, {"kind": "promotheus"}])
    said = mistakes([ENVOY, {"kind": "haproxy", "measures": ["latency"]}])
    assert "metrics[1]: measures: as it is configured it gives errors, not latency" in said
    said = mistakes([{**ENVOY, "measures": ["latency"]}])
    assert "production.metrics: nothing gives `errors`" in said
    assert "production.metrics: nothing gives `errors`" in mistakes({**ENVOY, "measures": ["latency"]})
    assert "measures: name one at least" in mistakes({**ENVOY, "measures": []})
