"""Sections that may be lists: several systems that do the same thing, each with settings of its own."""

from __future__ import annotations

from collections.abc import Sequence

from .base import Value


class Several(Value):
    """``maintenance: [{kind: redis, …}, {kind: haproxy}]``."""

    parts: tuple[Value, ...]


def parts(value: Value | None) -> tuple[Value, ...]:
    """The sections in a section: those of a list, the one itself, or none."""
    if value is None:
        return ()
    return value.parts if isinstance(value, Several) else (value,)


def named(values: Sequence[Value]) -> tuple[str, ...]:
    """What several sections are called: by their kinds, numbered where there are several of one kind."""
    kinds = [str(getattr(value, "kind", "")) for value in values]
    return tuple(
        kind if kinds.count(kind) == 1 else f"{kind} {kinds[: at + 1].count(kind)}" for at, kind in enumerate(kinds)
    )
