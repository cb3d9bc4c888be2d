"""The fleet that ECS runs: a service for each color."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal, Self

from pydantic import AfterValidator, Field, field_validator, model_validator

from ..ports import COLORS, Color
from .aws import Url
from .base import Duration, Value

PLACEHOLDERS = ("version", "commit")
Resource = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,255}$")]
"""The name of a cluster, a service or a container."""


def _image(template: str) -> str:
    names = re.findall(r"\{(\w*)\}", template)
    unknown = [name for name in names if name not in PLACEHOLDERS]
    if unknown:
        raise ValueError(f"{{{unknown[0]}}} is no placeholder; known: {{version}}, {{commit}}")
    if not names:
        raise ValueError("an image of each release is needed: write {version} or {commit} into it")
    if re.search(r"\s|@", template):
        raise ValueError("a name with a tag is needed, such as shop:{version}; the digest is looked up")
    return template


class EcsFleetSettings(Value):
    """``fleet: {kind: ecs, cluster: shop, services: {blue: shop-blue, green: shop-green}, image: "…", …}``."""

    beside: ClassVar[tuple[str, ...]] = ("aws",)

    kind: Literal["ecs"] = "ecs"
    cluster: Resource
    """The cluster in which both services are."""
    services: Mapping[Color, Resource]
    """The service of each color: ``{blue: shop-blue, green: shop-green}``."""
    image: Annotated[str, Field(min_length=1), AfterValidator(_image)]
    """The image of a release, with ``{version}`` or ``{commit}`` in it. One in ECR must be there, and is pinned by its
    digest."""
    container: Resource | None = None
    """The container that has it; may be left out where a task has only one."""
    addresses: Mapping[Color, Url]
    """The base URL of each color past the balancer's shares: a test listener, or an internal one. Health, warm-up and
    smoke ask there."""
    count: Annotated[int, Field(ge=1, le=5000)] = 1
    """How many tasks a color has at least. It is started with no fewer than the other color wants."""
    health: Annotated[str, Field(pattern=r"^/")] = "/health"
    """The page that answers 200 when a color can serve users."""
    health_within: Annotated[Duration, Field(gt=0, le=60)] = 2.0
    """How long the health page may take."""
    start_within: Annotated[Duration, Field(gt=0, le=7200)] = 600.0
    """How long until a started color must be stable and healthy."""
    stop_within: Annotated[Duration, Field(gt=0, le=7200)] = 300.0
    """How long until all tasks of a stopped color must have ended."""
    drain_within: Annotated[Duration, Field(ge=0, le=3600)] = 30.0
    """How long requests that are still open get to end, before what serves them is stopped; where the balancer can
    count them."""
    run_within: Annotated[Duration, Field(gt=0, le=86400)] = 3600.0
    """How long a command in a task of its own may take, a migration above all."""
    poll: Annotated[Duration, Field(ge=0.02, le=60)] = 5.0
    """From look to look at what ECS does."""

    @field_validator("services", "addresses")
    @classmethod
    def _both_colors(cls, given: Mapping[Color, str]) -> Mapping[Color, str]:
        missing = [color for color in COLORS if color not in given]
        if missing:
            raise ValueError(f"{missing[0]} is missing")
        return {color: one.rstrip("/") for color, one in given.items()}

    @model_validator(mode="after")
    def _patience(self) -> Self:
        if self.poll >= self.start_within:
            raise ValueError("`poll` is longer than `start_within`: nothing would ever be seen to start")
        return self

    @property
    def is_one_service(self) -> bool:
        """Whether ECS itself keeps both colors of one service apart."""
        return self.services["blue"] == self.services["green"]
