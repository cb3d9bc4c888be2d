"""What a source of metrics gives, where there are several."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal, Self

from pydantic import model_validator

from .base import Value

Measure = Literal["errors", "latency", "database", "hosts"]
"""Counts of requests and errors; of slow ones; readings of the database; of the hosts."""
OF: Mapping[Measure, tuple[str, ...]] = {
    "database": ("query_time", "pool", "replication_lag"),
    "hosts": ("cpu", "memory", "disk"),
}
"""The readings that belong to a measure, by their names in ``verdict.levels``."""


class Measuring(Value):
    """A section about a source of metrics."""

    can: ClassVar[tuple[Measure, ...]] = ("errors", "latency")
    """What it could give."""

    measures: tuple[Measure, ...] | None = None
    """What it gives, of several sources: ``errors``, ``latency``, ``database``, ``hosts``. By default all that it
    can."""

    @property
    def shows_after(self) -> float:
        """Seconds until what happens shows in the numbers: at once where they are counted, but for a moment."""
        return 2.0

    @property
    def able(self) -> tuple[Measure, ...]:
        """What it could give as it is configured."""
        return self.can

    @property
    def gives(self) -> frozenset[Measure]:
        """What it does give."""
        return frozenset(self.able if self.measures is None else self.measures)

    @model_validator(mode="after")
    def _can_give_it(self) -> Self:
        unknown = [each for each in self.measures or () if each not in self.able]
        if unknown:
            raise ValueError(f"measures: as it is configured it gives {', '.join(self.able)}, not {', '.join(unknown)}")
        if self.measures is not None and not self.measures:
            raise ValueError("measures: name one at least")
        return self
