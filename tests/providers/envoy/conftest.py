"""Two small applications and a real Envoy in front of them."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from deploytasks import web
from deploytasks.ports import Calls, Color, Split
from deploytasks.providers.envoy import Maintenance, Metrics, Traffic, managed
from deploytasks.providers.envoy.place import Place
from deploytasks.providers.site import Site
from deploytasks.settings.envoy import TrafficSettings
from deploytasks.settings.envoy_maintenance import MaintenanceSettings
from deploytasks.settings.envoy_metrics import MetricsSettings


class Handler(BaseHTTPRequestHandler):
    """Answers as it is asked to: ``/?status=500&delay=0.3``."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Application

    def do_GET(self) -> None:
        wish = parse_qs(urlsplit(self.path).query)
        time.sleep(float(wish.get("delay", ["0"])[0]))
        body = self.server.color.encode()
        self.send_response(int(wish.get("status", ["200"])[0]))
        self.send_header("X-Color", self.server.color)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        with contextlib.suppress(OSError):
            self.wfile.write(body)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", "0")))
        self.do_GET()

    def log_message(self, *_: object) -> None:
        pass


class Application(ThreadingHTTPServer):
    """One color."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, color: str, address: str = "127.0.0.1") -> None:
        super().__init__((address, 0), Handler)
        self.color = color


@pytest.fixture(scope="session")
def applications() -> Iterator[dict[Color, str]]:
    """Both colors' addresses."""
    started: dict[Color, Application] = {"blue": Application("blue"), "green": Application("green")}
    for each in started.values():
        threading.Thread(target=each.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    yield {color: f"127.0.0.1:{each.server_port}" for color, each in started.items()}
    for each in started.values():
        each.shutdown()
        each.server_close()


def free_port() -> int:
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        return int(trial.getsockname()[1])


def until(is_so: Callable[[], object], seconds: float = 10) -> None:
    """Poll until something is so; fail when it never is."""
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, "it never became so"
        time.sleep(0.01)


class House:
    """One environment with Envoy in it; ``wish`` are traffic settings."""

    def __init__(self, root: Path, applications: dict[Color, str], wish: dict[str, Any]) -> None:
        self.root = root
        defaults = {"listen": f"127.0.0.1:{free_port()}", "drain": "2s", "timeout": "5s", "colors": applications}
        self.wish = {**defaults, **wish}
        self.maintenance_settings = MaintenanceSettings()

    @property
    def site(self) -> Site:
        sections = {"traffic": self.settings, "maintenance": self.maintenance_settings}
        return Site("library", "development", self.root, self.root / "state", None, "ann@here", sections)

    @property
    def settings(self) -> TrafficSettings:
        return TrafficSettings.model_validate(self.wish)

    @property
    def traffic(self) -> Traffic:
        return Traffic(self.settings, self.site)

    @property
    def metrics(self) -> Metrics:
        return Metrics(MetricsSettings(), self.site)

    @property
    def maintenance(self) -> Maintenance:
        return Maintenance(self.maintenance_settings, self.site)

    @property
    def place(self) -> Place:
        return Place(self.site.folder / "envoy")

    def start(self, split: Split | None = None) -> None:
        perform(self.traffic.prepare())
        if split:
            self.traffic.shift(split).perform(10)

    def get(self, path: str = "/", **more: Any) -> web.Answer:
        return web.fetch(self.traffic.address() + path, **more)

    def colors_of(self, requests: int) -> Counter[str]:
        return Counter(self.get().headers.get("x-color", "none") for _ in range(requests))

    def end(self) -> None:
        """Leave nothing running, whatever a test did."""
        managed.stop(self.place, 10)


def perform(calls: Calls, timeout: float = 30) -> None:
    for batch in calls:
        for call in batch:
            call.perform(timeout)


@pytest.fixture
def new_house(tmp_path: Path, applications: dict[Color, str]) -> Iterator[Callable[..., House]]:
    """Makes environments; nothing is started yet."""
    made: list[House] = []

    def make(name: str = "house", **wish: Any) -> House:
        made.append(House(tmp_path / name, applications, wish))
        return made[-1]

    yield make
    for each in made:
        each.end()


@pytest.fixture
def house(new_house: Callable[..., House]) -> House:
    """One environment, not started."""
    return new_house()
