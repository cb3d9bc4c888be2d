"""How a service with an HTTP API is asked: who we are, whom we trust, and how long we wait."""

from __future__ import annotations

import re
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from .base import Duration, Value


def _variable(given: str) -> str:
    # Without the value in the message: somebody may have written the secret itself.
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", given):
        raise ValueError("the name of an environment variable is needed, never the secret itself")
    return given


def _base_url(given: str) -> str:
    if not re.fullmatch(r"https?://[^\s/?#@]+(/[^\s?#]*)?", given):
        raise ValueError("a URL such as https://prometheus.example:9090 is needed, without user, query or fragment")
    return given.rstrip("/")


VariableName = Annotated[str, AfterValidator(_variable)]
"""The name of an environment variable that holds a secret."""
BaseUrl = Annotated[str, AfterValidator(_base_url)]
"""``http[s]://host[:port][/prefix]``, without a slash at its end."""


class WebAccess(Value):
    """The keys that every section about such a service has."""

    token_from: VariableName | None = None
    """The name of the environment variable that holds a bearer token."""
    user: Annotated[str, Field(pattern=r"^[^:\s]+$")] | None = None
    """Who we are, for basic authentication."""
    password_from: VariableName | None = None
    """The name of the environment variable that holds the password of ``user``."""
    verify: Annotated[str, Field(min_length=1)] | None = None
    """The file of the authorities to trust; those of the system otherwise. Relative to the project."""
    within: Annotated[Duration, Field(gt=0, le=30)] = 4.0
    """For all that one look asks; less than ``deadman.grace``."""

    @model_validator(mode="after")
    def _proves_itself_once(self) -> Self:
        if self.token_from is not None and self.user is not None:
            raise ValueError("`token_from` or `user` with `password_from`, not both")
        if (self.user is None) != (self.password_from is None):
            raise ValueError("`user` and `password_from` belong together")
        return self
