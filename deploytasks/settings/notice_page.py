"""The page that a balancer shows while the site is closed."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from .base import Value


class NoticePage(Value):
    """The keys of every balancer that answers with a page of its own."""

    page: str | None = None
    """An HTML file to show; ``{message}`` and ``{retry_after}`` in it are replaced. By default a plain page."""
    message: Annotated[str, Field(min_length=1)] = "We are working on it and will be back soon."
    """What the page says when the notice says nothing."""
    retry_after: Annotated[int, Field(ge=1, le=86400)] = 300
    """Seconds, when the notice does not say how long."""
