"""Sections that may be lists: several systems that do the same thing, each with settings of its own."""

from __future__ import annotations

from .base import Value


class Several(Value):
    """``maintenance: [{kind: redis, …}, {kind: haproxy}]``."""

    parts: tuple[Value, ...]


def parts(value: Value | None) -> tuple[Value, ...]:
    """The sections in a section: those of a list, the one itself, or none."""
    if value is None:
        return ()
    return value.parts if isinstance(value, Several) else (value,)
