"""The rules by which alerts fire, as a Prometheus tells them; and how old its samples are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from lab.answering import Asked, answering, page
from lab.prometheus import exporters, job, prometheus, until

from deploytasks.errors import Unreachable
from deploytasks.ports import NoData
from deploytasks.providers.prometheus import Metrics
from deploytasks.providers.site import Site
from deploytasks.settings.prometheus import PrometheusSettings

GOOD = {"alert": "Down", "expr": "up == 0", "labels": {"service": "library", "severity": "critical"}}
BROKEN = {"alert": "Odd", "expr": "up + on(job) group_left() up"}
NOT_AN_ALERT = {"record": "up:sum", "expr": "sum(up)"}


def metrics(url: str) -> Metrics:
    said = {"counts": {"requests": "hits", "errors": "bad"}, "latency": {"buckets": "t_bucket"}}
    folder = Path("/nowhere")
    settings = PrometheusSettings.model_validate({"url": url, "within": 5, **said})
    return Metrics(settings, Site("library", "test", folder, folder, None, "ann"))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Prometheus with a good rule, a broken one, and one that is no alert; two targets of one job are down."""
    with exporters(1) as (exporter,):
        exporter.text = 'hits{color="blue"} 7\n'
        jobs = [job("web", exporter.target, "127.0.0.1:1")]
        with prometheus(tmp_path_factory.mktemp("rules"), jobs, rules=[GOOD, BROKEN, NOT_AN_ALERT]) as made:
            until(lambda: exporter.scrapes > 1)
            yield made.url


def test_real_rules(server: str) -> None:
    """Alerts alone, with the labels that they give; what cannot be evaluated says why."""
    until(lambda: any(rule.broken for rule in metrics(server).alert_rules()))
    good, broken = metrics(server).alert_rules()
    assert ("Down", {"service": "library", "severity": "critical"}, "") == good
    assert ("Odd", True) == (broken.name, "many" in broken.broken)


def test_real_age(server: str) -> None:
    """By the clock of Prometheus; a color without any series has none."""
    of = metrics(server)
    assert not isinstance(of.totals(datetime.now(UTC), ()), NoData)
    blue = of.age("blue")
    assert blue is not None
    assert 0 <= blue < 60
    assert of.age("green") is None


def rules(*given: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    return {"status": "success", "data": {"groups": [{"name": "a", "rules": list(given)}]}, **more}


def test_what_is_asked_for() -> None:
    """Alerting rules only: recording ones may be thousands."""
    with answering(lambda asked: rules()) as lab:
        assert [] == metrics(lab.url).alert_rules()
    assert [("/api/v1/rules", {"type": ["alert"]})] == [(asked.path, asked.query) for asked in lab.asked]


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (page(404, "no such page"), "answered 404"),
        ({"status": "error", "errorType": "x", "error": "y"}, "something else than a result"),
        (rules(warnings=["store b is silent"]), "in part only: store b is silent"),
        (rules({"name": "Down"}), "a result that cannot be read"),
        ({"status": "success", "data": {"groups": 5}}, "a result that cannot be read"),
    ],
)
def test_odd_answers(answer: Any, why: str) -> None:
    """Not to know whether there are rules is not the same as that there are none."""

    def say(asked: Asked) -> Any:
        return answer

    with answering(say) as lab, pytest.raises(Unreachable, match=why) as failed:
        metrics(lab.url).alert_rules()
    assert "(its alert rules)" in failed.value.what
