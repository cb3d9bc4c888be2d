"""An Application Load Balancer: a listener or a rule of it that forwards to one target group per color."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from .base import Duration, Fraction, Value
from .notice_page import NoticePage

_ARN = r"^arn:[a-z0-9-]+:elasticloadbalancing:[a-z0-9-]+:[0-9]{12}:"
ListenerArn = Annotated[str, Field(pattern=_ARN + r"listener/app/[^\s'\"]+$")]
"""``arn:aws:elasticloadbalancing:eu-central-1:123456789012:listener/app/shop/0a1b2c/3d4e5f``."""
RuleArn = Annotated[str, Field(pattern=_ARN + r"listener-rule/app/[^\s'\"]+$")]
"""``arn:aws:elasticloadbalancing:eu-central-1:123456789012:listener-rule/app/shop/0a1b2c/3d4e5f/6a7b8c``."""
GroupArn = Annotated[str, Field(pattern=_ARN + r"targetgroup/[^\s'\"]+$")]
"""``arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/shop-blue/0a1b2c``."""


class TargetGroups(Value):
    """The target group of each color."""

    blue: GroupArn
    """The ARN of blue's target group."""
    green: GroupArn
    """The ARN of green's target group."""

    @model_validator(mode="after")
    def _are_two(self) -> TargetGroups:
        if self.blue == self.green:
            raise ValueError("both colors have the same target group: they could not be told apart")
        return self


class TrafficSettings(Value):
    """``traffic: {kind: alb, public: "https://shop.example", listener: "arn:…", groups: {blue: "arn:…", …}}``."""

    kind: Literal["alb"] = "alb"
    beside: ClassVar[tuple[str, ...]] = ("aws",)
    counted_by: ClassVar[frozenset[str]] = frozenset({"cloudwatch"})
    """The metrics that count what this balancer itself sends where: they tell whether a split is in force."""
    public: str = Field(pattern=r"^https?://[^/\s]+(/[^\s]*)?$")
    """The base URL that users know."""
    listener: ListenerArn | None = None
    """The ARN of the listener whose default action forwards to both colors. Either this or ``rule``."""
    rule: RuleArn | None = None
    """The ARN of the rule that does, when the default action is for something else."""
    groups: TargetGroups
    """The target group of each color."""
    healthy: Annotated[int, Field(ge=1, le=1000)] = 1
    """How many targets of a color must be healthy, as the load balancer finds them."""
    healthy_share: Annotated[Fraction, Field(ge=0, le=1)] = 0.5
    """And how many of those that are registered."""
    up_within: Annotated[Duration, Field(ge=0, le=900)] = 60.0
    """How long that may take for a color that is to get its first traffic. A way back waits for nobody."""

    @model_validator(mode="after")
    def _has_one_place(self) -> TrafficSettings:
        if (self.listener is None) == (self.rule is None):
            raise ValueError("name either `listener` or `rule`: where traffic is shared")
        return self

    @property
    def place(self) -> str:
        """The ARN of the listener or rule."""
        return self.listener or self.rule or ""


class MaintenanceSettings(NoticePage):
    """``maintenance: {kind: alb, message: "Back at noon.", retry_after: 300}``."""

    means: ClassVar[dict[str, str]] = {
        "page": "An HTML file of at most 1024 bytes, with `{message}` and `{retry_after}`; by default a plain one.",
    }

    kind: Literal["alb"] = "alb"
    beside: ClassVar[tuple[str, ...]] = ("aws",)
