"""What HAProxy logs and counts is what users experienced."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from deploytasks.errors import UsageError
from deploytasks.ports import Color, NoData, Split, Totals
from deploytasks.providers.haproxy import Metrics
from deploytasks.providers.haproxy.logfile import FarLog
from deploytasks.providers.hosts.localhost import LocalHost
from deploytasks.settings.haproxy import MetricsSettings

from .conftest import BLUE, Application, House, until

EDGES = (0.1, 0.25, 0.5, 2.0)
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def totals(metrics: Metrics, since: datetime = LONG_AGO) -> dict[str, Totals]:
    found = metrics.totals(since, EDGES)
    assert not isinstance(found, NoData), found.why
    return {str(color): each for color, each in found.items()}


@pytest.fixture(params=["near", "far"])
def metrics(request: pytest.FixtureRequest, house: House, monkeypatch: pytest.MonkeyPatch) -> Metrics:
    """The log here, and the same log as if it were on another host."""
    found = house.metrics
    if request.param == "far":
        monkeypatch.setattr(found, "_logs", lambda: [FarLog("lb1", LocalHost, str(house.balancer.log))])
    return found


def test_counts_requests_errors_and_slow_ones_per_color(house: House, metrics: Metrics) -> None:
    """5xx are errors, 404 are not; a request of 0.3 s is slower than 0.1 and 0.25 s, and not than 0.5 s."""
    house.traffic.shift(BLUE).perform(30)
    for wish in ("status=200", "status=404", "status=500", "status=503", "delay=0.3"):
        house.get(f"/?{wish}")
    house.traffic.shift(Split.all_on("green")).perform(30)
    house.get()
    until(lambda: totals(metrics)["green"].requests == 1)
    found = totals(metrics)
    assert (5, 2) == found["blue"][:2]
    assert (1, 0) == found["green"][:2]
    assert {0.1: 1, 0.25: 1} == found["blue"].slower


def test_the_maintenance_page_and_the_empty_site_count_for_nobody(house: House, metrics: Metrics) -> None:
    """Requests that no color saw are in no color's numbers."""
    house.get()
    until(lambda: '"backend":"library"' in house.balancer.log.read_text())
    assert [Totals(0, 0, {})] * 2 == list(totals(metrics).values())


def test_a_timeout_is_slower_than_everything(new_house: Callable[..., House]) -> None:
    """A request that HAProxy gave up is an error, and slow at every edge."""
    house = new_house(extra={"timeout server 30s": "timeout server 300ms"})
    house.traffic.shift(BLUE).perform(30)
    assert 504 == house.get("/?delay=0.6").status
    metrics = house.metrics
    until(lambda: totals(metrics)["blue"].requests)
    assert Totals(1, 1, dict.fromkeys(EDGES, 1)) == totals(metrics)["blue"]


def test_half_an_answer_is_an_error(house: House) -> None:
    """The application dies in the middle of a 200: the user has nothing of it."""
    house.traffic.shift(BLUE).perform(30)
    with suppress(Exception):
        house.get("/?cut=1", timeout=5)
    metrics = house.metrics
    until(lambda: totals(metrics)["blue"].requests)
    assert (1, 1) == totals(metrics)["blue"][:2]


def test_a_user_who_leaves_is_no_error_but_has_waited(house: House) -> None:
    """A client that hangs up after 0.3 s without an answer counts as slow at 0.1 s, and not as an error."""
    house.traffic.shift(BLUE).perform(30)
    parts = urlsplit(house.balancer.address)
    gone = threading.Event()
    with socket.create_connection((str(parts.hostname), parts.port or 0)) as client:
        client.sendall(b"GET /?delay=1 HTTP/1.1\r\nHost: x\r\n\r\n")
        gone.wait(0.3)
        client.shutdown(socket.SHUT_RDWR)
    metrics = house.metrics
    until(lambda: totals(metrics)["blue"].requests)
    assert (1, 0) == totals(metrics)["blue"][:2]
    assert 1 == totals(metrics)["blue"].slower[0.1]


def test_a_dead_color_counts_as_errors(house: House, applications: dict[Color, Application]) -> None:
    """What HAProxy answers in place of an application that does not listen is an error of its color."""
    house.traffic.shift(Split.all_on("blue", None, "x:y")).perform(30)
    applications["blue"].is_healthy = False
    until(lambda: "blue1 DOWN" in str(house.traffic.diagnose()))
    assert 503 == house.get().status
    metrics = house.metrics
    until(lambda: totals(metrics)["blue"].requests)
    assert (1, 1) == totals(metrics)["blue"][:2]


def test_a_log_that_is_missing_is_no_data(house: House, metrics: Metrics) -> None:
    """Never zero: no data, and why."""
    house.balancer.log.unlink()
    found = metrics.totals(LONG_AGO, EDGES)
    assert isinstance(found, NoData)
    assert "cannot be read" in found.why


def test_all_balancers_are_summed_up(new_house: Callable[..., House], monkeypatch: pytest.MonkeyPatch) -> None:
    """Two HAProxys with a log each: one number per color."""
    from deploytasks.providers.haproxy.logfile import NearLog

    house = new_house(2)
    house.traffic.shift(BLUE).perform(30)
    metrics = house.metrics
    monkeypatch.setattr(metrics, "_logs", lambda: [NearLog(str(each.log)) for each in house.balancers])
    for at in (0, 0, 1):
        house.get("/?status=500" if at else "/", at=at)
    until(lambda: totals(metrics)["blue"].requests == 3)
    assert 1 == totals(metrics)["blue"].errors
    house.balancers[1].log.unlink()
    assert isinstance(metrics.totals(LONG_AGO, EDGES), NoData)


def test_a_log_that_two_balancers_share_counts_once(new_house: Callable[..., House]) -> None:
    """Both are on this machine, and so is the file."""
    house = new_house(2)
    house.traffic.shift(BLUE).perform(30)
    house.get()
    metrics = house.metrics
    until(lambda: totals(metrics)["blue"].requests)
    assert 1 == totals(metrics)["blue"].requests


# -- without a log ---------------------------------------------------------------------------------------------


def test_without_a_log_there_are_counts(house: House) -> None:
    """Requests and errors from HAProxy's own counters, and nothing about latency."""
    house.log = None
    house.traffic.shift(BLUE).perform(30)
    for status in (200, 404, 500):
        house.get(f"/?status={status}")
    metrics = house.metrics
    until(lambda: totals(metrics)["blue"].requests == 3)
    assert {"blue": Totals(3, 1, {}), "green": Totals(0, 0, {})} == totals(metrics)


def test_counters_go_on_over_a_restart(house: House) -> None:
    """HAProxy starts again at zero; what was counted before is not forgotten, so no difference is negative."""
    house.log = None
    house.traffic.shift(BLUE).perform(30)
    house.get("/?status=500")
    house.get()
    metrics = house.metrics
    until(lambda: totals(metrics)["blue"].requests == 2)
    house.balancer.restart()
    house.get()
    until(lambda: totals(metrics)["blue"].requests == 3)
    assert 1 == totals(metrics)["blue"].errors


# -- doctor ----------------------------------------------------------------------------------------------------


def findings(metrics: Metrics) -> dict[str, tuple[str, str]]:
    return {each.subject: (each.state, each.detail) for each in metrics.diagnose()}


def test_doctor_says_that_nothing_feeds_the_limits_on_latency(house: House) -> None:
    """Without a log that is a failure; with a prober, a warning."""
    house.log = None
    assert "fail" == findings(house.metrics)["metrics: haproxy, latency"][0]
    house.more["probe"] = MaintenanceSettingsStandIn
    assert "warn" == findings(house.metrics)["metrics: haproxy, latency"][0]


MaintenanceSettingsStandIn: Any = MetricsSettings()
"""Any section: that it is there is what counts."""


def test_doctor_says_how_much_of_the_log_is_ours(house: House) -> None:
    """Ours and others': a share. None of ours: a failure."""
    house.traffic.shift(BLUE).perform(30)
    house.get()
    until(lambda: '"backend":"library_blue"' in house.balancer.log.read_text())
    (found,) = findings(house.metrics).values()
    assert "ok" == found[0]
    assert "1 requests of both colors" in found[1]
    house.balancer.log.write_text("Nov 23 haproxy[1]: 10.0.0.1:1 [23/Nov/2026] app~ app/a 0/0/0/1/1 200 …\n" * 3)
    (found,) = findings(house.metrics).values()
    assert ("fail", "none of its last 3 lines has our log-format") == found


def test_needs_haproxy_as_balancer(house: House) -> None:
    """Without HAProxy there is nothing to read: code 2."""
    with pytest.raises(UsageError, match=r"needs traffic: \{kind: haproxy\}"):
        Metrics(MetricsSettings(), house.site._replace(sections={}))


def test_counts_since_an_instant(house: House, tmp_path: Path, metrics: Metrics) -> None:
    """What ended before does not count; what ends after it does, whatever the balancer's clock says then."""
    house.traffic.shift(BLUE).perform(30)
    house.get()
    until(lambda: '"backend":"library_blue"' in house.balancer.log.read_text())
    later = datetime.now(UTC) + timedelta(hours=1)
    assert 0 == totals(metrics, later)["blue"].requests
    house.get()
    until(lambda: totals(metrics, later)["blue"].requests == 1)
