"""A real Prometheus, which scrapes exporters that the tests control."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from lab.prometheus import Exporter, Server, exporters, job, prometheus, until

from deploytasks.ports import Finding, NoData, Totals
from deploytasks.providers.prometheus import Metrics
from deploytasks.providers.site import Site
from deploytasks.settings.prometheus import PrometheusSettings

EDGES = (0.5, 1.0, 2.0)


class House(NamedTuple):
    """The server, and an exporter for each test that wants one of its own."""

    server: Server
    pages: dict[str, list[Exporter]]
    folder: Path

    def metrics(self, name: str, **given: Any) -> Metrics:
        """Of the job ``name``."""
        match = {"match": {"job": name}}
        said = {
            "url": self.server.url,
            "scrape": "100ms",
            "stale_after": "20s",
            "counts": {"requests": "hits_total", "errors": "failures_total", **match},
            "latency": {"buckets": "seconds_bucket", **match},
            **given,
        }
        site = Site("library", "test", self.folder, self.folder, None, "ann@desk")
        return Metrics(PrometheusSettings.model_validate(said), site)


JOBS = {
    "counts": 1,
    "restarts": 1,
    "several": 2,
    "labelled": 1,
    "down": 1,
    "late": 1,
    "broken": 1,
    "doctor": 1,
    "levels": 1,
}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("prometheus")
    with exporters(sum(JOBS.values())) as made:
        ready, pages, jobs = iter(made), {}, []
        for name, count in JOBS.items():
            pages[name] = list(islice(ready, count))
            labels = {"color": "green"} if name == "labelled" else {}
            jobs.append(job(name, *((page.target, labels) for page in pages[name])))
            for page in pages[name]:
                page.text = "" if name == "labelled" else said(blue=(100, 3))
        with prometheus(folder, jobs, scrape="100ms") as server:
            until(lambda: all(page.scrapes > 1 for each in pages.values() for page in each))
            yield House(server, pages, folder)


def said(slow: int = 0, **colors: tuple[int, int]) -> str:
    """What an exporter says; requests and errors per color, ``slow`` of the requests took three seconds."""
    lines = []
    for color, (requests, errors) in colors.items():
        counts = {"0.5": requests - slow, "1": requests - slow, "2.5": requests - slow, "+Inf": requests}
        lines += [f'hits_total{{color="{color}"}} {requests}', f'failures_total{{color="{color}"}} {errors}']
        lines += [f'seconds_bucket{{color="{color}",le="{le}"}} {count}' for le, count in counts.items()]
    return "".join(f"{line}\n" for line in lines)


def totals(of: Metrics, since: datetime) -> dict[str, Totals]:
    found = of.totals(since, EDGES)
    assert not isinstance(found, NoData), found.why
    return {str(color): total for color, total in found.items()}


def test_counts_since_the_beginning(house: House) -> None:
    """What was there before does not count; requests, errors and slow ones of each color do."""
    (page,), of, since = house.pages["counts"], house.metrics("counts"), datetime.now(UTC)
    assert {"blue": Totals(0, 0, {}), "green": Totals(0, 0, {})} == totals(of, since)
    page.say(said(slow=2, blue=(110, 4), green=(7, 7)))
    found = totals(of, since)
    assert Totals(10, 1, dict.fromkeys(EDGES, 2)) == found["blue"]
    assert Totals(7, 7, dict.fromkeys(EDGES, 2)) == found["green"]
    assert found == totals(of, since)


def test_restarts_are_bridged(house: House) -> None:
    """The process dies twice and counts from nothing again; what it had counted stays."""
    (page,), of, since = house.pages["restarts"], house.metrics("restarts"), datetime.now(UTC)
    totals(of, since)
    for text in (said(blue=(120, 4)), said(blue=(5, 0)), said(blue=(8, 1)), said(blue=(2, 0))):
        page.say(text)
        found = totals(of, since)["blue"]
    assert (20 + 8 + 2, 1 + 1) == found[:2]


def test_a_vanishing_series_takes_nothing_along(house: House) -> None:
    """Of two hosts one stops saying anything about blue: a sum would fall, the count does not."""
    (one, two), of, since = house.pages["several"], house.metrics("several"), datetime.now(UTC)
    totals(of, since)
    one.say(said(blue=(110, 3)))
    two.say(said(blue=(130, 3)))
    assert 40 == totals(of, since)["blue"].requests
    two.say(said(green=(0, 0)))
    one.say(said(blue=(111, 3)))
    assert 41 == totals(of, since)["blue"].requests


def test_a_labelled_target_without_any_series_has_had_no_request(house: House) -> None:
    """An application that nobody has asked yet is up and says nothing: zero. Before, nothing is known of blue."""
    found = house.metrics("labelled").totals(datetime.now(UTC), EDGES)
    assert {"green": Totals(0, 0, {})} == found


def test_a_target_that_is_down_is_no_data_with_its_age(house: House) -> None:
    """Down under load: no data, which target, and how old; up again: the counts go on."""
    (page,), of, since = house.pages["down"], house.metrics("down", stale_after="1s"), datetime.now(UTC)
    totals(of, since)
    page.say(said(blue=(110, 3)))
    assert 10 == totals(of, since)["blue"].requests
    page.text = None
    found = until(lambda: no_data(of, since))
    assert f"(target down {page.target} does not answer its scrapes)" in found
    assert "s old, 1 s are too old" in found
    page.say(said(blue=(115, 3)))
    assert 15 == totals(of, since)["blue"].requests


def no_data(of: Metrics, since: datetime) -> str:
    found = of.totals(since, EDGES)
    return found.why if isinstance(found, NoData) else ""


def test_another_process_begins_where_the_first_did(house: House) -> None:
    """`inv resume` opens a provider anew: it has the same beginning, and counts the same."""
    (page,), first, since = house.pages["late"], house.metrics("late"), datetime.now(UTC)
    totals(first, since)
    for text in (said(blue=(110, 3)), said(blue=(3, 0)), said(blue=(6, 1), green=(4, 0))):
        page.say(text)
        seen = totals(first, since)
    assert seen == totals(house.metrics("late"), since)
    assert [16, 4] == [each.requests for each in seen.values()]


def test_what_prometheus_says_of_a_wrong_query(house: House) -> None:
    """Its own words come through."""
    broken = {"requests": '{job="broken"', "errors": "x"}
    with pytest.raises(ValueError, match="no plain selector"):
        house.metrics("broken", counts=broken)
    found = no_data(house.metrics("broken", counts={"requests": "hits{a=b}", "errors": "x"}), datetime.now(UTC))
    assert "bad_data: invalid parameter" in found
    assert "parse error" in found


def test_nothing_that_matches_is_no_data(house: House) -> None:
    """A misspelled selector never reads as a quiet environment."""
    found = no_data(house.metrics("brocken"), datetime.now(UTC))
    assert 'no series matches hits_total{color=~"blue|green",job="brocken"}' == found


def test_levels_of_a_real_query(house: House) -> None:
    """Presets and a query of one's own, against what node_exporter, postgres_exporter and Django say."""
    of = house.metrics("levels", levels={"presets": ["node_exporter", "postgres_exporter", "django"], "memory": "0.25"})
    (page,) = house.pages["levels"]
    for second in range(1, 4):
        page.say(exported(second))
    found = of.levels()
    assert not isinstance(found, NoData), found.why
    assert {"query_time", "pool", "replication_lag", "cpu", "memory", "disk"} == set(found)
    assert (0.85, 7.5, 0.25) == (found["pool"], found["replication_lag"], found["memory"])
    # One of two processors idled for a quarter of the time, the other not at all; the disk was busy all the time.
    assert 0 < found["cpu"] <= 1
    assert found["disk"] > 0
    assert pytest.approx(0.05) == found["query_time"]


def exported(second: int) -> str:
    return f"""
node_cpu_seconds_total{{cpu="0",mode="idle"}} {second * 0.01}
node_cpu_seconds_total{{cpu="1",mode="idle"}} 0
node_memory_MemAvailable_bytes 25
node_memory_MemTotal_bytes 100
node_disk_io_time_seconds_total{{device="sda"}} {second}
pg_stat_activity_count{{state="active",datname="a"}} 80
pg_stat_activity_count{{state="idle",datname="b"}} 5
pg_settings_max_connections 100
pg_replication_lag_seconds 7.5
pg_stat_statements_seconds_total{{queryid="1"}} {second}
pg_stat_statements_calls_total{{queryid="1"}} {second * 20}
"""


def findings(of: Metrics) -> dict[str, Finding]:
    return {finding.subject: finding for finding in of.diagnose()}


def test_doctor_tells_what_is_there(house: House) -> None:
    """The clock, the series of each selector, the pace, and the bucket that is missing for a limit of 2 s."""
    found = findings(house.metrics("doctor", levels={"cpu": "vector(0.5)", "disk": "nothing"}))
    assert "ok" == found["metrics: prometheus"].state
    assert ("warn", "blue 1 series, green 0 series") == found["metrics: requests"][1:3]
    assert "every 0.1 s" == found["metrics: scrapes"].detail
    assert "slower than 2 s counts from 2.5 s on" == found["metrics: latency of blue"].detail
    assert "give the histogram a bound at 2 s" == found["metrics: latency of blue"].do
    assert ("ok", "CPU 50 %") == found["metrics: cpu"][1:3]
    assert ("warn", "no result: nothing") == found["metrics: disk"][1:3]


def test_doctor_measures_the_scrapes(house: House) -> None:
    """Whoever is told that it is scraped more often than it is would take old numbers for the present."""
    found = findings(house.metrics("doctor", scrape="50ms"))["metrics: scrapes"]
    assert ("warn", "every 0.1 s, and metrics.scrape says 0.05 s") == found[1:3]


def test_doctor_finds_workers_that_count_each_for_themselves(house: House) -> None:
    """Counters that fall and rise with each scrape are several processes behind one address."""
    (page,) = house.pages["doctor"]
    for count in (500, 100, 501, 101, 502, 102, 503, 103):
        page.say(said(blue=(count, 0)), scrapes=1)
    page.say(said(blue=(504, 0)))
    found = [finding for finding in house.metrics("doctor").diagnose() if "fell" in finding.detail]
    assert found
    assert "multiprocess" in found[0].do


def test_prometheus_dies_and_comes_back(house: House) -> None:
    """No data meanwhile; afterwards what was counted before is still there, and what came is added."""
    (page,), of, since = house.pages["broken"], house.metrics("broken"), datetime.now(UTC)
    page.say(said(blue=(110, 3)))
    before = totals(of, since)["blue"].requests
    house.server.kill()
    assert "Connection refused" in no_data(of, since)
    page.text = said(blue=(115, 3))
    house.server.start()
    page.say(said(blue=(116, 3)))
    assert before + 6 == totals(of, since)["blue"].requests
