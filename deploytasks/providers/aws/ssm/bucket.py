"""The bucket from which hosts fetch releases: a file is put there once, under its digest, and shown for a while.

The URL is as good as the file: it is hidden from all that we record or show.
"""

from __future__ import annotations

import base64
import hashlib
import threading
from functools import cached_property
from pathlib import Path
from typing import Any

import botocore.exceptions

from .... import redaction
from ....errors import UsageError
from ....settings.ssm_fleet import SsmFleetSettings
from ...site import Site
from ..session import Known, client, code_of, translated

_MISSING = frozenset({"404", "NoSuchKey", "NotFound", "403", "AccessDenied"})
"""Whoever may not list a bucket is told 403 for what is not there."""


class Bucket:
    """``bucket`` and ``prefix`` of a fleet. For any thread."""

    def __init__(self, settings: SsmFleetSettings, site: Site) -> None:
        self.name = settings.bucket
        self._prefix = f"{settings.prefix.rstrip('/')}/{site.application}/".lstrip("/")
        self._expires = int(settings.url_expires)
        self._site = site
        self._lock = threading.Lock()
        self._there: set[str] = set()

    @cached_property
    def _s3(self) -> Any:
        return client("s3", self._site)

    def key(self, digest: str) -> str:
        """Where a file is, by its SHA-256."""
        return f"{self._prefix}{digest}"

    def put(self, path: Path) -> str:
        """Have a file there, and return its digest. One that is there with the same checksum stays.

        Raises ``UsageError`` when it cannot be read or when there is no such bucket, and ``Unreachable``.
        """
        with self._lock:
            digest = _digest(path)
            if digest in self._there:
                return digest
            if not self._has(digest, path):
                self._upload(digest, path)
            self._there.add(digest)
        return digest

    def url(self, path: Path) -> str:
        """Where a file can be fetched for a while, by whoever has this URL."""
        digest = self.put(path)
        with translated("sign a URL", self._known()):
            events = self._s3.meta.events
            events.register_first("choose-signer.s3", _signed_by_date, unique_id="deploytasks-presigned")
            found = self._s3.generate_presigned_url(
                "get_object", Params={"Bucket": self.name, "Key": self.key(digest)}, ExpiresIn=self._expires
            )
        redaction.hide(found, found.partition("?")[2])
        return str(found)

    def check(self) -> None:
        """Raise what is wrong with it."""
        with translated(f"look at the bucket {self.name}", self._known()):
            self._s3.head_bucket(Bucket=self.name)

    def _has(self, digest: str, path: Path) -> bool:
        with translated(f"look into the bucket {self.name}", self._known()):
            try:
                found = self._s3.head_object(Bucket=self.name, Key=self.key(digest), ChecksumMode="ENABLED")
            except botocore.exceptions.ClientError as error:
                if code_of(error) in _MISSING:
                    return False
                raise
        same = bool(found["ContentLength"] == path.stat().st_size)
        return same and found.get("ChecksumSHA256") == _checksum(digest)

    def _upload(self, digest: str, path: Path) -> None:
        known = self._known()
        with (
            translated(f"put {path.name} into {self.name}", known, state="no host was touched"),
            path.open("rb") as body,
        ):
            self._s3.put_object(
                Bucket=self.name, Key=self.key(digest), Body=body, ContentLength=path.stat().st_size,
                ContentType="application/gzip", ChecksumSHA256=_checksum(digest),
            )  # fmt: skip

    def _known(self) -> dict[str, Known]:
        missing = Known(UsageError, f"there is no bucket {self.name}", "make it, or mend `fleet.bucket`")
        return {"NoSuchBucket": missing, "404": missing}


def _digest(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from error


def _checksum(digest: str) -> str:
    """As S3 writes a SHA-256."""
    return base64.b64encode(bytes.fromhex(digest)).decode()


def _signed_by_date(signature_version: str, **_: Any) -> str | None:
    """Version 4 of the signature, for URLs too: boto3's own choice is one that newer regions do not take."""
    return "s3v4-query" if signature_version.endswith("-query") else None
