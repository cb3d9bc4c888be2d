"""What S3 keeps, and its rules about it, apart from the operations."""

from __future__ import annotations

import base64
import hashlib
from bisect import insort
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from .policies import Policy
from .service import ACCOUNT, REGION, AwsError, Params


@dataclass
class Version:
    """A version of an object, or a delete marker (``body`` is ``None``)."""

    id: str
    body: bytes | None
    etag: str
    at: datetime
    metadata: dict[str, str] = field(default_factory=dict)
    mode: str = ""
    until: datetime | None = None
    kms_key: str = ""
    sha256: str = ""
    """As it was said and found right when it was put; in base64."""


@dataclass
class Bucket:
    """``rule``: the mode and the days that are kept where nothing is said. ``keys`` are sorted."""

    region: str = REGION
    versioning: str = ""
    has_lock: bool = False
    rule: tuple[str, int] | None = None
    policy: Policy | None = None
    keys: list[str] = field(default_factory=list)
    versions: dict[str, list[Version]] = field(default_factory=dict)
    """By key, the newest last."""

    def current(self, key: str) -> Version | None:
        """What a read finds; nothing at a delete marker."""
        found = self.versions.get(key)
        return found[-1] if found and found[-1].body is not None else None

    def take_away(self, key: str) -> None:
        """Forget a key and its versions, as nobody can from outside."""
        if self.versions.pop(key, None) is not None:
            self.keys.remove(key)

    def change(self, key: str, body: bytes) -> None:
        """Change a version where it lies."""
        one = self.versions[key][-1]
        one.body, one.etag = body, etag_of(body)

    def rename(self, key: str, to: str) -> None:
        """Put a key at another one's place, its versions with it."""
        found = self.versions[key]
        self.take_away(key)
        self.take_away(to)
        self.versions[to] = found
        insort(self.keys, to)


def etag_of(body: bytes) -> str:
    """As S3 has it, where it encrypts with its own key."""
    return f'"{hashlib.md5(body, usedforsecurity=False).hexdigest()}"'


def actions(operation: str, params: Params) -> Iterator[str]:
    """The actions of IAM that an operation needs."""
    named = {
        "HeadObject": "GetObject", "ListObjectsV2": "ListBucket", "HeadBucket": "ListBucket",
        "ListObjectVersions": "ListBucketVersions", "GetObjectLockConfiguration": "GetBucketObjectLockConfiguration",
        "PutObjectLockConfiguration": "PutBucketObjectLockConfiguration",
    }  # fmt: skip
    if operation in {"GetObject", "HeadObject"} and "VersionId" in params:
        yield "s3:GetObjectVersion"
    elif operation == "DeleteObject" and "VersionId" in params:
        yield "s3:DeleteObjectVersion"
    else:
        yield f"s3:{named.get(operation, operation)}"
    if operation == "PutObject" and "ObjectLockMode" in params:
        yield "s3:PutObjectRetention"
    if params.get("BypassGovernanceRetention"):
        yield "s3:BypassGovernanceRetention"


def condition_keys(params: Params) -> dict[str, str]:
    """What policies may ask for. The lab counts as reached over TLS."""
    keys = {"aws:securetransport": "true", "s3:objectcreationoperation": "true", "aws:principalaccount": ACCOUNT}
    for name, key in (("IfNoneMatch", "s3:if-none-match"), ("IfMatch", "s3:if-match"), ("Prefix", "s3:prefix")):
        if name in params:
            keys[key] = params[name]
    if "ServerSideEncryption" in params:
        keys["s3:x-amz-server-side-encryption"] = params["ServerSideEncryption"]
    return keys


def require_digest(params: Params, body: bytes) -> None:
    """Hold the body against its digest."""
    given = params.get("ContentMD5")
    if given and base64.b64decode(given) != hashlib.md5(body, usedforsecurity=False).digest():
        raise AwsError("BadDigest", "The Content-MD5 you specified did not match what we received.")


def retention(bucket: Bucket, params: Params) -> tuple[str, datetime | None]:
    """Until when it is kept, and how."""
    mode: str = params.get("ObjectLockMode", "")
    until: datetime | None = params.get("ObjectLockRetainUntilDate")
    if bool(mode) != bool(until):
        raise AwsError("InvalidArgument", "x-amz-object-lock-retain-until-date and -mode must both be supplied")
    if not mode:
        kept = timedelta(days=bucket.rule[1]) if bucket.rule else None
        return (bucket.rule[0], datetime.now(UTC) + kept) if bucket.rule and kept else ("", None)
    if not bucket.has_lock:
        raise AwsError("InvalidRequest", "Bucket is missing Object Lock Configuration")
    if not {"ContentMD5", "ChecksumCRC32", "ChecksumSHA256", "ChecksumAlgorithm"} & params.keys():
        raise AwsError("InvalidRequest", "Content-MD5 OR x-amz-checksum- HTTP header is required with Object Lock")
    until = until.replace(tzinfo=UTC) if until and until.tzinfo is None else until
    if until is not None and until <= datetime.now(UTC):
        raise AwsError("InvalidArgument", "The retain until date must be in the future!")
    return mode, until


def version_id(bucket: Bucket, found: Version) -> Params:
    """Told where there are versions."""
    return {"VersionId": found.id} if bucket.versioning else {}


def encryption(found: Version) -> Params:
    """How it is encrypted."""
    told = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": found.kms_key}
    return told if found.kms_key else {"ServerSideEncryption": "AES256"}


def all_versions(bucket: Bucket, prefix: str) -> Iterator[tuple[str, Version, bool]]:
    """Keys in order, the newest version of each first."""
    for key in bucket.keys:
        if key.startswith(prefix):
            for at, one in enumerate(reversed(bucket.versions[key])):
                yield key, one, at == 0


def after(found: Iterator[tuple[str, Version, bool]], marker: tuple[str, str]) -> Iterator[tuple[str, Version, bool]]:
    """What comes after a marker."""
    key, version = marker
    is_past = not key
    for each in found:
        if is_past or each[0] > key:
            is_past = True
            yield each
        elif version and each[0] == key and each[1].id == version:
            is_past = True


def as_version(key: str, one: Version, is_latest: bool) -> Params:
    """As a listing has it."""
    told = {"Key": key, "VersionId": one.id, "IsLatest": is_latest, "LastModified": one.at}
    return told if one.body is None else {**told, "ETag": one.etag, "Size": len(one.body)}


def encoded(found: list[Params], params: Params) -> list[Params]:
    """Keys as the caller wants them."""
    if params.get("EncodingType") != "url":
        return found
    return [{**each, "Key": quote(each["Key"], safe="/")} for each in found]


def echo(params: Params) -> Params:
    """How keys are encoded."""
    return {"EncodingType": params["EncodingType"]} if "EncodingType" in params else {}


def read_token(token: str) -> str:
    """Where a page begins."""
    return base64.b64decode(token).decode()


def first(found: Iterator[Any], most: int) -> Iterator[Any]:
    """So many at most."""
    for _, each in zip(range(most), found, strict=False):
        yield each


def content_of(body: Any) -> bytes:
    """A body."""
    return body if isinstance(body, bytes) else str(body).encode()
