"""Traffic that ECS moves by itself."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from .alb import TargetGroups
from .base import Duration, Value
from .environment import Text


class EcsTrafficSettings(Value):
    """``traffic: {kind: ecs, public: "https://shop.example", groups: {blue: "arn:…", green: "arn:…"}}``."""

    means: ClassVar[dict[str, str]] = {
        "groups.blue": (
            "One of the service's two target groups: its own, or the alternate one. What runs there is blue."
        ),
        "groups.green": "The other.",
    }

    beside: ClassVar[tuple[str, ...]] = ("aws",)

    kind: Literal["ecs"] = "ecs"
    public: str = Field(pattern=r"^https?://[^/\s]+(/[^\s]*)?$")
    """The base URL that users know."""
    groups: TargetGroups
    """The service's two target groups; a revision has the color of the one it is in."""
    alarms: tuple[Text, ...] = ()
    """CloudWatch alarms at which ECS takes the deployment back, also when nobody deploys any more."""
    shift_within: Annotated[Duration, Field(gt=0, le=3600)] = 300.0
    """How long until a step that was released is made, and until traffic that is taken back is home."""
    end_within: Annotated[Duration, Field(gt=0, le=7200)] = 900.0
    """How long until a deployment that was released for the last time has ended."""
