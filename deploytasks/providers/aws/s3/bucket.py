"""A bucket: what is asked of it, in one request each, and its errors as ours.

Who waited in vain is told so again at once for as long as that took: a silent S3 must not make every step of a way
home wait.
"""

from __future__ import annotations

import base64
import hashlib
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from botocore.exceptions import ClientError, ConnectionClosedError, HTTPClientError

from ....errors import Unreachable
from ..session import Known, client, code_of, translated

if TYPE_CHECKING:
    from ...site import Site

WRITES = "deploytasks-writes"
"""The metadata of an object that names its last writes."""
IN_DOUBT = "it may have been written, or not"
_PATIENCE = 0.1
"""Seconds of waiting that are forgiven."""
_NOT_SO = frozenset({"PreconditionFailed", "412", "304"})
_MEANWHILE = frozenset({"ConditionalRequestConflict", "OperationAborted"})
_ELSEWHERE = ("PermanentRedirect", "301", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException")
_ABSENT = frozenset({"NotImplemented", "MethodNotAllowed", "ObjectLockConfigurationNotFoundError"})
_AS_WRITTEN = {
    "NotImplemented": Known(
        Unreachable, "this S3 does not compare before it writes (If-Match, If-None-Match)", "use one that does, or AWS"
    )
}
_NO_LOCK = Known(
    Unreachable, "S3 does not keep events as `store.retain` says: the bucket has no Object Lock",
    "leave `store.retain` out, or take a bucket with Object Lock: docs/aws.md",
)  # fmt: skip


class Found(NamedTuple):
    """An object. ``writes``: the ids of its last writes, the newest first, as far as they are known."""

    value: bytes
    etag: str
    writes: Sequence[str]


class Refused(Exception):
    """The object is not what a condition wants. ``is_repeated``: it was asked for before, and maybe done then."""

    def __init__(self, *, is_repeated: bool) -> None:
        super().__init__()
        self.is_repeated = is_repeated


class Busy(Exception):
    """Another request for the same key is on its way (409): nothing was done."""


class Doubt(Exception):
    """No answer that would say whether it was written. ``is_silent``: nor would one come to another question."""

    def __init__(self, error: ClientError | HTTPClientError) -> None:
        super().__init__(str(error))
        self.error = error
        self.is_silent = isinstance(error, HTTPClientError) and not isinstance(error, ConnectionClosedError)


class Lock(NamedTuple):
    """Until when nobody can delete a version, and how strictly: ``COMPLIANCE`` or ``GOVERNANCE``."""

    mode: str
    until: datetime


class Bucket:
    """``name`` at the S3 to which ``aws`` leads; ``prefix`` stands before each key that is given or taken."""

    def __init__(self, name: str, prefix: str | None, kms_key: str | None, site: Site) -> None:
        self.name = name
        self.prefix = f"{prefix.rstrip('/')}/" if prefix else ""
        self.shown = f"s3://{name}/{self.prefix}".rstrip("/")
        self.scope = f"{site.application}/{site.environment}"
        """Below which this environment writes."""
        self._kms_key = kms_key
        self._site = site
        self._silent_until = 0.0
        self._silence: Unreachable | None = None

    def get(self, key: str) -> Found | None:
        """What is there now; ``None``: nothing, or a delete marker."""
        with self.translated(f"read {key}"):
            try:
                answer = self._ask("get_object", Key=self.prefix + key)
                value = answer["Body"].read()
            except ClientError as error:
                if code_of(error) == "NoSuchKey":
                    return None
                raise
        ids = str(answer.get("Metadata", {}).get(WRITES, "")).split()
        return Found(value, answer["ETag"], ids)

    def put(self, key: str, value: bytes, expect: str | None, writes: Sequence[str], lock: Lock | None) -> str:
        """Write where ``expect`` is the ETag (``None``: where nothing is); the new one.

        Raises ``Refused``, ``Busy``, ``Doubt``, and ``Unreachable`` when it was surely not written.
        """
        given = {"IfNoneMatch": "*"} if expect is None else {"IfMatch": expect}
        given |= {"Key": self.prefix + key, **self._encryption(), **_kept(lock, value)}
        known = _AS_WRITTEN if lock is None else {**_AS_WRITTEN, "InvalidRequest": _NO_LOCK}
        with self.translated(f"write {key}", "it was not written", known):
            try:
                answer = self._ask("put_object", Body=value, Metadata={WRITES: " ".join(writes)}, **given)
            except ClientError as error:
                raise _outcome(error, expect) from error
            except HTTPClientError as error:
                raise Doubt(error) from error
        return str(answer["ETag"])

    def keys(self, prefix: str, after: str) -> Iterator[str]:
        """Keys in the order of their bytes."""
        given = {"StartAfter": self.prefix + after} if after else {}
        for page in self._pages("list_objects_v2", f"list {prefix}", prefix, given):
            for each in page.get("Contents", ()):
                yield each["Key"].removeprefix(self.prefix)

    def versions(self, prefix: str) -> Iterator[tuple[str, bool]]:
        """Each version of each key, those of one key together; and whether it is a delete marker.

        Nothing, where the other side knows no versions.
        """
        try:
            for page in self._pages("list_object_versions", f"list the versions of {prefix}", prefix, {}):
                found = [(each["Key"], False) for each in page.get("Versions", ())]
                found += [(each["Key"], True) for each in page.get("DeleteMarkers", ())]
                yield from ((key.removeprefix(self.prefix), is_marker) for key, is_marker in sorted(found))
        except NoSuchThing:
            return

    def described(self, operation: str) -> Mapping[str, Any]:
        """What the bucket says about itself; empty when it says nothing about that."""
        with self.translated("look how the bucket is set up"):
            try:
                found: Mapping[str, Any] = self._ask(operation)
            except ClientError as error:
                if code_of(error) in _ABSENT:
                    return {}
                raise
        return found

    def delete(self, key: str) -> None:
        """Delete a key."""
        with self.translated(f"delete {key}"):
            self._ask("delete_object", Key=self.prefix + key)

    @contextmanager
    def translated(
        self, doing: str, state: str = "nothing was changed", known: Mapping[str, Known] | None = None
    ) -> Iterator[None]:
        """Raise the errors of S3 as ours, and at once where it was silent a moment ago."""
        if self._silence is not None and time.monotonic() < self._silent_until:
            raise Unreachable(self._silence.what, state=state, do=self._silence.do)
        began = time.monotonic()
        try:
            with translated(f"{doing} in {self.shown}", {**self._known(), **(known or {})}, state=state):
                yield
        except Doubt as doubt:
            if doubt.is_silent:
                self._remember(self.doubtful(doing, doubt), time.monotonic() - began)
            raise
        except Unreachable as error:
            if isinstance(error.__cause__, HTTPClientError):
                self._remember(error, time.monotonic() - began)
            raise

    def doubtful(self, doing: str, doubt: Doubt) -> Unreachable:
        """The error of a write of which nobody knows whether it was made."""
        try:
            with translated(f"{doing} in {self.shown}", self._known(), state=IN_DOUBT):
                raise doubt.error
        except Unreachable as error:
            return error

    def _remember(self, error: Unreachable, waited: float) -> None:
        if waited > _PATIENCE:
            self._silent_until, self._silence = time.monotonic() + waited, error

    def _ask(self, operation: str, **parameters: Any) -> Any:
        return getattr(client("s3", self._site), operation)(Bucket=self.name, **parameters)

    def _pages(self, operation: str, doing: str, prefix: str, given: Mapping[str, Any]) -> Iterator[Any]:
        with self.translated(doing):
            found = iter(client("s3", self._site).get_paginator(operation).paginate(
                Bucket=self.name, Prefix=self.prefix + prefix, **given
            ))  # fmt: skip
        while True:
            with self.translated(doing):
                try:
                    page = next(found, None)
                except ClientError as error:
                    if code_of(error) in _ABSENT:
                        raise NoSuchThing from error
                    raise
            if page is None:
                return
            yield page

    def _encryption(self) -> Mapping[str, Any]:
        if self._kms_key is None:
            return {}
        return {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": self._kms_key, "BucketKeyEnabled": True}

    def _known(self) -> Mapping[str, Known]:
        what = f"the bucket {self.name} is not in the region that `aws` names"
        elsewhere = Known(Unreachable, what, "say `aws: {region: …}`: the one of the bucket")
        absent = Known(
            Unreachable,
            f"there is no bucket {self.name}",
            "make it: docs/aws.md; or mend `store.bucket` in invoke.yaml",
        )
        return {"NoSuchBucket": absent, **dict.fromkeys(_ELSEWHERE, elsewhere)}


class NoSuchThing(Exception):
    """The other side does not know what was asked of it: it is no AWS."""


def _kept(lock: Lock | None, value: bytes) -> Mapping[str, Any]:
    """What keeps a version from being deleted; S3 then wants a digest of the body."""
    if lock is None:
        return {}
    digest = base64.b64encode(hashlib.md5(value, usedforsecurity=False).digest()).decode()
    return {"ObjectLockMode": lock.mode, "ObjectLockRetainUntilDate": lock.until, "ContentMD5": digest}


def _outcome(error: ClientError, expect: str | None) -> Exception:
    """What a refusal of a write means. Whatever comes after a lost answer leaves that one's write in doubt."""
    about, code = error.response.get("ResponseMetadata", {}), code_of(error)
    status, is_repeated = about.get("HTTPStatusCode", 0), about.get("RetryAttempts", 0) > 0
    if code in _NOT_SO or (code == "NoSuchKey" and expect is not None):
        return Refused(is_repeated=is_repeated)
    if code in _MEANWHILE and not is_repeated:
        return Busy()
    return Doubt(error) if is_repeated or (status >= 500 and code not in _AS_WRITTEN) else error
