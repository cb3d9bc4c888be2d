"""What AWS refuses, as errors of ours that repeat the sentence with which it did."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from botocore.exceptions import ClientError

from .... import redaction
from ..session import Known, code_of, translated


@contextmanager
def meaning(doing: str, known: Mapping[str, Known]) -> Iterator[None]:
    """Like ``translated``; ``{said}`` in ``Known.what`` is what AWS said."""
    with translated(doing):
        try:
            yield
        except ClientError as error:
            meant = known.get(code_of(error))
            if meant is None:
                raise
            said = redaction.excerpt(error.response.get("Error", {}).get("Message", ""), 300)
            raise meant.kind(meant.what.replace("{said}", said or code_of(error)), do=meant.do) from error
