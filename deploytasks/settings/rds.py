"""Amazon RDS: a database instance or an Aurora cluster, copied by snapshots and put back under its own name."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from .base import Duration, Positive
from .migrations import Elsewhere, Variable

Identifier = Annotated[str, Field(pattern=r"^[a-z](-?[a-z0-9])*$", max_length=63)]
"""As RDS calls it, in lower case."""


class RdsSettings(Elsewhere):
    """``database: {kind: rds, instance: shop}``, or ``{kind: rds, cluster: shop, url_from: DATABASE_URL}``."""

    announce: ClassVar[str] = "PGAPPNAME='deploytasks migrate' "
    beside: ClassVar[tuple[str, ...]] = ("aws",)

    kind: Literal["rds"] = "rds"
    instance: Identifier | None = None
    """The identifier of a database instance."""
    cluster: Identifier | None = None
    """The identifier of an Aurora cluster, instead of ``instance``."""
    keep: Annotated[int, Field(ge=1, le=10_000)] = 14
    """How many snapshots that were made here stay. Nobody else's are deleted."""
    within: Positive = 14400.0
    """How long a snapshot, or one step of a restore, may take."""
    poll: Annotated[Duration, Field(ge=0.005, le=300)] = 15.0
    """The time between two looks at what RDS is doing."""
    url_from: Variable | None = None
    """The environment variable that holds the URL of a PostgreSQL database in it: then what was applied is recorded, a
    restored database is asked before it is used, and migrations are rehearsed on one."""
    check: Annotated[str, Field(min_length=1)] | None = None
    """A command that must succeed, run here, before a restored database takes the place. It finds the address in
    ``DATABASE_HOST`` and ``DATABASE_PORT``, and in the variable of ``url_from``."""

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.instance is None) == (self.cluster is None):
            raise ValueError("which database? say either instance, or cluster")
        return self

    @property
    def name(self) -> str:
        """The identifier of either."""
        return str(self.instance or self.cluster)
