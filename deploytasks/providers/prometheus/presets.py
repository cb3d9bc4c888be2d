"""What well-known exporters call what we count, and the queries for database and hosts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class CountPreset(NamedTuple):
    """Counters of requests, those that failed among them."""

    names: tuple[str, ...]
    """The metrics whose series are requests."""
    beside: tuple[str, ...]
    """Metrics that are not counted, and whose presence says that a color without any series had no request."""
    errors: Mapping[str, str]
    """Label → regular expression for its whole value: a series that matches one of these counts errors."""
    varying: tuple[str, ...]
    """Labels in which series of one process differ."""
    color_label: str
    color: str
    """What that label says; ``{application}`` and ``{color}`` are filled in."""
    matchers: str = ""
    """More of the selector."""


class LatencyPreset(NamedTuple):
    """The buckets of a histogram."""

    name: str
    milliseconds: bool
    color_label: str
    color: str


COUNTS: Mapping[str, CountPreset] = {
    # A backend per color. Its 5xx hold what HAProxy answers in place of a server, too.
    "haproxy": CountPreset(
        names=("haproxy_backend_http_responses_total",),
        beside=(),
        errors={"code": "5xx"},
        varying=("code",),
        color_label="proxy",
        color="{application}_{color}",
    ),
    # A backend for both colors, their servers called blue… and green…. A server's 5xx are those that it sent itself:
    # what HAProxy answers in its place is counted as an error of the connection or of the response.
    "haproxy_servers": CountPreset(
        names=(
            "haproxy_server_http_responses_total",
            "haproxy_server_connection_errors_total",
            "haproxy_server_response_errors_total",
        ),
        beside=(),
        errors={"code": "5xx", "__name__": "haproxy_server_(connection|response)_errors_total"},
        varying=("__name__", "code"),
        color_label="server",
        color="{color}.*",
    ),
    # A class of answers has no series before the first of them; upstream_rq_total is there from the start.
    "envoy": CountPreset(
        names=("envoy_cluster_upstream_rq_xx",),
        beside=("envoy_cluster_upstream_rq_total",),
        errors={"envoy_response_code_class": "5"},
        varying=("__name__", "envoy_response_code_class"),
        color_label="envoy_cluster_name",
        color="(.*[^a-z])?{color}",
    ),
    # Health pages and Prometheus's own visits are no users. The color is a label of the target.
    "django": CountPreset(
        names=("django_http_responses_total_by_status_view_method_total",),
        beside=(),
        errors={"status": "5.."},
        varying=("status", "view", "method"),
        color_label="color",
        color="{color}",
        matchers='view!~"(?i).*health.*|prometheus-django-metrics"',
    ),
}

LATENCIES: Mapping[str, LatencyPreset] = {
    "envoy": LatencyPreset("envoy_cluster_upstream_rq_time_bucket", True, "envoy_cluster_name", "(.*[^a-z])?{color}"),
    # Not …_by_view_method: that one counts a request that raises twice, and has a histogram for each view.
    "django": LatencyPreset(
        "django_http_requests_latency_including_middlewares_seconds_bucket", False, "color", "{color}"
    ),
}

LEVELS: Mapping[str, Mapping[str, str]] = {
    "node_exporter": {
        "cpu": '1 - avg without (cpu, mode) (rate(node_cpu_seconds_total{mode="idle"}[2m]))',
        "memory": "1 - node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes",
        "disk": "rate(node_disk_io_time_seconds_total[2m])",
    },
    "postgres_exporter": {
        "pool": "sum by (job, instance) (pg_stat_activity_count)"
        " / on (job, instance) max by (job, instance) (pg_settings_max_connections)",
        "replication_lag": '{__name__=~"pg_replication_lag(_seconds)?"}',
        "query_time": "sum by (job, instance) (rate(pg_stat_statements_seconds_total[5m]))"
        " / sum by (job, instance) (rate(pg_stat_statements_calls_total[5m]))",
    },
    "django": {
        "query_time": "histogram_quantile(0.95,"
        " sum by (job, alias, le) (rate(django_db_query_duration_seconds_bucket[5m])))",
    },
}
"""Preset → level → PromQL: seconds, or a share from 0 to 1."""
