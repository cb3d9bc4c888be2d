"""The store of a team: a bucket of S3, or of anything that speaks its protocol."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from .base import Duration, Value

_DAY = 86400.0


class S3StoreSettings(Value):
    """``store: {kind: s3, bucket: acme-ledger, retain: 400d}``. Where and as whom is said in ``aws``."""

    beside: ClassVar[tuple[str, ...]] = ("aws",)
    kind: Literal["s3"] = "s3"
    bucket: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")]
    """The bucket; nobody makes it here."""
    prefix: (
        Annotated[str, Field(pattern=r"^[A-Za-z0-9!_.*'()=-]+(/[A-Za-z0-9!_.*'()=-]+)*/?$", max_length=400)] | None
    ) = None
    """Stands before all keys, which follow after a slash."""
    kms_key: Annotated[str, Field(pattern=r"^[A-Za-z0-9:/_-]+$")] | None = None
    """Id, ARN or alias of the key that encrypts; by default what the bucket says."""
    retain: Annotated[Duration, Field(ge=_DAY, le=36500 * _DAY)] | None = None
    """How long Object Lock keeps each event, such as ``400d``; by default what the bucket says. A bucket without Object
    Lock is then refused."""
    lock: Literal["compliance", "governance"] = "compliance"
    """``compliance``: nobody can shorten that. ``governance``: only who has the right to."""
