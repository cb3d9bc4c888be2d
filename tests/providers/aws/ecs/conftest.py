"""The lab with a cluster."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from lab.aws import Cloud, ecs_standing
from lab.aws.ecs import Containers
from lab.aws.ecs_place import Place
from lab.aws.elbv2 import ElasticLoadBalancing
from lab.aws.images import Registry
from lab.aws.logs import Logs
from lab.aws.scaling import Scaling


@pytest.fixture(scope="session")
def page() -> Iterator[str]:
    with ecs_standing.page() as address:
        yield address


@pytest.fixture
def place(tmp_path: Path, page: str) -> Iterator[Place]:
    registry, logs, balancer = Registry(), Logs(), ElasticLoadBalancing()
    services = (Containers(registry, logs, balancer), registry, logs, balancer, Scaling())
    with Cloud(*services) as cloud:
        yield Place(cloud, tmp_path, page)
