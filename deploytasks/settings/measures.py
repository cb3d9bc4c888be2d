"""What a source of metrics gives, where there are several."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

from pydantic import model_validator

from .base import Value

Measure = Literal["errors", "latency", "database", "hosts"]
"""Counts of requests and errors; of slow ones; readings of the database; of the hosts."""


class Measuring(Value):
    """A section about a source of metrics."""

    can: ClassVar[tuple[Measure, ...]] = ("errors", "latency")
    """What it could give."""

    measures: tuple[Measure, ...] | None = None
    """What it gives, of several sources: ``[errors]``. By default all that it can."""

    @property
    def gives(self) -> frozenset[Measure]:
        """What it gives as it is configured."""
        return frozenset(self.can if self.measures is None else self.measures)

    @model_validator(mode="after")
    def _can_give_it(self) -> Self:
        unknown = [each for each in self.measures or () if each not in self.can]
        if unknown:
            raise ValueError(f"measures: it gives {', '.join(self.can)}, not {', '.join(unknown)}")
        if self.measures is not None and not self.measures:
            raise ValueError("measures: name one at least")
        return self
