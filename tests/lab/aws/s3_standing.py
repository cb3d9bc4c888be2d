"""A ledger in the lab's S3, under the policies of docs/aws."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from string import Template
from typing import Any

from deploytasks.engine.clock import SystemClock
from deploytasks.ledger import Holder, Lease, Ledger
from deploytasks.providers.aws.s3.store import S3Store
from deploytasks.providers.identity import identity, is_alive
from deploytasks.settings.s3_store import S3StoreSettings

from . import Cloud
from .s3 import S3
from .standing import site_in

BUCKET, SCOPE = "example-deployments", "shop/production"
NAMES = {"bucket": BUCKET, "application": "shop", "environment": "production"}
DOCUMENTS = Path(__file__).parents[3] / "docs/aws"


def policy(name: str) -> Any:
    """A document of docs/aws, as Terraform would fill it in."""
    return json.loads(Template((DOCUMENTS / name).read_text()).substitute(NAMES))


def guarded() -> S3:
    """S3 with the ledger's bucket."""
    s3 = S3()
    s3.bucket(BUCKET, lock=True).policy = policy("ledger-bucket.json")
    return s3


def store_in(cloud: Cloud, root: Path, **settings: Any) -> S3Store:
    """A store in that bucket."""
    return S3Store(S3StoreSettings.model_validate({"bucket": BUCKET, **settings}), site_in(cloud, root))


def ledger_at_work(root: Path) -> set[str]:
    """All that who deploys may ask of S3."""
    with Cloud(guarded()) as cloud:
        store = store_in(cloud, root, retain="400d")
        record(store)
        Ledger(store, SCOPE, "ann@laptop", lambda: datetime.now(UTC)).verify()
        store.diagnose()
        return {_said(seen.service, seen.operation, seen.params) for seen in cloud.seen}


def ledger_read(root: Path) -> set[str]:
    """All that an auditor asks of S3."""
    with Cloud(guarded()) as cloud:
        record(store_in(cloud, root))
        before = len(cloud.seen)
        Ledger(store_in(cloud, root), SCOPE, "eve@audit", lambda: datetime.now(UTC)).verify()
        return {_said(seen.service, seen.operation, seen.params) for seen in cloud.seen[before:]}


def record(store: S3Store) -> None:
    """Two events under a lease."""
    me = Holder.here("ann@laptop", identity)
    with Lease.take(store, SCOPE, me, "deploy", clock=SystemClock(), is_alive=is_alive) as lease:
        for nth in range(2):
            Ledger(store, SCOPE, "ann@laptop", lambda: datetime.now(UTC)).append("note", {"nth": nth}, lease.token)


def _said(service: str, operation: str, params: dict[str, Any]) -> str:
    return f"{service}:{operation}{' with retention' if 'ObjectLockMode' in params else ''}"
