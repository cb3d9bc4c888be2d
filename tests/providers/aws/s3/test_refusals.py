"""Each refusal of S3: one clear message, the right exit code, and nothing half done."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from lab.aws.standing import ACCESS_KEY

from deploytasks.errors import Unreachable
from deploytasks.providers.aws.s3.store import S3Store

from .conftest import BUCKET, Open

if TYPE_CHECKING:
    from lab.aws import Cloud
    from lab.aws.s3 import S3

EVENT = "shop/production/events/000000000001.json"

SAID = [
    ("NoSuchBucket", 404, "there is no bucket acme-ledger", "mend `store.bucket`"),
    ("PermanentRedirect", 301, "is not in the region that `aws` names", "say `aws: {region: …}`"),
    ("AuthorizationHeaderMalformed", 400, "is not in the region that `aws` names", "say `aws: {region: …}`"),
    ("IllegalLocationConstraintException", 400, "is not in the region that `aws` names", "say `aws: {region: …}`"),
    ("AccessDenied", 403, "AccessDenied", "docs/aws.md"),
    ("AllAccessDisabled", 403, "AllAccessDisabled", "docs/aws.md"),
    ("ExpiredToken", 400, "ExpiredToken", "new credentials"),
    ("InvalidAccessKeyId", 403, "InvalidAccessKeyId", "check the credentials"),
    ("SignatureDoesNotMatch", 403, "SignatureDoesNotMatch", "check the credentials"),
    ("RequestTimeTooSkewed", 403, "RequestTimeTooSkewed", "clock"),
    ("KMS.DisabledException", 400, "KMS.DisabledException", "inv doctor"),
]


@pytest.mark.parametrize(("code", "status", "what", "do"), SAID)
def test_refused(store: S3Store, cloud: Cloud, s3: S3, code: str, status: int, what: str, do: str) -> None:
    """Reading, writing and listing leave with 7, and say what it is and what to do. Nothing was written."""
    for operation, use in {
        "GetObject": lambda: store.get(EVENT),
        "PutObject": lambda: store.put(EVENT, b"", None),
        "ListObjectsV2": lambda: list(store.keys("")),
    }.items():
        cloud.fail("s3", operation, code, status=status)
        if "region" in do:  # boto3 asks where the bucket is, and may not know
            cloud.fail("s3", "HeadBucket", "AccessDenied", status=403)
        with pytest.raises(Unreachable) as caught:
            use()
        error = caught.value
        assert (error.exit_code, what in error.what, do in error.do, bool(error.state)) == (7, True, True, True), error
    assert s3.buckets[BUCKET].keys == []


def test_write_that_was_refused_says_so(store: S3Store, cloud: Cloud) -> None:
    """Who reads the error need not ask whether it was written."""
    cloud.fail("s3", "PutObject", "AccessDenied", status=403)
    with pytest.raises(Unreachable) as caught:
        store.put(EVENT, b"", None)
    assert caught.value.state == "it was not written"


def test_bucket_that_is_not_there(opened: Open) -> None:
    """A bucket that nobody made is named."""
    with pytest.raises(Unreachable, match="there is no bucket acme-nothing"):
        opened(bucket="acme-nothing").get(EVENT)
    assert [found.state for found in opened(bucket="acme-nothing").diagnose()] == ["fail"]


def test_region_that_is_wrong(opened: Open, cloud: Cloud) -> None:
    """Where S3 says in which region a bucket is, it is asked there, from the second request on without a detour."""
    store = opened(region="eu-west-1")
    tag = store.put(EVENT, b"there", None)
    with cloud.counting() as asked:
        assert store.get(EVENT) == (b"there", tag)
    assert asked == ["GetObject"]


def test_key_that_is_refused(store: S3Store, cloud: Cloud) -> None:
    """Credentials that have run out are an outside system that does not answer."""
    cloud.refused_keys[ACCESS_KEY] = "ExpiredToken"
    with pytest.raises(Unreachable, match="ExpiredToken"):
        store.get(EVENT)


def test_server_without_conditions(store: S3Store, cloud: Cloud) -> None:
    """An S3 that does not know conditional writes is of no use, and that is said."""
    cloud.fail("s3", "PutObject", "NotImplemented", status=501, times=3)
    with pytest.raises(Unreachable, match="does not compare before it writes"):
        store.put(EVENT, b"", None)


def test_doctor_finds_a_server_that_ignores_conditions(store: S3Store, s3: S3, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that takes no notice of conditions would give a lease to two: found before, by a write that is taken back."""
    monkeypatch.setattr(s3, "_require_condition", lambda *_: None)
    found = store.diagnose()[0]
    assert (found.state, "two could have one lease" in found.detail) == ("fail", True)
    assert list(store.keys("")) == []
