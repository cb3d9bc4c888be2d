"""A store in a bucket of S3: what a team on several machines, and its CI, share.

Each write says what must be there (``If-Match``) or that nothing may be (``If-None-Match``): S3 tells two writers of a
key apart. A write carries a random id, with those of the writes before it. When its answer is lost, the same is sent
again: it can succeed only once, and if it did before, its id is found there.
"""

from __future__ import annotations

import re
import secrets
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from ....durable import jitter
from ....errors import Conflict, Unreachable
from ....ports import Finding, Tag
from ...keys import segments
from .ahead import Ahead
from .bucket import IN_DOUBT, Bucket, Busy, Doubt, Lock, Refused
from .examination import examined

if TYPE_CHECKING:
    from ....settings.s3_store import S3StoreSettings
    from ...site import Site

REMEMBERED = 32
"""Writes of one key whose ids are kept with it."""
_KNOWN_KEYS = 64
"""Keys of which we remember who wrote them."""
_ATTEMPTS = 6
"""At a key that others write at the same moment; each is answered only when another's was."""
_SUPERSEDED = '"superseded"'
_EVENT = re.compile(r"/events/[0-9]{12}\.json$")


class S3Store:
    """The ``Store`` of a team. Nothing is asked before the first read or write. The bucket must be there."""

    def __init__(self, settings: S3StoreSettings, site: Site) -> None:
        self._bucket = Bucket(settings.bucket, settings.prefix, settings.kms_key, site)
        self._ahead = Ahead(self._bucket)
        self._settings = settings
        self._writers: dict[str, tuple[Tag, Sequence[str]]] = {}
        self._lock_of_writers = threading.Lock()

    def get(self, key: str) -> tuple[bytes, Tag] | None:
        """The value and its tag, or ``None``. One request. Raises ``Unreachable``."""
        segments(key)
        found = self._ahead.get(key)
        if found is None:
            return None
        self._know(key, found.etag, found.writes)
        return found.value, found.etag

    def put(self, key: str, value: bytes, expect: Tag | None) -> Tag:
        """Write durably if the key still has the tag ``expect`` (``None``: must not exist), else ``Conflict``.

        One request, as a rule. Raises ``Unreachable`` when it cannot. Its state says so when nobody knows whether it
        was written.
        """
        segments(key)
        writes = (secrets.token_hex(8), *self._before(key, expect))[:REMEMBERED]
        tag = self._written(key, value, expect, writes)
        self._know(key, tag, writes)
        return tag

    def keys(self, prefix: str, after: str = "") -> Iterator[str]:
        """Keys with this prefix greater than ``after``, in order. Raises ``Unreachable``."""
        return self._bucket.keys(prefix, after)

    def rewritten(self, prefix: str) -> Iterator[str]:
        """Sentences about what was written more than once, or deleted, below a prefix. Raises ``Unreachable``."""
        return _rewritten(self._bucket.versions(prefix))

    def diagnose(self) -> Sequence[Finding]:
        """Whether one could write here, tried without writing, and what keeps events from being deleted."""
        try:
            return list(examined(self._bucket, self._settings))
        except Unreachable as error:
            return [Finding("store", "fail", error.what, error.do)]

    def _written(self, key: str, value: bytes, expect: Tag | None, writes: Sequence[str]) -> Tag:
        lock = self._lock(key)
        for attempt in range(_ATTEMPTS):
            try:
                return self._bucket.put(key, value, expect, writes, lock)
            except Busy:
                time.sleep(min(0.02 * 2**attempt, 0.3) * jitter())
            except Refused as refused:
                ours = self._our_own(key, writes[0]) if refused.is_repeated else None
                if ours is None:
                    raise Conflict(key) from None
                return ours
            except Doubt as doubt:
                error = self._bucket.doubtful(f"write {key}", doubt)
                ours = None if doubt.is_silent else self._our_own(key, writes[0])
                if ours is None:
                    raise error from doubt.error
                return ours
        raise Unreachable(
            f"S3 was too busy with {key} in {self._bucket.shown}: {_ATTEMPTS} attempts met another's",
            state="it was not written",
            do="run it again; `inv status` says who is at work",
        )

    def _our_own(self, key: str, write: str) -> Tag | None:
        """The tag that our write has given, if it got through; one that nothing has, when others have written since."""
        try:
            found = self._bucket.get(key)
        except Unreachable as error:
            raise Unreachable(error.what, state=IN_DOUBT, do=error.do) from error
        if found is None or write not in found.writes:
            return None
        return found.etag if write == found.writes[0] else _SUPERSEDED

    def _lock(self, key: str) -> Lock | None:
        if self._settings.retain is None or not _EVENT.search(key):
            return None
        return Lock(self._settings.lock.upper(), datetime.now(UTC) + timedelta(seconds=self._settings.retain))

    def _before(self, key: str, expect: Tag | None) -> Sequence[str]:
        """The ids of the writes that ours comes after, as far as we know them."""
        tag, writes = self._writers.get(key, (None, ()))
        return writes if expect is not None and tag == expect else ()

    def _know(self, key: str, tag: Tag, writes: Sequence[str]) -> None:
        if _EVENT.search(key):  # never written again
            return
        with self._lock_of_writers:  # a lease beats in a thread of its own
            self._writers.pop(key, None)
            self._writers[key] = (tag, tuple(writes))
            while len(self._writers) > _KNOWN_KEYS:
                self._writers.pop(next(iter(self._writers)))


def _rewritten(versions: Iterator[tuple[str, bool]]) -> Iterator[str]:
    counted: Counter[bool] = Counter()
    before = ""
    for key, is_marker in (*versions, ("", False)):
        if key != before:
            if counted[True]:
                yield f"{before} was deleted"
            if counted[False] > 1:
                yield f"{before} was written {counted[False]} times"
            before, counted = key, Counter()
        counted[is_marker] += 1
