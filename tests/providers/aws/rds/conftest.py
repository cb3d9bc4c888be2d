"""A database at an RDS of the lab, where what takes minutes takes a few looks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from lab.aws.cloud import Cloud
from lab.aws.rds import Rds as LabRds
from lab.aws.standing import site_in

from deploytasks.ports import Calls
from deploytasks.providers.aws.rds import Rds
from deploytasks.settings.rds import RdsSettings

MARK = "20261123-101500-ab12cd"
NEW, OLD = "shop-r20261123-ab12cd", "shop-old-20261123-ab12cd"
TAGS = {"deployment": MARK, "who": "ann@laptop", "version": "1.2.0", "commit": "0123abcd"}


class Place(NamedTuple):
    """A cloud with the instance ``shop`` (or the cluster), and the provider."""

    cloud: Cloud
    rds: LabRds
    database: Rds
    root: Path

    def again(self, **settings: Any) -> Rds:
        """Another process's provider."""
        return provider(self.cloud, self.root, **settings)


def provider(cloud: Cloud, root: Path, **settings: Any) -> Rds:
    """With settings of its own; the instance is ``shop``."""
    given = {"poll": 0.005, **({} if "cluster" in settings else {"instance": "shop"}), **settings}
    return Rds(RdsSettings(**given), site_in(cloud, root))


def perform(calls: Calls, timeout: float = 20.0) -> None:
    """One after the other."""
    for batch in calls:
        for call in batch:
            call.perform(timeout)


@pytest.fixture(scope="module")
def _cloud() -> Iterator[Cloud]:
    with Cloud(LabRds()) as cloud:
        yield cloud


@pytest.fixture
def cloud(_cloud: Cloud) -> Cloud:
    """The same server for all tests of a module, with nothing in it: a client is made once."""
    _cloud.services["rds"] = LabRds()
    _cloud.forget()
    return _cloud


@pytest.fixture
def shop(cloud: Cloud, tmp_path: Path) -> Place:
    """The instance ``shop``."""
    cloud["rds"].add_instance("shop")
    return Place(cloud, cloud["rds"], provider(cloud, tmp_path), tmp_path)


@pytest.fixture
def backed_up(shop: Place) -> Place:
    """With the copy ``shop-1``."""
    shop.database.back_up("shop-1", TAGS).perform(20)
    shop.cloud.forget()
    return shop


@pytest.fixture
def aurora(cloud: Cloud, tmp_path: Path) -> Place:
    """The cluster ``shop`` with a writer and a reader, and the copy ``shop-1``."""
    cloud["rds"].add_cluster("shop", "shop-writer", "shop-reader")
    place = Place(cloud, cloud["rds"], provider(cloud, tmp_path, cluster="shop"), tmp_path)
    place.database.back_up("shop-1", TAGS).perform(20)
    cloud.forget()
    return place
