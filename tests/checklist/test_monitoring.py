"""A deployment that nobody can judge must not begin."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import memory
import pytest

from deploytasks.checklist import evaluate, item_of
from deploytasks.checklist.subject import Subject
from deploytasks.errors import Unreachable
from deploytasks.ports import AlertRule, Call, Finding, NoData
from deploytasks.providers.alert_sources import AlertSources
from deploytasks.settings import load
from deploytasks.settings.alertmanager import AlertmanagerSettings
from deploytasks.settings.pagerduty import PagerDutyAlertSettings
from deploytasks.settings.several import Several

RULE = AlertRule("Errors", {"service": "library"})


def looked(name: str, world: memory.TestWorld) -> tuple[str, str]:
    """Answer and evidence."""
    item = item_of(f"monitoring.{name}")
    assert item is not None
    return item.look(Subject(world, None))[:2]


@pytest.fixture
def world(tmp_path: Path) -> memory.TestWorld:
    """Blue is live; the level is production."""
    made = memory.world(tmp_path, gates={"level": "production"})
    memory.state_of(tmp_path).change(split=[100, 0, None, None])
    assert isinstance(made, memory.TestWorld)
    return made


# -- metrics ----------------------------------------------------------------------------------------------------------


def test_metrics_at_the_source_have_no_age(world: memory.TestWorld) -> None:
    """A balancer that counts is asked itself."""
    told = "envoy answers: blue is counted at the source; what happens shows within 0 s"
    assert ("pass", told) == looked("metrics", world)


def test_metrics_that_are_copied_say_how_old_they_are(world: memory.TestWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the source's own clock."""
    monkeypatch.setattr(memory.FakeMetrics, "age", lambda self, color: 7.2, raising=False)
    assert "envoy answers: the newest sample of blue is 7 s old" in looked("metrics", world)[1]
    monkeypatch.setattr(memory.FakeMetrics, "age", lambda self, color: None)
    assert ("pass", True) == ((found := looked("metrics", world))[0], "blue has had no request yet" in found[1])


def test_silent_metrics(world: memory.TestWorld, tmp_path: Path) -> None:
    """They fail, with what the source says."""
    memory.state_of(tmp_path).set(silent=True)
    assert ("fail", "unreachable: envoy: the metrics are silent") == looked("metrics", world)


def test_metrics_before_the_first_deployment(
    world: memory.TestWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There may be no numbers yet, as long as the source itself answers; or a balancer that is started first."""
    memory.state_of(tmp_path).change(split=[0, 0, None, None])
    assert ("pass", True) == ((found := looked("metrics", world))[0], "nothing is live yet" in found[1])
    memory.state_of(tmp_path).set(silent=True)
    assert "fail" == looked("metrics", world)[0]
    fine = [Finding("clock", "ok", "answers"), Finding("series", "fail", "none")]
    monkeypatch.setattr(memory.FakeMetrics, "diagnose", lambda self: fine)
    told = "envoy answers, and has no numbers before anything is live: the metrics are silent"
    assert ("warn", told) == looked("metrics", world)
    monkeypatch.setattr(memory.FakeTraffic, "prepare", lambda self: [[Call("start it", lambda timeout: None)]])
    assert "pending" == looked("metrics", world)[0]


def test_metrics_without_the_live_color(world: memory.TestWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """Numbers of the other color say nothing about users."""
    monkeypatch.setattr(memory.FakeMetrics, "totals", lambda self, since, edges: {"green": None})
    assert ("fail", True) == ((found := looked("metrics", world))[0], "knows nothing of blue" in found[1])


PROMETHEUS = {"kind": "prometheus", "url": "http://a:9090", "counts": "django"}


def test_each_of_several_sources_is_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The worst of them is the answer, and comes first; all have their say."""
    made = memory.world(tmp_path, metrics=[{"kind": "envoy"}, PROMETHEUS], gates={"level": "production"})
    assert isinstance(made, memory.TestWorld)
    memory.state_of(tmp_path).change(split=[100, 0, None, None])
    told = "envoy answers: blue is counted at the source; what happens shows within 0 s"
    assert ("pass", f"{told}; {told.replace('envoy', 'prometheus')}") == looked("metrics", made)
    memory.state_of(tmp_path).set(sources={"prometheus": {"silent": True}})
    assert ("fail", f"prometheus: prometheus are silent; {told}") == looked("metrics", made)


def test_a_source_of_readings_alone_is_asked_for_these(tmp_path: Path) -> None:
    """It need not know how many requests there are."""
    levels = {**PROMETHEUS, "measures": ["hosts"], "levels": {"presets": ["node_exporter"]}}
    made = memory.world(tmp_path, metrics=[{"kind": "envoy"}, levels])
    assert isinstance(made, memory.TestWorld)
    memory.state_of(tmp_path).set(levels={"cpu": 0.5}, sources={"prometheus": {"silent": True}})
    assert "prometheus answers: 1 readings of database and hosts" in looked("metrics", made)[1]
    memory.state_of(tmp_path).set(levels=None)
    assert ("fail", True) == ((found := looked("metrics", made))[0], "prometheus: the levels are" in found[1])


# -- thresholds -------------------------------------------------------------------------------------------------------


def fed(folder: Path, level: str = "production", **changes: Any) -> tuple[str, str]:
    """The answer for an environment with these sections."""
    world = memory.world(folder)
    haproxy = {"kind": "haproxy", "public": "http://a", "balancers": ["127.0.0.1:1"]}
    fleet = {"kind": "local", "colors": {"blue": "127.0.0.1:1", "green": "127.0.0.1:2"}, "start": "true"}
    environment = {
        "traffic": haproxy,
        "fleet": fleet,
        "metrics": {"kind": "haproxy", "log": "/var/log/haproxy.log"},
        "alerts": {"kind": "file", "path": "alerts.json"},
        "gates": {"level": level},
        **changes,
    }
    kept = {name: value for name, value in environment.items() if value is not None}
    world.settings = load({"application": "library", "environments": {"test": kept}}, "test")
    assert isinstance(world, memory.TestWorld)
    return looked("thresholds", world)


def test_each_limit_has_its_source(tmp_path: Path) -> None:
    """All are named."""
    assert (
        "pass",
        "errors: haproxy; P99: haproxy; P99 against the baseline: haproxy; health: /health of each host; alerts: file",
    ) == fed(tmp_path)


def test_haproxy_without_a_log_feeds_no_latency(tmp_path: Path) -> None:
    """What to configure is said, and what is fed."""
    answer, told = fed(tmp_path, metrics={"kind": "haproxy"})
    assert "fail" == answer
    assert told.startswith("nothing feeds P99: set `metrics.log` (docs/haproxy.md), or configure `probe`; nothing")
    assert told.endswith("(fed: errors: haproxy; health: /health of each host; alerts: file)")


def test_probes_feed_latency(tmp_path: Path) -> None:
    """Where nobody times users' requests, our own are timed; the evidence says so."""
    probe = {"kind": "http", "rps": 1, "paths": ["/"]}
    answer, told = fed(tmp_path, metrics={"kind": "haproxy"}, probe=probe)
    assert ("pass", True) == (answer, "P99: probes alone, users' requests are not timed" in told)
    assert "errors: haproxy and probes; P99: haproxy and probes" in fed(tmp_path, probe=probe)[1]


def test_each_measure_has_the_sources_that_give_it(tmp_path: Path) -> None:
    """Counts of the balancer, latencies of the application: together they feed all."""
    timed = {**PROMETHEUS, "measures": ["latency"]}
    answer, told = fed(tmp_path, metrics=[{"kind": "haproxy"}, timed])
    assert ("pass", True) == (answer, told.startswith("errors: haproxy; P99: prometheus; P99 against the"))
    answer, told = fed(tmp_path, "development", metrics=[{**PROMETHEUS, "measures": ["errors"]}, PROMETHEUS])
    assert ("pass", True) == (answer, told.startswith("errors: prometheus 1, prometheus 2; P99: prometheus 2; "))


def test_development_refuses_as_well(tmp_path: Path) -> None:
    """A limit that nothing feeds takes nothing back, anywhere."""
    answer, told = fed(tmp_path, "development", metrics={**PROMETHEUS, "measures": ["errors"]})
    assert ("fail", True) == (answer, "name a source that gives `latency` under `metrics`" in told)
    item = item_of("monitoring.thresholds")
    assert item is not None
    assert ("development", True) == (item.level, item.critical)


def test_a_baseline_that_is_not_compared_needs_no_source(tmp_path: Path) -> None:
    """`p99_worse: null` is no limit."""
    assert "baseline" not in fed(tmp_path, rollback_when={"p99_worse": None})[1]


@pytest.mark.parametrize(("level", "answer"), [("production", "fail"), ("staging", "warn")])
def test_without_alerts(tmp_path: Path, level: str, answer: str) -> None:
    """Production demands them; staging hears of it."""
    found = fed(tmp_path, level, alerts=None)
    assert (answer, True) == (found[0], found[1].startswith("nothing feeds alerts: add an `alerts:` section"))


# -- alerts -----------------------------------------------------------------------------------------------------------


def test_alerts_answer(world: memory.TestWorld, tmp_path: Path) -> None:
    """What fires is counted here, and judged by another item."""
    assert ("pass", "file answers: nothing of this service fires") == looked("answering", world)
    memory.state_of(tmp_path).set(alerts=["Disk"])
    assert ("pass", "file answers: 1 alert of this service") == looked("answering", world)
    assert ("fail", "firing: Disk") == looked("alerts", world)


def test_several_alerts_are_named(world: memory.TestWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each by its kind; rules are found in whichever knows them."""
    pager = PagerDutyAlertSettings(services=("PIJ90N7",))
    match = AlertmanagerSettings(url=("http://a",), match={"service": "library"})
    several = Several(parts=(pager, match))
    world.settings = replace(world.settings, sections={**world.settings.sections, "alerts": several})
    fake = memory.FakeAlerts(memory.state_of(tmp_path))
    joined = AlertSources([(part, fake) for part in several.parts])
    world._ports.sections["alerts"] = joined  # type: ignore[attr-defined]  # those in memory
    told = "pagerduty, alertmanager answer: nothing of this service fires"
    assert ("pass", told) == looked("answering", world)
    monkeypatch.setattr(memory.FakeAlerts, "alert_rules", lambda self: (RULE,), raising=False)
    assert looked("rules", world)[1].startswith("1 alert rule, 1 with service=library of their own")


def test_several_alerts_feed_one_limit(tmp_path: Path) -> None:
    """A list of them is as good as one."""
    alerts = [{"kind": "file", "path": "alerts.json"}, {"kind": "pagerduty", "services": "PIJ90N7"}]
    assert fed(tmp_path, alerts=alerts)[1].endswith("alerts: file, pagerduty")


def test_alerts_that_nobody_configured(world: memory.TestWorld) -> None:
    """Nobody would be told: that is no pass, and says what to add."""
    world._ports.sections["alerts"] = None  # type: ignore[attr-defined]  # those in memory
    assert ("fail", True) == ((found := looked("answering", world))[0], "add an `alerts:` section" in found[1])


def test_alerts_that_do_not_answer(world: memory.TestWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are unreachable, for both items."""
    monkeypatch.setattr(memory.FakeAlerts, "firing", lambda self: NoData("refused"))
    assert ("fail", "unreachable: refused") == looked("alerts", world)
    assert ("fail", "unreachable: file: refused") == looked("answering", world)


# -- rules ------------------------------------------------------------------------------------------------------------


def with_rules(monkeypatch: pytest.MonkeyPatch, *rules: AlertRule) -> None:
    monkeypatch.setattr(memory.FakeMetrics, "alert_rules", lambda self: rules, raising=False)


def test_rules_that_nobody_tells(world: memory.TestWorld) -> None:
    """A person says that they exist, and that they were tested."""
    answer, told = looked("rules", world)
    assert ("needs a signature", True) == (answer, told.endswith("A signature counts for 90 days"))


def test_rules_exist(world: memory.TestWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """How many, and how many are this service's by their own labels; that they were tested, a person signs."""
    with_rules(monkeypatch, RULE, RULE._replace(labels={}))
    alerts = AlertmanagerSettings(url=("http://a",), match={"service": "library"})
    world.settings = replace(world.settings, sections={**world.settings.sections, "alerts": alerts})
    answer, told = looked("rules", world)
    assert ("needs a signature", True) == (answer, told.startswith("2 alert rules, 1 with service=library of their"))


def test_no_rule_and_a_broken_one(world: memory.TestWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """No signature helps against these: nothing would ever fire."""
    with_rules(monkeypatch)
    assert ("fail", "there is no alert rule: nothing would ever fire") == looked("rules", world)
    with_rules(monkeypatch, RULE, RULE._replace(name="Disk", broken="parse error"))
    assert ("fail", "1 of 2 alert rules cannot be evaluated: Disk (parse error)") == looked("rules", world)


def test_rules_of_the_alerts_go_before_those_of_the_metrics(
    world: memory.TestWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where alerts know their own rules, as CloudWatch's alarms do, nothing else fires them."""
    with_rules(monkeypatch)
    monkeypatch.setattr(memory.FakeAlerts, "alert_rules", lambda self: [RULE], raising=False)
    answer, told = looked("rules", world)
    assert ("needs a signature", True) == (answer, told.startswith("1 alert rule;"))


def test_silent_rules(world: memory.TestWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """Unreachable, and no signature."""

    def silent(self: object) -> Sequence[AlertRule]:
        raise Unreachable("no answer")

    monkeypatch.setattr(memory.FakeMetrics, "alert_rules", silent, raising=False)
    assert ("fail", "unreachable: no answer") == looked("rules", world)


@pytest.mark.parametrize(("days", "answer"), [(10, "pass"), (40, "needs a signature")])
def test_a_signature_counts_for_as_long_as_is_configured(tmp_path: Path, days: int, answer: str) -> None:
    """For whatever is deployed meanwhile, and not a day longer."""
    made = memory.world(tmp_path, gates={"level": "production", "alerts_tested_within": "30d"})
    made.note("signed", act="sign", item="monitoring.rules", about="another commit", note="fired on purpose")
    made.clock.sleep(timedelta(days=days).total_seconds())
    found = {result.item: result for result in evaluate(Subject(made, memory.release()))}["monitoring.rules"]
    assert answer == found.answer
