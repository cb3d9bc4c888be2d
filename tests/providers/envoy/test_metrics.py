"""What Envoy counts is what users experienced."""

from __future__ import annotations

import signal
from datetime import UTC, datetime

import pytest

from deploytasks.errors import UsageError
from deploytasks.ports import NoData, Split, Totals
from deploytasks.providers.envoy import Metrics
from deploytasks.providers.envoy.metrics import samples, slower_than, totals_of
from deploytasks.providers.identity import signal_if_same
from deploytasks.settings.envoy_metrics import MetricsSettings
from deploytasks.verdict.ladder import LADDER

from .conftest import House, until

NOW = datetime(2026, 11, 23, tzinfo=UTC)
EDGES = (0.1, 0.25, 0.5, 2.0)


def _totals(house: House) -> dict[str, Totals]:
    found = house.metrics.totals(NOW, EDGES)
    assert not isinstance(found, NoData)
    return {str(color): totals for color, totals in found.items()}


def test_counts_requests_and_errors_per_color(house: House) -> None:
    """Every answer counts for its color; 5xx are errors, 404 are not."""
    house.start(Split.all_on("blue"))
    for status in (200, 200, 404, 500, 503):
        house.get(f"/?status={status}")
    house.traffic.shift(Split.all_on("green")).perform(10)
    house.get()
    found = _totals(house)
    assert [(5, 2), (1, 0)] == [(found[color].requests, found[color].errors) for color in ("blue", "green")]


def test_counts_how_many_were_slower(house: House) -> None:
    """A request that took 0.3 s is slower than 0.1 and 0.25 s, and not than 0.5 s."""
    house.start(Split.all_on("blue"))
    for delay in (0, 0, 0.3):
        house.get(f"/?delay={delay}")
    until(lambda: _totals(house)["blue"].slower)
    assert {0.1: 1, 0.25: 1} == _totals(house)["blue"].slower


def test_a_timeout_is_slower_than_everything(house: House) -> None:
    """A request that the balancer gave up is an error, and slow at every edge."""
    house.wish["timeout"] = "0.3s"
    house.start(Split.all_on("blue"))
    assert 504 == house.get("/?delay=0.6").status
    assert Totals(1, 1, dict.fromkeys(EDGES, 1)) == _totals(house)["blue"]


def test_a_dead_color_counts_as_errors(house: House) -> None:
    """What Envoy answers in place of an application that does not listen is an error of its color."""
    house.wish["colors"] = {"blue": "127.0.0.1:9", "green": "127.0.0.1:9"}
    house.start(Split.all_on("blue"))
    assert 503 == house.get().status
    assert (1, 1) == _totals(house)["blue"][:2]


def test_the_maintenance_page_counts_for_nobody(house: House) -> None:
    """Requests that no color saw are in no color's numbers."""
    house.start()
    house.get()
    assert [Totals(0, 0, {})] * 2 == list(_totals(house).values())


def test_no_envoy_is_no_data(house: House) -> None:
    """Not running, and killed: no data, and why; never zero."""
    assert isinstance(house.metrics.totals(NOW, EDGES), NoData)
    house.start(Split.all_on("blue"))
    state = house.place.read_state()
    for known in (state.supervisor, state.envoy):
        signal_if_same(known, signal.SIGKILL)
    until(lambda: not house.place.read_state().alive)
    found = house.metrics.totals(NOW, EDGES)
    assert isinstance(found, NoData)
    assert "does not answer" in found.why
    assert "warn" == house.metrics.diagnose()[0].state


def test_every_edge_of_the_ladder_has_its_bucket(house: House) -> None:
    """Envoy's histogram is the verdict's ladder: no edge is rounded to another one."""
    house.start(Split.all_on("blue"))
    house.get()
    admin = house.metrics._admin

    def edges() -> set[float]:
        found = samples(admin.statistics("^cluster.blue.upstream_rq_time$"))
        bounds = (sample.labels["le"] for sample in found if "le" in sample.labels)
        return {float(bound) / 1000 for bound in bounds if bound != "+Inf"}

    until(edges)
    assert pytest.approx(sorted(LADDER)) == sorted(edges())


def test_counts_go_on_over_a_hot_restart(house: House) -> None:
    """After a change of configuration there is data at once."""
    house.start(Split.all_on("blue"))
    house.get()
    house.wish["upstream_idle"] = "20s"
    house.start()
    house.get()
    assert _totals(house)["blue"].requests >= 1


def test_doctor_shows_the_counts(house: House) -> None:
    """A reachable Envoy is fine."""
    house.start(Split.all_on("blue"))
    house.get()
    assert ("ok", "blue 1 requests, green 0 requests") == house.metrics.diagnose()[0][1:3]


def test_needs_an_envoy_somewhere(house: House) -> None:
    """Without Envoy as balancer and without an admin address: code 2."""
    with pytest.raises(UsageError, match=r"needs traffic: \{kind: envoy\}"):
        Metrics(MetricsSettings(), house.site._replace(sections={}))


@pytest.mark.parametrize(("edge", "count"), [(0.05, 9), (0.1, 9), (0.11, 4), (0.2, 4), (0.21, 0), (9.0, 0)])
def test_edges_between_buckets_never_count_too_many(edge: float, count: int) -> None:
    """An edge without a bucket of its own is counted at the next one above."""
    assert count == slower_than(edge, [(0.1, 1), (0.2, 6), (float("inf"), 10)])


def test_reads_only_our_clusters() -> None:
    """Lines of others, comments and nonsense are passed over."""
    text = """# TYPE envoy_cluster_upstream_rq_xx counter
envoy_cluster_upstream_rq_xx{envoy_response_code_class="2",envoy_cluster_name="blue"} 8
envoy_cluster_upstream_rq_xx{envoy_response_code_class="5",envoy_cluster_name="blue"} 2
envoy_cluster_upstream_rq_xx{envoy_response_code_class="5",envoy_cluster_name="other"} 70
nonsense
"""
    assert Totals(10, 2, {}) == totals_of("blue", list(samples(text)), EDGES)
