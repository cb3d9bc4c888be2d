"""What `inv doctor` looks at in a bucket: whether one can write there, safely, and whether what was written stays."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ....errors import Unreachable
from ....ports import Finding
from .bucket import Bucket, Busy, Doubt, Refused

if TYPE_CHECKING:
    from ....settings.s3_store import S3StoreSettings

_SEE = 'docs/aws.md, "The ledger in S3"'


def examined(bucket: Bucket, settings: S3StoreSettings) -> Iterator[Finding]:
    """What was found, what matters most first. Raises ``Unreachable``."""
    next(bucket.keys("", ""), None)
    yield _tried(bucket)
    try:
        lock = bucket.described("get_object_lock_configuration").get("ObjectLockConfiguration", {})
        is_versioned = bucket.described("get_bucket_versioning").get("Status") == "Enabled"
    except Unreachable as error:
        yield Finding("store", "warn", f"whether events can be deleted is not known: {error.what}", error.do)
        return
    yield _kept(lock, settings) if lock else _loose(bucket, settings, is_versioned=is_versioned)


def _tried(bucket: Bucket) -> Finding:
    """Ask for a swap of what is not there: who may write is told that, and nothing is written. An S3 that writes all
    the same compares nothing, and would give one lease to two."""
    key = f"{bucket.scope}/doctor/{uuid.uuid4()}"
    try:
        bucket.put(key, b"", '"none"', (), None)
    except (Refused, Busy):
        return Finding("store", "ok", f"{bucket.shown} is writable")
    except Doubt as doubt:
        raise bucket.doubtful("be sure of writing", doubt) from doubt.error
    bucket.delete(key)
    what = f"{bucket.shown} compares nothing before it writes: two could have one lease"
    return Finding("store", "fail", what, "use an S3 that knows If-Match and If-None-Match")


def _kept(lock: Mapping[str, Any], settings: S3StoreSettings) -> Finding:
    rule = lock.get("Rule", {}).get("DefaultRetention")
    if settings.retain is not None:
        days = f"{settings.retain / 86400:g} days"
        return Finding("store", "ok", f"Object Lock keeps each event for {days} ({settings.lock})")
    if rule:
        how_long = f"{rule['Days']} days" if "Days" in rule else f"{rule.get('Years')} years"
        return Finding("store", "ok", f"Object Lock keeps everything for {how_long} ({rule['Mode'].lower()})")
    return Finding(
        "store", "warn", "the bucket has Object Lock, and nobody says how long events are kept", "say `store.retain`"
    )


def _loose(bucket: Bucket, settings: S3StoreSettings, *, is_versioned: bool) -> Finding:
    if settings.retain is not None:
        what = f"`store.retain` needs Object Lock, and {bucket.name} has none"
        return Finding("store", "fail", what, f"leave it out, or take another bucket: {_SEE}")
    if is_versioned:
        what = f"{bucket.name} keeps versions, and no Object Lock: who may delete them can take the past away"
    else:
        what = f"{bucket.name} keeps neither versions nor Object Lock: what is deleted there leaves no trace"
    return Finding("store", "warn", what, _SEE)
