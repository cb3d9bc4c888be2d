"""Several sources of metrics as one port: all asked at once, each for what it is there for."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from deploytasks.errors import Unreachable
from deploytasks.ports import Color, Finding, NoData, Totals
from deploytasks.providers import open_provider
from deploytasks.providers.envoy import Metrics as Envoy
from deploytasks.providers.site import Site
from deploytasks.providers.sources import Sources
from deploytasks.settings.envoy_metrics import MetricsSettings as EnvoySettings
from deploytasks.settings.prometheus import LevelQueries, PrometheusSettings
from deploytasks.settings.several import Several

NOW = datetime(2026, 11, 23, 10, 15, tzinfo=UTC)
ENVOY = EnvoySettings()


def prometheus(**said: Any) -> PrometheusSettings:
    levels = LevelQueries(presets=("node_exporter", "postgres_exporter"))
    return PrometheusSettings.model_validate({"url": "http://a:9090", "counts": "django", "levels": levels, **said})


class Source:
    """One that says what it was given: numbers, or nothing, or a failure."""

    def __init__(self, lag: float = 0.0, requests: int = 0, **levels: float) -> None:
        self.lag = lag
        self.requests = requests
        self.read: Mapping[str, float] = levels
        self.fails: Exception | None = None
        self.gate: threading.Barrier | None = None
        self.found: Sequence[Finding] = ()

    def _answer(self) -> None:
        if self.gate is not None:
            self.gate.wait(5)
        if self.fails is not None:
            raise self.fails

    def totals(self, since: datetime, edges: Sequence[float]) -> Mapping[Color, Totals] | NoData:
        self._answer()
        return {"blue": Totals(self.requests, 0, {})}

    def levels(self) -> Mapping[str, float] | NoData:
        self._answer()
        return self.read

    def diagnose(self) -> Sequence[Finding]:
        self._answer()
        return self.found


def test_the_first_that_gives_errors_is_the_totals() -> None:
    """The others are streams of their own, by their names; who gives neither is not asked."""
    timed, users, other, reader = Source(requests=1), Source(requests=2), Source(requests=3), Source(requests=4)
    parts = [(prometheus(measures=["latency"]), timed), (ENVOY, users), (prometheus(), other)]
    sources = Sources([*parts, (prometheus(measures=["hosts"]), reader)])
    reader.fails = AssertionError("asked")
    assert users.totals(NOW, ()) == sources.totals(NOW, ())
    totals, more = sources.streams(NOW, ())
    assert users.totals(NOW, ()) == totals
    assert {"prometheus 1": timed.totals(NOW, ()), "prometheus 2": other.totals(NOW, ())} == more
    assert (timed, users, other, reader) == sources.sources


def test_all_are_asked_at_once() -> None:
    """Nobody beats while they are asked: it takes as long as the slowest, and not as long as all together."""
    gate = threading.Barrier(2)
    one, two = Source(requests=1), Source(requests=2)
    one.gate = two.gate = gate
    totals, more = Sources([(ENVOY, one), (prometheus(), two)]).streams(NOW, ())
    assert not gate.broken
    assert not isinstance(totals, NoData)
    assert not isinstance(more["prometheus"], NoData)


def test_one_that_is_silent_keeps_no_other_from_being_heard() -> None:
    """It is no data and says why; what is no failure of a service comes out as it is."""
    one, two = Source(requests=1), Source(requests=2)
    two.fails = Unreachable("Sentry says 429")
    sources = Sources([(ENVOY, one), (prometheus(), two)])
    totals, more = sources.streams(NOW, ())
    assert not isinstance(totals, NoData)
    assert {"prometheus": NoData("Sentry says 429")} == more
    two.fails = ZeroDivisionError()
    with pytest.raises(ZeroDivisionError):
        sources.streams(NOW, ())


def test_levels_are_those_that_each_is_there_for() -> None:
    """The worst of each; of one that is silent nothing, and of all that are, why."""
    database = Source(pool=0.4, cpu=0.99, query_time=0.1)
    hosts, both = Source(cpu=0.3, memory=0.5), Source(cpu=0.2, pool=0.6)
    sources = Sources(
        [
            (ENVOY, Source(requests=1, disk=1.0)),
            (prometheus(measures=["database"]), database),
            (prometheus(measures=["hosts"]), hosts),
            (prometheus(), both),
        ]
    )
    assert {"pool": 0.6, "query_time": 0.1, "cpu": 0.3, "memory": 0.5} == sources.levels()
    hosts.fails = Unreachable("no answer")
    assert {"pool": 0.6, "query_time": 0.1, "cpu": 0.2} == sources.levels()
    database.fails = both.fails = hosts.fails
    told = "prometheus 1: no answer; prometheus 2: no answer; prometheus 3: no answer"
    assert NoData(told) == sources.levels()
    assert {} == Sources([(ENVOY, Source())]).levels()


def test_it_is_as_late_as_the_latest_that_is_judged() -> None:
    """Who only warns of a busy host is not waited for."""
    late, reader = Source(lag=90.0), Source(lag=600.0)
    parts = [(ENVOY, Source(lag=2.0)), (prometheus(), late), (prometheus(measures=["hosts"]), reader)]
    sources = Sources(parts)
    assert 90.0 == sources.lag
    late.lag = 120.0
    assert 120.0 == sources.lag


def test_each_is_diagnosed_by_its_name() -> None:
    """Also where two have one kind, and where one fails altogether."""
    one, two, down = Source(), Source(), Source()
    one.found = [Finding("metrics: envoy", "ok", "fine")]
    two.found = [Finding("metrics: prometheus", "ok", "answers"), Finding("metrics: requests", "warn", "none")]
    down.fails = Unreachable("no answer", do="wait")
    found = Sources([(ENVOY, one), (prometheus(), two), (prometheus(), down)]).diagnose()
    subjects = ["metrics: envoy", "metrics: prometheus 1", "metrics: prometheus 1: requests", "metrics: prometheus 2"]
    assert subjects == [each.subject for each in found]
    assert Finding("metrics: prometheus 2", "fail", "no answer", "wait") == found[-1]


def test_a_list_is_opened_as_one_port_and_a_single_section_as_itself(tmp_path: Path) -> None:
    """A single one that says what it measures gives nothing else either."""
    site = Site("shop", "test", tmp_path, tmp_path / "state", None, "ann@desk", {})
    admin = EnvoySettings(admin="http://127.0.0.1:9901")
    opened = open_provider("metrics", Several(parts=(admin, prometheus())), site)
    assert isinstance(opened, Sources)
    assert ["Metrics", "Metrics"] == [type(port).__name__ for port in opened.sources]
    assert isinstance(open_provider("metrics", admin, site), Envoy)
    narrowed = open_provider("metrics", prometheus(measures=["errors"]), site)
    assert {} == narrowed.levels()
    assert 15.0 == narrowed.lag
