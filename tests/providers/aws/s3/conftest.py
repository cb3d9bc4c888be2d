"""A bucket in the lab, and stores in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from lab.aws import Cloud
from lab.aws.s3 import S3
from lab.aws.standing import site_in

from deploytasks.providers.aws.s3.store import S3Store
from deploytasks.settings.aws import AwsAccess
from deploytasks.settings.s3_store import S3StoreSettings

BUCKET = "acme-ledger"
Open = Callable[..., S3Store]


@pytest.fixture
def s3() -> S3:
    """S3 with a bucket that keeps versions."""
    made = S3()
    made.bucket(BUCKET, versioning=True)
    return made


@pytest.fixture
def cloud(s3: S3) -> Iterator[Cloud]:
    with Cloud(s3) as cloud:
        yield cloud


@pytest.fixture
def opened(cloud: Cloud, tmp_path: Path) -> Open:
    """Open a store with these settings; ``within``: seconds that an attempt may take; ``region``: that is named."""

    def open_store(within: float = 5.0, region: str = "", **settings: Any) -> S3Store:
        access = AwsAccess(region=region or cloud.region, endpoint=cloud.url, answer_within=within)
        site = site_in(cloud, tmp_path)._replace(sections={"aws": access})
        return S3Store(S3StoreSettings(**{"bucket": BUCKET, **settings}), site)

    return open_store


@pytest.fixture
def store(opened: Open) -> S3Store:
    return opened()
