"""The configuration of a managed Envoy, rendered from settings. Pure; see Envoy's v3 API reference.

What changes while it runs (split, way back, maintenance) is not in here: those are runtime keys. A change of
what is in here takes effect by a hot restart, see ``supervisor``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from ...ports import COLORS, Color
from .keys import CLOSED, RETRIES, retry_key
from .layer import SUBDIRECTORY

if TYPE_CHECKING:
    from ...settings.envoy import TrafficSettings

Config = dict[str, Any]
"""A piece of Envoy's configuration, as JSON."""

_TYPE = "type.googleapis.com/envoy.extensions"
NOT_DEPLOYED = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Not deployed yet</title>
<body><h1>Not deployed yet</h1><p>Nothing is exposed here so far.</p></body></html>
"""


class Files(NamedTuple):
    """Absolute paths that the configuration names."""

    admin: str
    runtime: str
    """The link that the runtime layer follows."""
    page: str
    """The maintenance page; Envoy reads it again when it is replaced."""
    access_log: str | None = None


class Upstream(NamedTuple):
    """Where a color listens; with several addresses, each is asked for its health page."""

    addresses: Sequence[str]
    health: str = "/"


def render(
    settings: TrafficSettings, colors: Mapping[Color, Upstream], files: Files, edges: Sequence[float], retry_after: int
) -> Config:
    """The whole configuration. ``edges``: histogram buckets in seconds; ``retry_after``: seconds, by default."""
    runtime = {"name": "disk", "disk_layer": {"symlink_root": files.runtime, "subdirectory": SUBDIRECTORY}}
    return {
        "node": {"id": "deploytasks", "cluster": "deploytasks"},
        "admin": {"address": {"pipe": {"path": files.admin, "mode": 0o600}}},
        "layered_runtime": {"layers": [runtime]},
        "stats_flush_interval": "1s",
        "stats_config": {"histogram_bucket_settings": [_buckets(edges)]},
        "static_resources": {
            "listeners": [_listener(settings, files, retry_after)],
            "clusters": [_cluster(color, colors[color], settings.upstream_idle) for color in COLORS],
        },
    }


def duration(seconds: float) -> str:
    """As Envoy writes it: ``30s``, ``0.25s``."""
    return f"{seconds:g}s"


def host_and_port(address: str) -> tuple[str, int]:
    """``127.0.0.1:8080`` in its parts; an IPv6 host without its brackets."""
    host, _, port = address.rpartition(":")
    return host.strip("[]"), int(port)


def _socket(address: str) -> Config:
    host, port = host_and_port(address)
    return {"socket_address": {"address": host, "port_value": port}}


def _buckets(edges: Sequence[float]) -> Config:
    in_milliseconds = [float(f"{edge * 1000:.6g}") for edge in edges]
    return {"match": {"suffix": "upstream_rq_time"}, "buckets": in_milliseconds}


def _cluster(color: Color, upstream: Upstream, idle: float) -> Config:
    endpoints = [{"endpoint": {"address": _socket(address)}} for address in upstream.addresses]
    is_number = all(map(_is_number, upstream.addresses))
    plenty = {"max_connections": 10_000, "max_pending_requests": 10_000, "max_requests": 10_000, "max_retries": 1_000}
    return {
        "name": color,
        "type": "STATIC" if is_number else "STRICT_DNS",
        "connect_timeout": "2s",
        "circuit_breakers": {"thresholds": [plenty]},
        "load_assignment": {"cluster_name": color, "endpoints": [{"lb_endpoints": endpoints}]},
        **({"health_checks": [_health_check(upstream.health)]} if len(endpoints) > 1 else {}),
        "typed_extension_protocol_options": {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                "@type": f"{_TYPE}.upstreams.http.v3.HttpProtocolOptions",
                "common_http_protocol_options": {"idle_timeout": duration(idle)},
                "explicit_http_config": {"http_protocol_options": {}},
            }
        },
    }


def _is_number(address: str) -> bool:
    return address.startswith("[") or not any(letter.isalpha() for letter in host_and_port(address)[0])


def _health_check(path: str) -> Config:
    """A host that is down gets no requests. An idle color is looked at as often: its first traffic comes at once."""
    pace = dict.fromkeys(("interval", "no_traffic_interval", "unhealthy_interval"), "1s")
    return {
        "timeout": "2s",
        **pace,
        "unhealthy_threshold": 2,
        "healthy_threshold": 1,
        "http_health_check": {"path": path},
    }


def _listener(settings: TrafficSettings, files: Files, retry_after: int) -> Config:
    http = {
        "@type": f"{_TYPE}.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "public",
        "use_remote_address": True,
        "normalize_path": True,
        # The application's own Server header stays; what Envoy answers itself says "server: envoy".
        "server_header_transformation": "APPEND_IF_ABSENT",
        "common_http_protocol_options": {"idle_timeout": duration(settings.idle)},
        "request_headers_timeout": "20s",
        "access_log": _access_log(files.access_log),
        "route_config": {
            "virtual_hosts": [{"name": "app", "domains": ["*"], "routes": _routes(settings, files, retry_after)}]
        },
        "http_filters": [
            {
                "name": "envoy.filters.http.router",
                "typed_config": {"@type": f"{_TYPE}.filters.http.router.v3.Router", "suppress_envoy_headers": True},
            }
        ],
    }
    return {
        "name": "public",
        "address": _socket(settings.listen),
        # Without it, a second Envoy on the same port would silently take half of the connections.
        "enable_reuse_port": False,
        "filter_chains": [
            {"filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": http}]}
        ],
    }


def _routes(settings: TrafficSettings, files: Files, retry_after: int) -> list[Config]:
    page = {"filename": files.page, "watched_directory": {"path": files.page.rpartition("/")[0]}}
    closed = [_closed(retry_key(seconds), page, seconds) for seconds in RETRIES]
    shared = {"match": _when(f"{settings.prefix}.open"), "route": _shared(settings)}
    nothing = {**_closed("", {"inline_string": NOT_DEPLOYED}, 10), "match": {"prefix": "/"}}
    return [*closed, _closed(CLOSED, page, retry_after), shared, nothing]


def _when(key: str) -> Config:
    """Matches everything while the runtime key is 100, and nothing while it is absent."""
    return {
        "prefix": "/",
        "runtime_fraction": {"default_value": {"numerator": 0, "denominator": "HUNDRED"}, "runtime_key": key},
    }


def _shared(settings: TrafficSettings) -> Config:
    """Both colors by weight. What is tried again has surely not reached the application: a POST runs once."""
    return {
        "weighted_clusters": {
            "runtime_key_prefix": settings.prefix,
            "clusters": [{"name": color, "weight": 1} for color in COLORS],
        },
        "timeout": duration(settings.timeout),
        "retry_policy": {
            "retry_on": "connect-failure,refused-stream,reset-before-request",
            "num_retries": 3,
            "retry_back_off": {"base_interval": "0.025s", "max_interval": "0.25s"},
        },
    }


def _closed(key: str, body: Config, retry_after: int) -> Config:
    headers = {"content-type": "text/html; charset=utf-8", "cache-control": "no-store", "retry-after": str(retry_after)}
    return {
        "match": _when(key),
        "direct_response": {"status": 503, "body": body},
        "response_headers_to_add": [
            {"header": {"key": name, "value": value}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}
            for name, value in headers.items()
        ],
    }


def _access_log(path: str | None) -> list[Config]:
    if path is None:
        return []
    fields = {
        "at": "%START_TIME%", "method": "%REQ(:METHOD)%", "path": "%REQ(:PATH)%", "status": "%RESPONSE_CODE%",
        "color": "%UPSTREAM_CLUSTER%", "milliseconds": "%DURATION%", "flags": "%RESPONSE_FLAGS%",
        "id": "%REQ(X-REQUEST-ID)%",
    }  # fmt: skip
    kind = f"{_TYPE}.access_loggers.file.v3.FileAccessLog"
    config = {"@type": kind, "path": path, "log_format": {"json_format": fields}}
    return [{"name": "envoy.access_loggers.file", "typed_config": config}]
