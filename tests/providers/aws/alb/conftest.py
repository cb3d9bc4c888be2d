"""One load balancer with two colors, in a lab of its own."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest
from lab.aws import Cloud
from lab.aws.elbv2 import ElasticLoadBalancing, Target, forward
from lab.aws.standing import site_in

from deploytasks.providers.aws.alb.traffic import Traffic
from deploytasks.settings.alb import TrafficSettings

if TYPE_CHECKING:
    from pathlib import Path

    from deploytasks.ports import Split
    from deploytasks.providers.site import Site

BLUE_TARGETS: list[Target] = [("10.0.0.1", 8001), ("10.0.0.2", 8001)]
GREEN_TARGETS: list[Target] = [("10.0.0.1", 8002), ("10.0.0.2", 8002)]


class House:
    """A listener that forwards everything to blue, green attached beside it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.elb = ElasticLoadBalancing()
        self.blue = self.elb.group("shop-blue", BLUE_TARGETS)
        self.green = self.elb.group("shop-green", GREEN_TARGETS)
        self.listener = self.elb.listener(forward((self.blue, 100), (self.green, 0)))
        self.cloud = Cloud(self.elb)

    @property
    def site(self) -> Site:
        """An environment that reaches this lab."""
        return site_in(self.cloud, self.root)

    def settings(self, **named: object) -> TrafficSettings:
        """Of the listener, unless a rule is named."""
        given = {
            "public": "https://shop.example",
            "groups": {"blue": self.blue, "green": self.green},
            "up_within": 0,
            **({} if "rule" in named else {"listener": self.listener}),
            **named,
        }
        return TrafficSettings.model_validate(given)

    def traffic(self, **named: object) -> Traffic:
        """A provider as a new process opens it."""
        return Traffic(self.settings(**named), self.site)

    def set(self, split: Split) -> None:
        """Have this split, as somebody before us wrote it."""
        self.traffic().shift(split).perform(10)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    found = House(tmp_path)
    with found.cloud:
        yield found


class Application:
    """A server that says its color."""

    def __init__(self, color: str) -> None:
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                body = color.encode()
                self.send_response(200)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Nothing on the terminal."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.target: Target = ("127.0.0.1", self._server.server_address[1])
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()

    def stop(self) -> None:
        """It answers nobody any more."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def applications() -> Iterator[dict[str, Application]]:
    found = {color: Application(color) for color in ("blue", "green")}
    yield found
    for each in found.values():
        each.stop()
