"""S3: buckets with versions, Object Lock, conditional writes and policies, each operation atomic as at AWS.

Strict where the emulator is lax: a condition on a key that is not there, retention without a lock or a checksum, a
wrong region, an absent ``s3:ListBucket``. A delete marker is no key, and a retained version stays.
"""

from __future__ import annotations

import base64
import hashlib
import json
from bisect import bisect_right, insort
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime

from .policies import Policy, says
from .s3_objects import (
    Bucket,
    Version,
    actions,
    after,
    all_versions,
    as_version,
    condition_keys,
    content_of,
    echo,
    encoded,
    encryption,
    etag_of,
    first,
    read_token,
    require_digest,
    retention,
    version_id,
)
from .service import REGION, AwsError, Params, Service

_PAGE = 1000


class S3(Service):
    """``s3.bucket("ledger", lock=True)`` makes one. ``allowed``: an access key → what its policies are; others may
    everything. ``listed``: keys per page at most."""

    name = "s3"

    def __init__(self) -> None:
        super().__init__()
        self.buckets: dict[str, Bucket] = {}
        self.allowed: dict[str, Sequence[Policy]] = {}
        self.page = _PAGE
        self.has_versions_api = True
        self._count = 0

    def bucket(self, name: str, *, lock: bool = False, versioning: bool = False, region: str = REGION) -> Bucket:
        """A new bucket, made by its administrator."""
        made = Bucket(region, "Enabled" if lock or versioning else "", lock)
        self.buckets[name] = made
        return made

    # -- who may -------------------------------------------------------------

    def admit(self, operation: str, params: Params, caller: str, region: str) -> None:
        """Refuse what no bucket there is, what is elsewhere, and what the policies do not allow."""
        if operation in {"ListBuckets", "CreateBucket"}:
            return
        bucket = self._bucket(params)
        if region != bucket.region:
            told = f"the region '{region}' is wrong; expecting '{bucket.region}'"
            raise AwsError("AuthorizationHeaderMalformed", told, 400, {"x-amz-bucket-region": bucket.region})
        key = params.get("Key", "")
        resource = f"arn:aws:s3:::{params['Bucket']}" + (f"/{key}" if key else "")
        for action in actions(operation, params):
            if not self._may(caller, bucket, action, resource, condition_keys(params)):
                raise AwsError("AccessDenied", f"not authorized to perform: {action} on resource {resource}", 403)

    def _may(self, caller: str, bucket: Bucket, action: str, resource: str, keys: Mapping[str, str]) -> bool:
        own = self.allowed.get(caller)
        everybody = [bucket.policy] if bucket.policy else []
        if says([*everybody, *(own or ())], "Deny", action, resource, keys):
            return False
        return own is None or says(own, "Allow", action, resource, keys)

    def _may_list(self, name: str) -> bool:
        """Who may not list is not told whether a key is there."""
        arn = f"arn:aws:s3:::{name}"
        return all(says(own, "Allow", "s3:ListBucket", arn, condition_keys({})) for own in self.allowed.values())

    # -- buckets -------------------------------------------------------------

    def create_bucket(self, params: Params) -> Params:
        name = params["Bucket"]
        if name in self.buckets:
            raise AwsError("BucketAlreadyOwnedByYou", status=409)
        region = params.get("CreateBucketConfiguration", {}).get("LocationConstraint", "us-east-1")
        self.bucket(name, lock=params.get("ObjectLockEnabledForBucket", False), region=region)
        return {"Location": f"/{name}"}

    def head_bucket(self, params: Params) -> Params:
        return {"BucketRegion": self._bucket(params).region}

    def get_bucket_location(self, params: Params) -> Params:
        return {"LocationConstraint": self._bucket(params).region}

    def put_bucket_policy(self, params: Params) -> None:
        self._bucket(params).policy = json.loads(params["Policy"])

    def get_bucket_versioning(self, params: Params) -> Params:
        state = self._bucket(params).versioning
        return {"Status": state} if state else {}

    def put_bucket_versioning(self, params: Params) -> None:
        bucket, state = self._bucket(params), params["VersioningConfiguration"]["Status"]
        if bucket.has_lock and state != "Enabled":
            raise AwsError("InvalidBucketState", "Object Lock needs versions", 409)
        bucket.versioning = state

    def get_object_lock_configuration(self, params: Params) -> Params:
        bucket = self._bucket(params)
        if not bucket.has_lock:
            raise AwsError("ObjectLockConfigurationNotFoundError", "there is no Object Lock configuration", 404)
        rule = {"Rule": {"DefaultRetention": {"Mode": bucket.rule[0], "Days": bucket.rule[1]}}} if bucket.rule else {}
        return {"ObjectLockConfiguration": {"ObjectLockEnabled": "Enabled", **rule}}

    def put_object_lock_configuration(self, params: Params) -> None:
        bucket, given = self._bucket(params), params["ObjectLockConfiguration"]
        if bucket.versioning != "Enabled":
            raise AwsError("InvalidBucketState", "Object Lock needs versions", 409)
        rule = given.get("Rule", {}).get("DefaultRetention")
        bucket.has_lock, bucket.rule = True, (rule["Mode"], rule["Days"]) if rule else None

    # -- objects -------------------------------------------------------------

    def put_object(self, params: Params) -> Params:
        bucket, body = self._bucket(params), content_of(params.get("Body", b""))
        require_digest(params, body)
        self._require_condition(bucket, params)
        mode, until = retention(bucket, params)
        made = self._version(bucket, body)
        made.metadata, made.mode, made.until = dict(params.get("Metadata", {})), mode, until
        made.kms_key = params.get("SSEKMSKeyId", "")
        made.sha256 = params.get("ChecksumSHA256", "")
        if made.sha256 not in {"", base64.b64encode(hashlib.sha256(body).digest()).decode()}:
            raise AwsError("BadDigest", "the SHA-256 you specified did not match what was received")
        if made.kms_key:
            made.etag = (
                f'"{hashlib.md5(made.id.encode() + str(self._count).encode(), usedforsecurity=False).hexdigest()}"'
            )
        self._add(bucket, params["Key"], made)
        return {"ETag": made.etag, **version_id(bucket, made), **encryption(made)}

    def get_object(self, params: Params) -> Params:
        found = self._found(params)
        return {"Body": found.body, **self._told(params, found)}

    def head_object(self, params: Params) -> Params:
        return self._told(params, self._found(params))

    def delete_object(self, params: Params) -> Params:
        bucket, key = self._bucket(params), params["Key"]
        if "VersionId" in params:
            return self._delete_version(bucket, key, params)
        if not bucket.versioning:
            bucket.take_away(key)
            return {}
        marker = self._version(bucket, None)
        self._add(bucket, key, marker)
        return {"DeleteMarker": True, **version_id(bucket, marker)}

    def put_object_retention(self, params: Params) -> Params:
        found, given = self._found(params), params["Retention"]
        until = given["RetainUntilDate"]
        if found.mode == "COMPLIANCE" and found.until and (given["Mode"] != "COMPLIANCE" or until < found.until):
            raise AwsError("AccessDenied", "it is retained", 403)
        found.mode, found.until = given["Mode"], until
        return {}

    def get_object_retention(self, params: Params) -> Params:
        found = self._found(params)
        if not found.mode:
            raise AwsError("NoSuchKey", "there is no retention", 404)
        return {"Retention": {"Mode": found.mode, "RetainUntilDate": found.until}}

    def list_objects_v2(self, params: Params) -> Params:
        bucket, prefix = self._bucket(params), params.get("Prefix", "")
        most = min(params.get("MaxKeys", _PAGE), self.page)
        after = (
            read_token(params["ContinuationToken"]) if "ContinuationToken" in params else params.get("StartAfter", "")
        )
        found = list(first(self._keys(bucket, prefix, after), most + 1))
        shown = found[:most]
        told = [
            {"Key": key, "ETag": one.etag, "Size": len(one.body or b""), "LastModified": one.at} for key, one in shown
        ]
        answer: Params = {"Name": params["Bucket"], "Prefix": prefix, "KeyCount": len(shown), "MaxKeys": most}
        answer["IsTruncated"] = len(found) > most
        if answer["IsTruncated"]:
            answer["NextContinuationToken"] = base64.b64encode(shown[-1][0].encode()).decode()
        return {**answer, "Contents": encoded(told, params), **echo(params)}

    def list_object_versions(self, params: Params) -> Params:
        if not self.has_versions_api:
            raise AwsError("NotImplemented", "there are no versions here", 501)
        bucket, prefix = self._bucket(params), params.get("Prefix", "")
        most = min(params.get("MaxKeys", _PAGE), self.page)
        marker = (params.get("KeyMarker", ""), params.get("VersionIdMarker", ""))
        found = list(first(after(all_versions(bucket, prefix), marker), most + 1))
        shown = found[:most]
        answer: Params = {"Name": params["Bucket"], "Prefix": prefix, "IsTruncated": len(found) > most, "MaxKeys": most}
        if answer["IsTruncated"]:
            answer |= {"NextKeyMarker": shown[-1][0], "NextVersionIdMarker": shown[-1][1].id}
        kept = [as_version(*each) for each in shown if each[1].body is not None]
        markers = [as_version(*each) for each in shown if each[1].body is None]
        return {
            **answer,
            "Versions": encoded(kept, params),
            "DeleteMarkers": encoded(markers, params),
            **echo(params),
        }

    # -- inside --------------------------------------------------------------

    def _bucket(self, params: Params) -> Bucket:
        found = self.buckets.get(params["Bucket"])
        if found is None:
            raise AwsError("NoSuchBucket", "The specified bucket does not exist", 404)
        return found

    def _require_condition(self, bucket: Bucket, params: Params) -> None:
        current = bucket.current(params["Key"])
        if "IfNoneMatch" in params:
            if params["IfNoneMatch"] != "*":
                raise AwsError("NotImplemented", "If-None-Match takes * alone", 501)
            if current is not None:
                raise AwsError("PreconditionFailed", "At least one of the preconditions did not hold", 412)
        if "IfMatch" in params:
            if current is None:
                raise AwsError("NoSuchKey", "The specified key does not exist", 404)
            if params["IfMatch"].strip('"') != current.etag.strip('"'):
                raise AwsError("PreconditionFailed", "At least one of the preconditions did not hold", 412)

    def _version(self, bucket: Bucket, body: bytes | None) -> Version:
        self._count += 1
        name = f"v{self._count:012}" if bucket.versioning == "Enabled" else "null"
        return Version(name, body, etag_of(body or b""), datetime.now(UTC))

    def _add(self, bucket: Bucket, key: str, made: Version) -> None:
        if key not in bucket.versions:
            insort(bucket.keys, key)
        older = [one for one in bucket.versions.get(key, []) if one.id != made.id]
        bucket.versions[key] = [*older, made]

    def _delete_version(self, bucket: Bucket, key: str, params: Params) -> Params:
        found = next((one for one in bucket.versions.get(key, []) if one.id == params["VersionId"]), None)
        if found is None:
            return {}
        is_free = found.mode == "GOVERNANCE" and params.get("BypassGovernanceRetention", False)
        if found.until and found.until > datetime.now(UTC) and not is_free:
            raise AwsError("AccessDenied", "Access Denied because object protected by object lock.", 403)
        bucket.versions[key].remove(found)
        if not bucket.versions[key]:
            bucket.take_away(key)
        return {"VersionId": found.id}

    def _found(self, params: Params) -> Version:
        bucket, key = self._bucket(params), params["Key"]
        if "VersionId" in params:
            for one in bucket.versions.get(key, []):
                if one.id == params["VersionId"] and one.body is not None:
                    return one
            raise AwsError("NoSuchVersion", "The specified version does not exist", 404)
        found = bucket.current(key)
        if found is None and not self._may_list(params["Bucket"]):
            raise AwsError("AccessDenied", "Access Denied", 403)
        if found is None:
            raise AwsError("NoSuchKey", "The specified key does not exist", 404)
        return found

    def _told(self, params: Params, found: Version) -> Params:
        lock = {"ObjectLockMode": found.mode, "ObjectLockRetainUntilDate": found.until} if found.mode else {}
        size = {"ContentLength": len(found.body or b""), "LastModified": found.at, "ETag": found.etag}
        told = params.get("ChecksumMode") == "ENABLED" and found.sha256
        return {
            **size,
            **({"ChecksumSHA256": found.sha256} if told else {}),
            "Metadata": found.metadata,
            **lock,
            **version_id(self._bucket(params), found),
            **encryption(found),
        }

    def _keys(self, bucket: Bucket, prefix: str, after: str) -> Iterator[tuple[str, Version]]:
        begin = (
            bisect_right(bucket.keys, after)
            if after >= prefix
            else bisect_right(bucket.keys, prefix[:-1] if prefix else "")
        )
        for at in range(begin, len(bucket.keys)):
            key = bucket.keys[at]
            if key.startswith(prefix) and key > after and (found := bucket.current(key)):
                yield key, found
            elif not key.startswith(prefix) and key > prefix:
                return
