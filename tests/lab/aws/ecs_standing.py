"""All that a fleet of ECS asks AWS for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

from deploytasks.errors import DeployError

from . import Cloud
from .ecs import Containers
from .ecs_place import Place, carried_out
from .elbv2 import ElasticLoadBalancing
from .images import Registry
from .logs import Logs
from .native_place import NativePlace
from .scaling import Scaling


class _Page(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_: object) -> None:
        """Nothing on the terminal."""


@contextmanager
def page() -> Iterator[str]:
    """A page that always answers 200: what stands behind a test listener."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Page) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


@contextmanager
def standing(root: Path) -> Iterator[Place]:
    """A cluster with two services."""
    registry, logs, balancer = Registry(), Logs(), ElasticLoadBalancing()
    cloud = Cloud(Containers(registry, logs, balancer), registry, logs, balancer, Scaling())
    with page() as address, cloud:
        yield Place(cloud, root, address)


def asked(cloud: Cloud) -> set[str]:
    return {f"{seen.service}:{seen.operation}" for seen in cloud.seen}


def ecs_at_work(root: Path) -> set[str]:
    """Install, migrate, start, fail, stop, look at lines, prune, ``doctor``."""
    with standing(root) as place:
        balancer = place.cloud["elbv2"]
        group = balancer.group("shop-blue", [("10.0.0.1", 80)])
        balancer.listener(group)
        place.ecs.standing["shop", "shop-blue"].facts["loadBalancers"] = [
            {"targetGroupArn": group, "containerName": "web", "containerPort": 80}
        ]
        fleet = place.fleet(start_within=0.1, run_within=0.05)
        image = place.push(command=["true"], folder=root)
        carried_out(fleet.install(image, "blue"))
        for calls in ([[fleet.run("blue", "sleep 9", "migrate")]], fleet.start("blue")):
            with suppress(DeployError):  # it takes too long, or its page is silent
                carried_out(calls)
        carried_out(fleet.stop("blue"))
        fleet.limits()
        with suppress(KeyboardInterrupt):
            place.logs.put("/ecs/shop", "web/web/1", "a line")
            fleet.follow("blue", 1, _enough)
        for version in ("1.4.3", "1.4.4"):
            carried_out(fleet.install(place.push(version), "blue"))
        carried_out(fleet.switch("blue", None))
        carried_out(fleet.prune(1))
        fleet.diagnose()
        return asked(place.cloud)


def ecs_handed_over(root: Path) -> set[str]:
    """What ``strategy: ecs-native`` asks beside that: begin, release, take back, ``doctor``."""
    from deploytasks.ports import Split

    with standing(root) as place:
        native = NativePlace(place)
        world = native.world(root)
        before = len(place.cloud.seen)
        fleet: Any = world.fleet
        carried_out(fleet.install(native.push(), "green"))
        carried_out(fleet.begin("green", (50, 100), 600.0))
        for split in (Split(50, 50, "blue", "deploy:d-1"), Split(100, 0, None, "back:d-1")):
            world.traffic.shift(split).perform(10)
        world.traffic.diagnose()
        fleet.diagnose()
        del place.cloud.seen[:before]
        return asked(place.cloud)


def _enough(*_: object) -> None:
    raise KeyboardInterrupt
