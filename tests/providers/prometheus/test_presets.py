"""The presets count what real exporters say: HAProxy, Envoy and django-prometheus, scraped by a real Prometheus."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple
from urllib.request import urlopen

import pytest
from lab.exporting import a_django, a_haproxy, an_application, an_envoy, get
from lab.prometheus import Exporter, Server, exporters, job, prometheus, until

from deploytasks.ports import NoData, Totals
from deploytasks.providers.prometheus import Metrics
from deploytasks.providers.site import Site
from deploytasks.settings.prometheus import PrometheusSettings

PATHS = ("/ok", "/ok", "/fail", "/missing")


class City(NamedTuple):
    """Prometheus, the front doors of two balancers, and a Django application of two colors."""

    server: Server
    haproxy: int
    envoy: int
    django: subprocess.Popen[str]
    page: Exporter
    folder: Path

    def metrics(self, **given: Any) -> Metrics:
        said = {"url": self.server.url, "scrape": "1s", "stale_after": "20s", **given}
        site = Site("library", "test", self.folder, self.folder, None, "ann@desk")
        return Metrics(PrometheusSettings.model_validate(said), site)

    def ask_django(self, *pages: str) -> None:
        """Have these pages asked for, and what is counted then be scraped."""
        assert self.django.stdin is not None
        assert self.django.stdout is not None
        self.django.stdin.write(" ".join(pages) + "\n")
        self.django.stdin.flush()
        self.page.say("".join(iter(self.django.stdout.readline, "# end\n")))


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    """Blue answers, green does not listen."""
    folder = tmp_path_factory.mktemp("presets")
    with ExitStack() as stack:
        blue = stack.enter_context(an_application())
        haproxy, haproxy_page = stack.enter_context(a_haproxy(folder, blue))
        envoy, envoy_page = stack.enter_context(an_envoy(folder, blue))
        (page,) = stack.enter_context(exporters(1))
        django = stack.enter_context(a_django(folder))
        jobs = [
            job("haproxy", f"127.0.0.1:{haproxy_page}"),
            job("envoy", f"127.0.0.1:{envoy_page}", metrics_path="/stats/prometheus"),
            job("django", (page.target, {"color": "blue"})),
        ]
        server = stack.enter_context(prometheus(folder / "prometheus", jobs))
        found = City(server, haproxy, envoy, django, page, folder)
        found.ask_django("/ok", "/fail")
        until(lambda: asked(server, "count(up == 1)") == ["3"])
        yield found


def asked(server: Server, query: str) -> list[str]:
    with urlopen(
        f"{server.url}/api/v1/query?query={query.replace(' ', '%20').replace('=', '%3D')}", timeout=5
    ) as answer:
        return [each["value"][1] for each in json.load(answer)["data"]["result"]]


def totals(of: Metrics, since: datetime) -> dict[str, Totals]:
    found = of.totals(since, (0.5, 2.0))
    assert not isinstance(found, NoData), found.why
    return {str(color): total for color, total in found.items()}


def grown(of: Metrics, since: datetime, **expected: tuple[int, int]) -> None:
    """Wait until the counts are these."""
    seen: dict[str, tuple[int, ...]] = {}

    def arrived() -> bool:
        seen.update({color: found[:2] for color, found in totals(of, since).items()})
        return seen == expected

    try:
        until(arrived, 10)
    except AssertionError:
        assert expected == seen
        raise


def test_a_haproxy_with_a_backend_per_color(city: City) -> None:
    """What it answers in place of a color that does not listen is an error of that color; a 404 is none."""
    since, of = datetime.now(UTC), city.metrics(counts="haproxy", latency="django")
    totals(of, since)
    assert [200, 200, 500, 404] == [get(city.haproxy, path) for path in PATHS]
    assert 503 == get(city.haproxy, "/green/ok")
    grown(of, since, blue=(4, 1), green=(1, 1))


def test_a_haproxy_with_a_server_per_color(city: City) -> None:
    """One backend for both: the failed connections are counted among the requests of their server."""
    since = datetime.now(UTC)
    of = city.metrics(counts={"preset": "haproxy_servers", "match": {"proxy": "both"}}, latency="django")
    totals(of, since)
    assert sorted([200, 500, 503, 503]) == sorted(
        get(city.haproxy, f"/both{path}") for path in ("/ok", "/ok", "/fail", "/fail")
    )
    grown(of, since, blue=(2, 1), green=(2, 2))


def test_envoy(city: City) -> None:
    """Clusters named after the colors; a cluster without any request has none, and is there all the same."""
    since, of = datetime.now(UTC), city.metrics(counts="envoy")
    assert {"blue": Totals(0, 0, {}), "green": Totals(0, 0, {})} == totals(of, since)
    assert [200, 200, 500, 404] == [get(city.envoy, path) for path in PATHS]
    grown(of, since, blue=(4, 1), green=(0, 0))
    assert 503 == get(city.envoy, "/green")
    grown(of, since, blue=(4, 1), green=(1, 1))


def test_django(city: City) -> None:
    """Errors and slow requests of users; neither health pages nor Prometheus's own visits, and each error once."""
    since, of = datetime.now(UTC), city.metrics(counts="django", levels={"presets": ["django"]})
    totals(of, since)
    city.ask_django("/ok", "/health", "/fail", "/ok?delay=0.15", "/missing")
    found = totals(of, since)
    assert (4, 1) == found["blue"][:2]
    assert Totals(0, 0, {}) == found["green"]
    assert {0.05: 1, 0.1: 1} == slower(city, since)
    levels = of.levels()
    assert not isinstance(levels, NoData)
    assert 0 < levels["query_time"] <= 0.1


def slower(city: City, since: datetime) -> dict[float, int]:
    found = city.metrics(counts="django").totals(since, (0.05, 0.1, 1.0))
    assert not isinstance(found, NoData)
    return dict(found["blue"].slower)
