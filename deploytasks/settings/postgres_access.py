"""How a PostgreSQL database is reached: by whatever section has one."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from .base import Duration, Value

Variable = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
"""The name of an environment variable."""
_Text = Annotated[str, Field(min_length=1)]


class PostgresAccess(Value):
    """``url_from: DEPLOY_STORE_URL``, or ``host``, ``name``, ``user`` and where the password is."""

    url_from: Variable | None = None
    """The environment variable that holds ``postgresql://user:password@host:5432/name?sslmode=verify-full``."""
    host: _Text | None = None
    """A name, an address, or the folder of a socket; several, separated by commas: the one that takes writes."""
    port: Annotated[int, Field(ge=1, le=65535)] = 5432
    name: _Text | None = None
    """Of the database."""
    user: _Text | None = None
    """The role; by default the name of who runs this."""
    password_from: Variable | None = None
    """The environment variable that holds the password."""
    passfile: _Text | None = None
    """A password file as of libpq (``host:port:database:user:password``), relative to the project."""
    sslmode: Literal["disable", "allow", "prefer", "require", "verify-ca", "verify-full"] | None = None
    """What TLS must do, as of libpq; ``verify-full`` alone proves whom we talk to."""
    sslrootcert: _Text | None = None
    """The file of the authorities to trust, relative to the project; or ``system``."""
    sslcert: _Text | None = None
    """Our certificate's file, relative to the project."""
    sslkey: _Text | None = None
    """Our key's file, relative to the project."""
    connect_within: Annotated[Duration, Field(ge=2, le=60)] = 3.0
    """Seconds until a connection stands; whole ones, and at least 2, as of libpq."""

    @model_validator(mode="after")
    def _says_where(self) -> Self:
        if self.url_from is None and (self.host is None or self.name is None):
            raise ValueError("say where it is: `url_from` (a variable's name), or `host` and `name`")
        if self.url_from is not None and self.model_fields_set & {"host", "port", "name", "user", "password_from"}:
            raise ValueError("`url_from` says it all: leave out `host`, `port`, `name`, `user` and `password_from`")
        if self.password_from is not None and self.passfile is not None:
            raise ValueError("`password_from` or `passfile`, not both")
        return self
