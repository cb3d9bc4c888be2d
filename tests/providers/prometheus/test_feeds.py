"""From settings to the selectors that Prometheus is asked for."""

from __future__ import annotations

from typing import Any

import pytest

from deploytasks.errors import UsageError
from deploytasks.providers.prometheus.feeds import Feed, feeds
from deploytasks.providers.prometheus.levels import level_queries
from deploytasks.settings.mistakes import check
from deploytasks.settings.prometheus import LevelQueries, PrometheusSettings


def made(**given: Any) -> tuple[Feed, ...]:
    return feeds(PrometheusSettings.model_validate({"url": "http://p:9090", **given}), "library")


def selectors(**given: Any) -> list[tuple[str, str]]:
    return [(feed.what, feed.selector) for feed in made(**given)]


def test_haproxy_has_a_backend_per_color() -> None:
    """Called after the application, as `traffic: {kind: haproxy}` calls them; latencies come from elsewhere."""
    assert [
        ("latency", 'django_http_requests_latency_including_middlewares_seconds_bucket{color=~"blue|green"}'),
        ("requests", 'haproxy_backend_http_responses_total{proxy=~"library_blue|library_green"}'),
    ] == selectors(counts="haproxy", latency="django")


def test_envoy_has_both() -> None:
    """One word is enough, and what only shows that a cluster is there comes along."""
    clusters = 'envoy_cluster_name=~"(.*[^a-z])?blue|(.*[^a-z])?green"'
    assert [
        ("latency", f"envoy_cluster_upstream_rq_time_bucket{{{clusters}}}"),
        ("requests", f'{{__name__=~"envoy_cluster_upstream_rq_xx|envoy_cluster_upstream_rq_total",{clusters}}}'),
    ] == selectors(counts="envoy")


def test_labels_and_their_values_can_be_said() -> None:
    """Another label, other values, and more that must match; latencies from the same place have the same."""
    said = {
        "preset": "django",
        "color_label": "slot",
        "colors": {"blue": "a.*", "green": "b\\d"},
        "match": {"job": 'sh"op'},
    }
    expected = 'slot=~"a.*|b\\\\d",job="sh\\"op"}'
    assert all(selector.endswith(expected) for _, selector in selectors(counts=said))
    assert ["latency", "requests"] == [what for what, _ in selectors(counts=said)]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("hits_total", 'hits_total{color=~"blue|green"}'),
        ('hits_total{job="a"}', 'hits_total{job="a",color=~"blue|green"}'),
        ('hits_total{job="a", }', 'hits_total{job="a",color=~"blue|green"}'),
        ('{__name__="hits{total}"}', '{__name__="hits{total}",color=~"blue|green"}'),
    ],
)
def test_explicit_selectors_get_the_color_beside(given: str, expected: str) -> None:
    """The user's own matchers stay as they are."""
    counts = {"requests": given, "errors": "failures_total"}
    assert ("requests", expected) in selectors(counts=counts, latency="django")


def test_a_placeholder_stands_for_each_color() -> None:
    """Two queries, one per color, whatever labels their series have; `colors` says what is filled in."""
    counts = {"requests": 'hits{proxy=~"{color}"}', "errors": 'bad{proxy=~"{color}"}'}
    found = made(counts={**counts, "colors": {"blue": "b\\w+", "green": "g"}}, latency={"buckets": "t_bucket"})
    assert [
        ("latency", 't_bucket{color=~"blue|green"}'),
        ("errors", 'bad{proxy=~"b\\\\w+"}'),
        ("errors", 'bad{proxy=~"g"}'),
        ("requests", 'hits{proxy=~"b\\\\w+"}'),
        ("requests", 'hits{proxy=~"g"}'),
    ] == [(feed.what, feed.selector) for feed in found]
    assert ["blue", "green"] == [feed.color({"anything": "x"}) for feed in found if feed.what == "requests"]


def test_a_series_of_both_colors_is_a_mistake() -> None:
    """Patterns that overlap would count one request twice."""
    counts = {"preset": "haproxy", "colors": {"blue": ".*", "green": "g.*"}}
    (feed,) = [each for each in made(counts=counts, latency="django") if each.what == "requests"]
    assert "blue" == feed.color({"proxy": "x"})
    with pytest.raises(UsageError, match="proxy='green' is both blue and green"):
        feed.color({"proxy": "green"})


@pytest.mark.parametrize(
    ("cluster", "color"),
    [("blue", "blue"), ("library-green", "green"), ("app.blue", "blue"), ("evergreen", None), ("bluebell", None)],
)
def test_which_cluster_is_which_color(cluster: str, color: str | None) -> None:
    """A cluster's name ends with the color, as a word of its own."""
    assert color == made(counts="envoy")[1].color({"envoy_cluster_name": cluster})


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"counts": "haproxy"}, "it: `latency` is missing: HAProxy's exporter has no histogram"),
        ({"counts": {}}, "it.counts: say `preset`, or `requests` and `errors`"),
        ({"counts": {"requests": "x"}}, "it.counts: `requests` and `errors` belong together"),
        ({"counts": {"preset": "envoy", "requests": "x"}}, "it.counts: say `preset`, or `requests`"),
        ({"counts": {"requests": "sum(x)", "errors": "y"}}, "it.counts.requests: 'sum(x)' is no plain selector"),
        ({"counts": {"requests": "rate(x[5m])", "errors": "y"}}, "is no plain selector"),
        ({"counts": "nginx"}, "it.counts.preset: 'nginx' is none of"),
        ({"counts": "envoy", "latency": {"preset": "haproxy"}}, "it.latency.preset"),
        ({"counts": {"preset": "envoy", "colors": {"blue": "(", "green": "g"}}}, "is no regular expression"),
        ({"counts": "envoy", "url": "prometheus:9090"}, "it.url: a URL such as"),
        ({"counts": "envoy", "url": "https://ann:secret@p"}, "without user"),
    ],
)
def test_wrong_settings_are_refused(given: dict[str, Any], said: str) -> None:
    """What is missing or cannot be is said with its path."""
    mistakes: list[str] = []
    assert check(PrometheusSettings, {"url": "http://p", **given}, "it", mistakes) is None
    assert said in "; ".join(mistakes)


def test_levels_of_presets_and_of_ones_own() -> None:
    """What is written out goes first, then the presets in their order."""
    found = level_queries(LevelQueries(presets=("django", "postgres_exporter"), cpu="my_cpu"))
    assert ["query_time", "pool", "replication_lag", "cpu"] == list(found)
    assert "django_db_query" in found["query_time"]
    assert "my_cpu" == found["cpu"]
    assert {} == level_queries(LevelQueries())


def test_targets_that_show_that_an_application_is_there() -> None:
    """With the same labels as its series would have: another application's targets say nothing about ours."""
    counts = {"preset": "django", "match": {"job": "library"}}
    view = 'view!~"(?i).*health.*|prometheus-django-metrics"'
    assert f'up{{{view},color=~"blue|green",job="library"}}' == made(counts=counts)[1].targets
    assert "" == made(counts="envoy")[1].targets
