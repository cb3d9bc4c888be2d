"""Requests that are made on purpose: to see that a release works, and to warm it up."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, field_validator

from .base import Positive, Value
from .environment import Text
from .mistakes import Mistakes

PagePath = Annotated[str, Field(pattern=r"^/[^\s#]*$")]
"""A path on the application: ``/api/books/?page=2``."""


class Check(Value):
    """One request of the smoke test and what must come back."""

    name: Text
    """What it is called; each name once."""
    path: PagePath
    """The page that is asked for, by GET."""
    status: Annotated[int, Field(ge=100, le=599)] = 200
    """The status that must come back."""
    contains: Text | None = None
    """A text that the body must contain."""
    within: Positive = 2.0
    """How long the answer may take."""


class Smoke(Value):
    """The smoke test."""

    checks: Annotated[tuple[Check, ...], Field(min_length=1)] = (Check(name="health", path="/health"),)
    """The requests."""

    @field_validator("checks")
    @classmethod
    def _named_once(cls, checks: tuple[Check, ...]) -> tuple[Check, ...]:
        names = [check.name for check in checks]
        twice = [at for at, name in enumerate(names) if name in names[:at]]
        if twice:
            raise Mistakes([(f"[{at}].name", f"{names[at]!r} is taken: names tell checks apart") for at in twice])
        return checks


class WarmUp(Value):
    """Requests that fill caches before users come."""

    paths: Annotated[tuple[PagePath, ...], Field(min_length=1)] = ("/",)
    """Pages, asked for in turn."""
    requests: Annotated[int, Field(ge=0, le=100_000)] = 20
    """How many to each host, over all paths; ``0``: no warm-up."""
