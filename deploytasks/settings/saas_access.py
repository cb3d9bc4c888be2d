"""How a service on the internet is reached."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from .base import Duration, Value
from .github import is_safe
from .web_access import BaseUrl

SafeUrl = Annotated[BaseUrl, AfterValidator(is_safe)]
"""A base URL to which a token may be sent: https, or this very machine."""


class SaasAccess(Value):
    """The keys that every section about such a service has. A proxy is taken from ``HTTPS_PROXY`` and ``NO_PROXY``."""

    verify: Annotated[str, Field(min_length=1)] | None = None
    """The file of the authorities to trust; those of the system otherwise. Relative to the project."""
    within: Annotated[Duration, Field(gt=0, le=30)] = 4.0
    """How long all that one look asks, or one message, may take; at most 30 s."""
