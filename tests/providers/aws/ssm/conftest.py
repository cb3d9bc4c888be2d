"""Three instances whose agents run real shells, a bucket, and a fleet that knows nothing else of them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import memory
import pytest
from lab.aws.cloud import Cloud
from lab.aws.s3 import S3
from lab.aws.ssm import Machines, SystemsManager
from lab.aws.standing import site_in
from providers.hosts.conftest import (
    free_port,
    make_release as make_release,  # the fixture  # noqa: PLC0414
)

from deploytasks.at_once import at_once
from deploytasks.ports import COLORS, Release
from deploytasks.providers.aws.ssm_fleet import SsmFleet
from deploytasks.settings.ssm_fleet import SsmFleetSettings
from deploytasks.world import World

BUCKET = "shop-deploy"
IDS = [f"i-{number:017x}" for number in (1, 2, 3)]
APPLICATION = """
import http.server, os, sys
class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(int(os.environ.get("HEALTH", "200"))); self.end_headers(); self.wfile.write(b"fine")
    def log_message(self, *given): pass
print("listening", flush=True)
http.server.ThreadingHTTPServer((sys.argv[1], int(sys.argv[2])), Page).serve_forever()
"""

MakeFleet = Callable[..., SsmFleet]


@pytest.fixture
def manager(tmp_path: Path) -> SystemsManager:
    manager = SystemsManager(tmp_path / "hosts", pace=0.01)
    for number, name in enumerate(IDS, 1):
        manager.add(name, address=f"127.0.7.{number}", tags={"app": "shop"})
    return manager


@pytest.fixture
def cloud(manager: SystemsManager) -> Iterator[Cloud]:
    s3 = S3()
    s3.bucket(BUCKET)
    with Cloud(manager, Machines(manager), s3) as cloud:
        yield cloud


@pytest.fixture
def settings(manager: SystemsManager) -> dict[str, Any]:
    return {
        "tags": {"app": "shop"},
        "ports": {color: free_port() for color in COLORS},
        "bucket": BUCKET,
        "root": f"{manager.srv}/app",
        "start": "{python} app.py {host} {port}",
        "python": sys.executable,
        "stop_within": 2.0,
        "poll": "50ms",
    }


@pytest.fixture
def make_fleet(cloud: Cloud, manager: SystemsManager, settings: dict[str, Any], tmp_path: Path) -> Iterator[MakeFleet]:
    """Makes a fleet as a new process would; what it started is stopped at the end."""
    made: list[SsmFleet] = []

    def make(changed: dict[str, Any] | None = None, **more: Any) -> SsmFleet:
        own = SsmFleetSettings.model_validate({**settings, **more}).model_copy(update=changed or {})
        made.append(SsmFleet(own, site_in(cloud, tmp_path, fleet=own)))
        return made[-1]

    yield make
    for host in manager.instances.values():
        host.ping, host.state, host.takes, host.platform = "Online", "running", "", "Linux"
    if made and any(list(host.folder.glob("srv/app/run/*")) for host in manager.instances.values()):
        fleet = SsmFleet(made[0]._own.model_copy(update={"max_concurrency": "50"}), site_in(cloud, tmp_path))
        for color in COLORS:
            at_once([partial(call.perform, 10.0) for batch in fleet.stop(color) for call in batch], 10)


@pytest.fixture
def fleet(make_fleet: MakeFleet) -> SsmFleet:
    return make_fleet()


@pytest.fixture
def make_world(tmp_path: Path) -> Callable[[SsmFleet], World]:
    def make(fleet: SsmFleet) -> World:
        made = memory.world(tmp_path)
        made._ports.sections["fleet"] = fleet  # type: ignore[attr-defined]  # the ports of memory
        made.settings = replace(made.settings, sections={**made.settings.sections, "fleet": fleet._own})
        return made

    return make


@pytest.fixture
def world(make_world: Callable[[SsmFleet], World], fleet: SsmFleet) -> World:
    return make_world(fleet)


@pytest.fixture
def release(make_release: Callable[..., Release]) -> Release:
    return make_release(**{"app.py": APPLICATION})
