"""Which value model belongs to which part of an environment. Imported on use, like the providers.

The kinds are those of ``providers.KINDS`` (but for the console, which is a view); a test compares the tables.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module

from .base import Value

GROUPS: dict[str, str] = {
    "aws": "aws:AwsAccess",
    "gates": "gates:Gates",
    "links": "links:Links",
    "people": "people:People",
    "release": "release:Release",
    "retain": "retain:Retain",
    "signers": "people:Signers",
    "smoke": "checks:Smoke",
    "variables": "variables:Variables",
    "warm_up": "checks:WarmUp",
}
"""Parts with defaults and without a provider."""

SHARED = frozenset({"aws", "gates", "links", "people", "release", "retain", "reviews", "signers", "variables"})
"""Groups and sections that may stand directly below ``deploy:`` as well, for all environments. What an environment says
itself goes before, key by key."""

KINDS: dict[str, dict[str, str]] = {
    "traffic": {
        "alb": "alb:TrafficSettings",
        "ecs": "ecs_traffic:EcsTrafficSettings",
        "envoy": "envoy:TrafficSettings",
        "haproxy": "haproxy:TrafficSettings",
    },
    "fleet": {
        "ecs": "ecs:EcsFleetSettings",
        "local": "local:LocalFleetSettings",
        "ssh": "ssh_fleet:SshFleetSettings",
        "ssm": "ssm_fleet:SsmFleetSettings",
    },
    "database": {"postgres": "postgres:PostgresSettings", "rds": "rds:RdsSettings", "sqlite": "sqlite:SqliteSettings"},
    "metrics": {
        "cloudwatch": "cloudwatch:MetricsSettings",
        "envoy": "envoy_metrics:MetricsSettings",
        "haproxy": "haproxy:MetricsSettings",
        "newrelic": "newrelic:NewRelicSettings",
        "prometheus": "prometheus:PrometheusSettings",
        "sentry": "sentry:SentryMetricsSettings",
    },
    "alerts": {
        "alertmanager": "alertmanager:AlertmanagerSettings",
        "cloudwatch": "cloudwatch:AlarmSettings",
        "file": "alerts:AlertFileSettings",
        "pagerduty": "pagerduty:PagerDutyAlertSettings",
    },
    "maintenance": {
        "alb": "alb:MaintenanceSettings",
        "envoy": "envoy_maintenance:MaintenanceSettings",
        "haproxy": "haproxy:MaintenanceSettings",
        "redis": "redis:MaintenanceSettings",
    },
    "messages": {
        "console": "messages:ConsoleSettings",
        "pagerduty": "pagerduty:PagerDutySettings",
        "slack": "slack:SlackSettings",
    },
    "markers": {
        "github": "github:GitHubMarkerSettings",
        "newrelic": "newrelic:NewRelicMarkerSettings",
        "sentry": "sentry:SentryMarkerSettings",
    },
    "store": {
        "directory": "directory:DirectorySettings",
        "postgres": "postgres_store:PostgresStoreSettings",
        "s3": "s3_store:S3StoreSettings",
    },
    "deadman": {
        "eventbridge": "eventbridge:EventBridgeSettings",
        "ssh": "ssh_watchdog:SshWatchdogSettings",
        "watchdog": "watchdog:WatchdogSettings",
    },
    "probe": {"http": "probe:ProbeSettings"},
    "reviews": {"github": "github:GitHubSettings"},
    "secrets": {"aws-secrets-manager": "secrets_manager:SecretsManagerSettings"},
}
"""Section → ``kind`` → model, as ``module:Class`` in this package."""

REQUIRED = frozenset({"traffic", "fleet", "metrics", "store"})
"""Sections without which nothing can be deployed."""

TOLD = frozenset({"messages", "markers"})
"""Sections of those who are told the news, each by itself: one that cannot be opened leaves the others alone."""

MANY = frozenset({"alerts", "maintenance", "metrics"}) | TOLD
"""Sections that may be lists; ``providers.JOINED`` makes one port of what they open, but for those that are told."""

DEFAULTS: dict[str, dict[str, str]] = {"store": {"kind": "directory"}}
"""What a required section is when nothing is said."""


@cache
def model(target: str) -> type[Value]:
    """The model that ``module:Class`` names."""
    module, _, name = target.partition(":")
    found: type[Value] = getattr(import_module(f"{__package__}.{module}"), name)
    return found
