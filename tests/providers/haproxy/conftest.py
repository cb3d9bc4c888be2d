"""Small applications and a real HAProxy in front of them."""

from __future__ import annotations

import contextlib
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from lab.haproxy import Balancer, haproxy

from deploytasks import web
from deploytasks.ports import COLORS, Color, Split
from deploytasks.providers.haproxy import Maintenance, Metrics, Traffic, lock, looking
from deploytasks.providers.haproxy.balancers import opened
from deploytasks.providers.site import Site
from deploytasks.settings.haproxy import MaintenanceSettings, MetricsSettings, TrafficSettings

BLUE = Split.all_on("blue", None, "settled:before")


class Handler(BaseHTTPRequestHandler):
    """Answers as it is asked to: ``/?status=500&delay=0.3&cut=1``."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Application

    def do_GET(self) -> None:
        wish = parse_qs(urlsplit(self.path).query)
        time.sleep(float(wish.get("delay", ["0"])[0]))
        body = self.server.color.encode()
        healthy = self.server.is_healthy or self.path != "/health"
        self.send_response(int(wish.get("status", ["200"])[0]) if healthy else 503)
        self.send_header("X-Color", self.server.color)
        self.send_header("Content-Length", str(len(body) + (100 if "cut" in wish else 0)))
        self.end_headers()
        with contextlib.suppress(OSError):
            self.wfile.write(body)
        self.close_connection = self.close_connection or "cut" in wish

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", "0")))
        self.do_GET()

    def log_message(self, *_: object) -> None:
        pass


class Application(ThreadingHTTPServer):
    """One server of a color."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, color: str) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.color = color
        self.is_healthy = True
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server_port}"

    def handle_error(self, *_: object) -> None:
        """A client that went away is none of our business."""

    def end(self) -> None:
        self.shutdown()
        self.server_close()


@pytest.fixture(autouse=True)
def impatience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits seconds for a lock, or for balancers to agree, when they never will."""
    monkeypatch.setattr(lock, "PATIENCE", 0.3)
    monkeypatch.setattr(looking, "SETTLES", 0.2)


@pytest.fixture
def applications() -> Iterator[dict[Color, Application]]:
    """One server per color; a test may make them sick, or end them."""
    started: dict[Color, Application] = {color: Application(color) for color in COLORS}
    yield started
    for each in started.values():
        each.end()


def until(is_so: Callable[[], object], seconds: float = 60) -> None:
    """Poll until something is so; fail when it never is."""
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, "it never became so"
        time.sleep(0.01)


class House:
    """One environment with HAProxys in it; ``wish`` are traffic settings, ``log`` whether they log for us."""

    def __init__(self, root: Path, balancers: list[Balancer], wish: dict[str, Any]) -> None:
        self.root = root
        self.balancers = balancers
        self.wish = wish
        self.log: str | None = str(balancers[0].log)
        self.maintenance_settings = MaintenanceSettings()
        self.more: dict[str, Any] = {}

    @property
    def balancer(self) -> Balancer:
        return self.balancers[0]

    @property
    def settings(self) -> TrafficSettings:
        known = [{"socket": each.socket, "state": str(each.state)} for each in self.balancers]
        maps = {"map": f"{self.balancer.state}/split.map"} if len(self.balancers) == 1 else {}
        wish = {"public": self.balancer.address, "balancers": known, "up_within": "2s", **maps, **self.wish}
        return TrafficSettings.model_validate(wish)

    @property
    def site(self) -> Site:
        sections = {"traffic": self.settings, "maintenance": self.maintenance_settings, **self.more}
        return Site("library", "production", self.root, self.root / "folder", None, "ann@here", sections)

    @property
    def traffic(self) -> Traffic:
        return Traffic(self.settings, self.site)

    @property
    def maintenance(self) -> Maintenance:
        return Maintenance(self.maintenance_settings, self.site)

    @property
    def metrics(self) -> Metrics:
        return Metrics(MetricsSettings(log=self.log), self.site)

    def opened(self) -> Any:
        return opened(self.settings, self.site)

    def get(self, path: str = "/", at: int = 0, **more: Any) -> web.Answer:
        return web.fetch(self.balancers[at].address + path, **{"timeout": 30, **more})

    def colors_of(self, requests: int, at: int = 0) -> Counter[str]:
        return Counter(self.get(at=at).headers.get("x-color", "none") for _ in range(requests))


@pytest.fixture
def new_house(tmp_path: Path, applications: dict[Color, Application]) -> Iterator[Callable[..., House]]:
    """Makes environments with ``count`` running HAProxys; ``extra`` changes pieces of their configuration."""
    with ExitStack() as stack:
        numbers = iter(range(100))

        def make(
            count: int = 1, extra: dict[str, str] | None = None, template: str = "haproxy.cfg", **wish: Any
        ) -> House:
            colors = {color: [each.address] for color, each in applications.items()}
            root = tmp_path / f"house{next(numbers)}"
            made = [
                stack.enter_context(haproxy(root / f"lb{number}", colors=colors, extra=extra, template=template))
                for number in range(1, count + 1)
            ]
            return House(root, made, wish)

        yield make


@pytest.fixture
def house(new_house: Callable[..., House]) -> House:
    """One environment with one HAProxy, and nothing exposed."""
    return new_house()
