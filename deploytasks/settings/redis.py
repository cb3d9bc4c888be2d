"""The maintenance flag in Redis."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from .base import Duration, Value

_Text = Annotated[str, Field(min_length=1)]
_Variable = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
_URL = r"^(rediss?://[^@\s/]+(/\d+)?|unix:///[^@\s]+)$"


class MaintenanceSettings(Value):
    """``maintenance: {kind: redis, url_from: REDIS_URL}``, or ``{kind: redis, url: redis://cache.internal:6379/0}``."""

    kind: Literal["redis"] = "redis"
    url: Annotated[str, Field(pattern=_URL)] | None = None
    """``redis://host:6379/0``, ``rediss://…`` with TLS, ``unix:///path``; without a password."""
    url_from: _Variable | None = None
    """The environment variable that holds the URL, ``redis://user:password@host:6379/0``."""
    user: _Text | None = None
    """A user of Redis's access control lists; beside ``url``."""
    password_from: _Variable | None = None
    """The environment variable that holds the password; beside ``url``."""
    ca: _Text | None = None
    """The file of the authorities to trust (``rediss://``); by default the machine's own. Relative to the project."""
    key: Annotated[str, Field(pattern=r"^\S+$")] | None = None
    """Where the flag is; by default ``maintenance:APPLICATION:ENVIRONMENT``."""
    timeout: Annotated[Duration, Field(gt=0, le=30)] = 2.0
    """How long each answer may take."""
    message: _Text = "We are working on it and will be back soon."
    """What visitors read when the notice says nothing."""
    retry_after: Annotated[int, Field(ge=1, le=86400)] = 300
    """Seconds, when the notice does not say how long."""

    @model_validator(mode="after")
    def _says_where_once(self) -> Self:
        if (self.url is None) == (self.url_from is None):
            raise ValueError("say where it is: `url`, or `url_from` (the name of a variable that holds it)")
        if self.url_from is not None and (self.user is not None or self.password_from is not None):
            raise ValueError("`url_from` says it all: leave out `user` and `password_from`")
        return self
