"""What was recorded stays: Object Lock where the bucket has it, and versions, by which deletions are found."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from lab.aws.service import AwsError
from lab.aws.standing import ACCESS_KEY

from deploytasks.errors import Unreachable
from deploytasks.ledger import Ledger
from deploytasks.ledger.chain import event_key
from deploytasks.ports import Store
from deploytasks.providers.aws.s3.store import S3Store

from .conftest import BUCKET, Open

if TYPE_CHECKING:
    from lab.aws import Cloud
    from lab.aws.s3 import S3

SCOPE = "shop/production"
SECOND = event_key(SCOPE, 2)


def ledger_in(store: Store, events: int = 0) -> Ledger:
    """A ledger with so many notes."""
    ledger = Ledger(store, SCOPE, "ann@laptop", lambda: datetime.now(UTC))
    for nth in range(events):
        ledger.append("note", {"nth": nth})
    return ledger


@pytest.mark.parametrize("lock", ["compliance", "governance"])
def test_events_are_retained_and_nothing_else(opened: Open, s3: S3, lock: str) -> None:
    """Object Lock keeps each event as long as said; the head and the lease, which are written all the time, not."""
    s3.bucket(BUCKET, lock=True)
    ledger_in(opened(retain="400d", lock=lock), 2)
    kept = {key: versions[0].mode for key, versions in s3.buckets[BUCKET].versions.items()}
    assert kept == {event_key(SCOPE, 1): lock.upper(), SECOND: lock.upper(), f"{SCOPE}/head.json": ""}
    until = s3.buckets[BUCKET].versions[SECOND][0].until
    assert until is not None
    assert abs(until - datetime.now(UTC) - timedelta(days=400)) < timedelta(minutes=5)


def test_retained_event_cannot_be_deleted(opened: Open, s3: S3) -> None:
    """Deleting the version of an event is refused; the ledger is as it was."""
    s3.bucket(BUCKET, lock=True)
    ledger = ledger_in(opened(retain="400d"), 3)
    version = s3.buckets[BUCKET].versions[SECOND][0].id
    with pytest.raises(AwsError, match="AccessDenied"):
        s3.delete_object({"Bucket": BUCKET, "Key": SECOND, "VersionId": version, "BypassGovernanceRetention": True})
    assert ledger.verify().ok


def test_retention_that_the_bucket_cannot_give(opened: Open, s3: S3) -> None:
    """Where events are to be retained and the bucket cannot, nothing is recorded."""
    with pytest.raises(Unreachable, match="no Object Lock"):
        ledger_in(opened(retain="400d"), 1)
    assert s3.buckets[BUCKET].keys == []


def test_retention_of_the_bucket(store: S3Store, s3: S3) -> None:
    """A bucket that retains by itself needs no word of ours; heads are written over all the same."""
    s3.bucket(BUCKET, lock=True).rule = ("GOVERNANCE", 30)
    assert ledger_in(store, 3).verify().ok
    assert {one.mode for all_of_it in s3.buckets[BUCKET].versions.values() for one in all_of_it} == {"GOVERNANCE"}


def test_deleted_event_is_found(store: S3Store, s3: S3) -> None:
    """A delete marker hides an event, and that nobody has anything there lets it be written anew: both are found."""
    ledger = ledger_in(store, 3)
    document = s3.buckets[BUCKET].current(SECOND).body  # type: ignore[union-attr]  # it is there
    s3.delete_object({"Bucket": BUCKET, "Key": SECOND})
    assert set(ledger.verify().problems) >= {"event 2 is missing", f"{SECOND} was deleted"}
    store.put(SECOND, document or b"", None)  # as nothing is there
    found = ledger.verify()
    assert (found.ok, found.problems) == (False, (f"{SECOND} was deleted", f"{SECOND} was written 2 times"))


def test_end_that_was_cut_off_is_found(store: S3Store, s3: S3) -> None:
    """Also without a digest from before: an end that is deleted, its head written anew, leaves its versions."""
    ledger, key = ledger_in(store, 2), f"{SCOPE}/head.json"
    before = s3.buckets[BUCKET].current(key)
    ledger.append("note", {})
    s3.delete_object({"Bucket": BUCKET, "Key": event_key(SCOPE, 3)})
    s3.put_object({"Bucket": BUCKET, "Key": key, "Body": before.body})  # type: ignore[union-attr]  # it was there
    assert ledger.verify().problems == (f"{event_key(SCOPE, 3)} was deleted",)


def test_without_versions_the_chain_alone_is_verified(store: S3Store, s3: S3) -> None:
    """Where the other side knows no versions, or keeps none, verifying is what it is everywhere."""
    s3.has_versions_api = False
    assert ledger_in(store, 2).verify().ok
    s3.has_versions_api = True
    s3.bucket(BUCKET)
    assert ledger_in(store, 2).verify().ok


def test_versions_that_may_not_be_seen(store: S3Store, cloud: Cloud) -> None:
    """Who may not see versions cannot say that all is well."""
    ledger = ledger_in(store, 2)
    cloud.fail("s3", "ListObjectVersions", "AccessDenied", status=403)
    with pytest.raises(Unreachable, match="AccessDenied"):
        ledger.verify()


def test_many_versions_over_several_pages(store: S3Store, s3: S3) -> None:
    """Pages end anywhere, also between two versions of one key."""
    ledger = ledger_in(store, 5)
    s3.put_object({"Bucket": BUCKET, "Key": SECOND, "Body": b"{}"})
    for s3.page in (1, 2, 3, 7):
        assert f"{SECOND} was written 2 times" in ledger.verify().problems


def test_prefix_and_key(opened: Open, s3: S3) -> None:
    """All keys lie below the prefix, which nobody sees from inside; the key encrypts what is written."""
    store = opened(prefix="teams/shop", kms_key="alias/ledger")
    tag = store.put("a/key", b"one", None)
    store.put("a/key", b"two", tag)
    s3.put_object({"Bucket": BUCKET, "Key": "a/other", "Body": b""})
    assert (list(store.keys("")), list(store.keys("a/", after="a/key"))) == (["a/key"], [])
    assert list(s3.buckets[BUCKET].versions) == ["teams/shop/a/key", "a/other"]
    assert s3.buckets[BUCKET].versions["teams/shop/a/key"][-1].kms_key == "alias/ledger"


@pytest.mark.parametrize(
    ("bucket", "settings", "expected"),
    [
        ({"lock": True}, {"retain": "400d"}, ("ok", "keeps each event for 400 days (compliance)")),
        ({"lock": True}, {}, ("warn", "nobody says how long")),
        ({}, {"retain": "400d"}, ("fail", "needs Object Lock")),
        ({"versioning": True}, {}, ("warn", "keeps versions, and no Object Lock")),
        ({}, {}, ("warn", "keeps neither versions nor Object Lock")),
    ],
)
def test_doctor_says_what_keeps_events(
    opened: Open, s3: S3, bucket: dict[str, Any], settings: dict[str, Any], expected: tuple[str, str]
) -> None:
    """Whether what was recorded could be deleted, and what to do about it."""
    s3.bucket(BUCKET, **bucket)
    found = opened(**settings).diagnose()[-1]
    assert (found.state, expected[1] in found.detail) == (expected[0], True), found


def test_doctor_names_the_rule_of_the_bucket(store: S3Store, s3: S3) -> None:
    """A default retention counts."""
    s3.bucket(BUCKET, lock=True).rule = ("COMPLIANCE", 90)
    assert store.diagnose()[-1][1:3] == ("ok", "Object Lock keeps everything for 90 days (compliance)")


def test_doctor_of_somebody_who_may_not_look(store: S3Store, s3: S3) -> None:
    """Who may read and write, and not see how the bucket is set up, is told that."""
    may = ["s3:GetObject", "s3:PutObject", "s3:ListBucket"]
    s3.allowed[ACCESS_KEY] = [{"Statement": [{"Effect": "Allow", "Action": may, "Resource": "*"}]}]
    assert [found.state for found in store.diagnose()] == ["ok", "warn"]
