"""A cluster of the lab with a service for each color, and a fleet that looks after them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from deploytasks.ports import Release
from deploytasks.providers.aws.ecs.fleet import EcsFleet
from deploytasks.settings.ecs import EcsFleetSettings

from .cloud import Cloud
from .ecs import Containers
from .images import HOST, Registry
from .logs import Logs
from .standing import site_in

DIGEST = "d1" * 32
COMMIT = "c0ffee" + "0" * 34
SERVER = """
import http.server, os
class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers(); self.wfile.write(os.environ.get("COLOR", "").encode())
    def log_message(self, *args): pass
http.server.HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Page).serve_forever()
"""


class Place:
    """The lab, with two services that want no task yet."""

    def __init__(self, cloud: Cloud, root: Path, page: str) -> None:
        self.cloud, self.root, self.page = cloud, root, page
        self.ecs: Containers = cloud["ecs"]
        self.registry: Registry = cloud["ecr"]
        self.logs: Logs = cloud["logs"]
        self.ecs.clusters.add("shop")
        self.logs.groups["/ecs/shop"] = {}
        self.registry.push("shop", "1.0.0")
        for color in ("blue", "green"):
            self.define(f"shop-{color}")
            self.serve(f"shop-{color}")

    def define(self, family: str, **more: Any) -> str:
        options = {"awslogs-group": "/ecs/shop", "awslogs-region": self.cloud.region, "awslogs-stream-prefix": "web"}
        container = {
            "name": "web",
            "image": f"{HOST}/shop:1.0.0",
            "logConfiguration": {"logDriver": "awslogs", "options": options},
        }
        given = {"family": family, "networkMode": "awsvpc", "containerDefinitions": [container], **more}
        made = self.ecs.register_task_definition(given)
        return str(made["taskDefinition"]["taskDefinitionArn"])

    def serve(self, name: str, **more: Any) -> None:
        network = {"awsvpcConfiguration": {"subnets": ["subnet-1"], "securityGroups": ["sg-1"]}}
        given = {
            "cluster": "shop",
            "serviceName": name,
            "taskDefinition": name,
            "desiredCount": 0,
            "launchType": "FARGATE",
            "networkConfiguration": network,
            **more,
        }
        self.ecs.create_service(given)

    def push(self, version: str = "1.4.2", **facts: Any) -> Release:
        """A release whose image is there."""
        self.registry.push("shop", version, COMMIT, **facts)
        return release(version)

    def fleet(self, **given: Any) -> EcsFleet:
        said: dict[str, Any] = {
            "cluster": "shop",
            "services": {"blue": "shop-blue", "green": "shop-green"},
            "image": f"{HOST}/shop:{{version}}",
            "addresses": {"blue": self.page, "green": self.page},
            "poll": 0.02,
            "start_within": 3,
            "stop_within": 3,
            "run_within": 3,
            **given,
        }
        return EcsFleet(EcsFleetSettings.model_validate(said), site_in(self.cloud, self.root))

    def deployed(self, release: Release, color: Any = "blue", **given: Any) -> EcsFleet:
        """A fleet whose color runs a release."""
        fleet = self.fleet(**given)
        carried_out(fleet.install(release, color))
        carried_out(fleet.start(color))
        return fleet


def release(version: str = "1.4.2", digest: str = DIGEST) -> Release:
    return Release(version, COMMIT, digest, f"/tmp/{version}.tar.gz")


def carried_out(calls: Any) -> None:
    for batch in calls:
        for call in batch:
            call.perform(60.0)
