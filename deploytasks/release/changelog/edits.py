"""Edits of bytes: applied, and taken back to see that nothing else changed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class Edit(NamedTuple):
    """``new`` instead of the bytes from ``begin`` to ``end``; both are the same where something is inserted."""

    begin: int
    end: int
    new: bytes


def applied(document: bytes, edits: Sequence[Edit]) -> bytes:
    """A document with edits made, which do not overlap; of two at one place, the first one stands first."""
    pieces, at = [], 0
    for edit in sorted(edits, key=lambda edit: (edit.begin, edit.end)):
        pieces += [document[at : edit.begin], edit.new]
        at = edit.end
    return b"".join([*pieces, document[at:]])


def taken_back(document: bytes, edits: Sequence[Edit], original: bytes) -> bytes:
    """A changed document without its edits: the original, when they are all that changed."""
    pieces, at, shift = [], 0, 0
    for edit in sorted(edits, key=lambda edit: (edit.begin, edit.end)):
        begin = edit.begin + shift
        if document[begin : begin + len(edit.new)] != edit.new:
            return b""
        pieces += [document[at:begin], original[edit.begin : edit.end]]
        at = begin + len(edit.new)
        shift += len(edit.new) - (edit.end - edit.begin)
    return b"".join([*pieces, document[at:]])
