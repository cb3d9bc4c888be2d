"""What the tests of CloudWatch share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from lab.aws.cloud import Cloud
from lab.aws.cloudwatch import CloudWatch
from lab.aws.cloudwatch_standing import World
from lab.aws.tagging import Tagging


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with Cloud(CloudWatch(), Tagging()) as cloud:
        yield World(cloud, tmp_path)
