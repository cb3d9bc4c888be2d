"""The ledger works under the policies of docs/aws, and they keep it from everybody, its own deployers included."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from lab.aws import Cloud
from lab.aws.s3_standing import BUCKET, SCOPE, guarded, policy, record, store_in
from lab.aws.standing import ACCESS_KEY

from deploytasks.errors import Unreachable
from deploytasks.ledger import Ledger
from deploytasks.ledger.chain import event_key

if TYPE_CHECKING:
    from lab.aws.s3 import S3

    from deploytasks.providers.aws.s3.store import S3Store

FIRST = event_key(SCOPE, 1)


@pytest.fixture
def s3() -> S3:
    return guarded()


@pytest.fixture
def store(s3: S3, tmp_path: Path) -> Iterator[S3Store]:
    """Of who deploys."""
    s3.allowed[ACCESS_KEY] = [policy("ledger-policy.json")]
    with Cloud(s3) as cloud:
        yield store_in(cloud, tmp_path, retain="400d")


def ledger_in(store: S3Store) -> Ledger:
    return Ledger(store, SCOPE, "ann@laptop", lambda: datetime.now(UTC))


def test_who_deploys_can_do_all_that_is_needed(store: S3Store) -> None:
    """Record with retention, take and renew the lease, verify, examine."""
    record(store)
    assert ledger_in(store).verify()[:2] == (True, 2)
    assert [found.state for found in store.diagnose()] == ["ok", "ok"]


def test_who_deploys_reads_other_environments_and_does_not_write_there(store: S3Store) -> None:
    """Production asks staging's ledger what it has seen; it records nothing in it."""
    assert store.get("shop/staging/head.json") is None
    with pytest.raises(Unreachable, match="AccessDenied"):
        store.put("shop/staging/head.json", b"", None)


def test_auditor_verifies_and_writes_nothing(store: S3Store, s3: S3) -> None:
    """An auditor recomputes everything, and cannot add a word."""
    record(store)
    s3.allowed[ACCESS_KEY] = [policy("auditor-policy.json")]
    assert ledger_in(store).verify()[:2] == (True, 2)
    with pytest.raises(Unreachable, match="AccessDenied"):
        ledger_in(store).append("note", {})


def test_administrator_cannot_take_the_past_away(store: S3Store, s3: S3, tmp_path: Path) -> None:
    """Who may do everything in the account is stopped by the bucket: no deletion, no writing over, no way around."""
    from deploytasks.providers.aws.session import client

    record(store)
    s3.allowed.clear()
    asked = client("s3", store._bucket._site)
    version = s3.buckets[BUCKET].versions[FIRST][0].id
    for operation, given in [
        ("delete_object", {}),
        ("delete_object", {"VersionId": version}),
        ("delete_object", {"VersionId": version, "BypassGovernanceRetention": True}),
        ("put_object", {"Body": b"another"}),
        ("put_object", {"Body": b"another", "IfMatch": s3.buckets[BUCKET].versions[FIRST][0].etag}),
    ]:
        with pytest.raises(asked.exceptions.ClientError, match="AccessDenied"):
            getattr(asked, operation)(Bucket=BUCKET, Key=FIRST, **given)
    with pytest.raises(asked.exceptions.ClientError, match="AccessDenied"):
        asked.put_object(Bucket=BUCKET, Key=f"{SCOPE}/head.json", Body=b"without a condition")
    assert ledger_in(store).verify().ok
