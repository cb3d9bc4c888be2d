"""Ledgers of any length, made in a moment: the bytes that appending would leave."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from deploytasks.ledger.chain import EMPTY, event_key, grown, head_key, write_head
from deploytasks.ledger.event import chained

if TYPE_CHECKING:
    from lab.aws.s3 import S3

WHO = "ann@laptop"


def recorded_in(s3: S3, bucket: str, scope: str, events: int) -> None:
    """Have a bucket of the lab hold a ledger of so many events: deployments of ten readings each."""
    head = EMPTY
    for nth in range(events):
        deployment, of = f"20260101-000000-{nth // 12:06}", nth % 12
        kind = "began" if of == 0 else "ended" if of == 11 else "reading"
        facts = {"deployment": deployment, "task": "deploy", "outcome": "done", "code": 0, "requests": of}
        at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=15 * nth)
        event, document = chained(head.number + 1, head.digest, at, kind, facts, WHO, 1)
        s3.put_object({"Bucket": bucket, "Key": event_key(scope, event.number), "Body": document})
        head = grown(head, event)
    s3.put_object({"Bucket": bucket, "Key": head_key(scope), "Body": write_head(head)})
