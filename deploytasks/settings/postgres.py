"""A PostgreSQL server, and how to reach a database on it without ever writing a password down."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from .base import Value

Name = Annotated[str, Field(min_length=1)]
Variable = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
"""The name of an environment variable."""


class PostgresAccess(Value):
    """``{url_from: DATABASE_URL}``, or ``{host: …, name: …, user: …, password_from: …}``, or ``{service: …, name: …}``.

    What is not said is as for every program of PostgreSQL: its environment variables, ``~/.pgpass``.
    """

    url_from: Variable | None = None
    """The environment variable that holds a URL (``postgresql://user:password@host/name?sslmode=require``) or the
    words ``host=… dbname=…``."""
    host: Name | None = None
    """A name, an address, or the folder of a UNIX socket."""
    port: Annotated[int, Field(ge=1, le=65535)] | None = None
    name: Name | None = None
    """The database."""
    user: Name | None = None
    password_from: Variable | None = None
    """The environment variable that holds the password."""
    passfile: Name | None = None
    """A file of passwords in libpq's form (``.pgpass``), relative to the project."""
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
