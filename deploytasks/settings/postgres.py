"""A PostgreSQL server, and how to reach a database on it without ever writing a password down."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from .base import Duration, Value
from .migrations import Elsewhere, Variable

Name = Annotated[str, Field(min_length=1)]


class PostgresAccess(Value):
    """``{url_from: DATABASE_URL}``, or ``{host: …, name: …, user: …, password_from: …}``, or ``{service: …, name: …}``.

    What is not said is as for every program of PostgreSQL: its environment variables, ``~/.pgpass``.
    """

    url_from: Variable | None = None
    """The environment variable that holds ``postgresql://user:password@host/name?sslmode=verify-full``. Instead of
    ``host``, ``port``, ``name``, ``user`` and ``service``."""
    host: Name | None = None
    """A name, an address, or the folder of a UNIX socket."""
    port: Annotated[int, Field(ge=1, le=65535)] | None = None
    """The server's port; PostgreSQL's own is 5432."""
    name: Name | None = None
    """The database. Needed without ``url_from``."""
    user: Name | None = None
    """The role."""
    password_from: Variable | None = None
    """The environment variable that holds the password."""
    passfile: Name | None = None
    """A file of passwords in libpq's form (``.pgpass``); relative to the project."""
    service: Name | None = None
    """A section of libpq's service file (``pg_service.conf``)."""

    @model_validator(mode="after")
    def _one_way_to_say_where(self) -> Self:
        said = [key for key in ("host", "port", "name", "user", "service") if getattr(self, key) is not None]
        if self.url_from and said:
            raise ValueError(f"url_from and {said[0]} cannot both be given: the URL says where")
        if not self.url_from and not self.name:
            raise ValueError("which database? say url_from, or name")
        return self


class PostgresSettings(PostgresAccess, Elsewhere):
    """``database: {kind: postgres, url_from: DATABASE_URL, preset: django}``."""

    announce: ClassVar[str] = "PGAPPNAME='deploytasks migrate' "

    kind: Literal["postgres"] = "postgres"
    backups: Name | None = None
    """The folder of copies; by default ``backups`` in the environment's state folder. Relative to the project."""
    keep: Annotated[int, Field(ge=1, le=10_000)] = 14
    """How many copies stay."""
    bin: Name | None = None
    """The folder of ``pg_dump`` and ``pg_restore``. By default those of the server's version are looked for, on
    ``PATH`` first; older ones cannot be used."""
    jobs: Annotated[int, Field(ge=1, le=64)] = 2
    """How many tables and indexes are restored at once."""
    maintenance: Name = "postgres"
    """Another database of the server, to which we connect while this one changes its name."""
    patience: Annotated[Duration, Field(gt=0, le=60)] = 2.0
    """How long a lock on a whole table must last to count as a migration at work."""
