"""Requests of our own, for environments that are too quiet to be judged by their users."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from .base import Duration, Value

PagePath = Annotated[str, Field(pattern=r"^/[^\s#]*$")]
"""A path on the application, with its query: ``/api/books/?page=2``."""


class ProbeSettings(Value):
    """``probe: {kind: http, rps: 20, paths: [/, /api/books/]}``."""

    kind: Literal["http"] = "http"
    rps: Annotated[float, Field(gt=0, le=1000)] = 20.0
    """Requests per second, to each color."""
    paths: Annotated[tuple[PagePath, ...], Field(min_length=1)] = ("/",)
    """Pages, asked for in turn by GET alone: they must change nothing."""
    timeout: Annotated[Duration, Field(gt=0, le=60)] = 5.0
    """For a whole answer; later counts as no answer."""
