"""The dead-man's switch at AWS: a schedule of EventBridge takes traffic home when the deployer falls silent."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from .aws import Arn
from .base import Duration, Value


class EventBridgeSettings(Value):
    """``deadman: {kind: eventbridge, grace: 10m, role_arn: "arn:aws:iam::123456789012:role/way-home"}``. The balancer
    is that of ``traffic``, of kind alb."""

    beside: ClassVar[tuple[str, ...]] = ("aws", "traffic")

    kind: Literal["eventbridge"]
    grace: Annotated[Duration, Field(ge=1, le=24 * 3600)] = 600.0
    """How long without a beat until traffic goes home; AWS takes up to a minute more. A deployer beats five times in
    it, every 15 seconds at most. Below ``1m``, ``doctor`` warns."""
    role_arn: Arn
    """The role with which EventBridge Scheduler changes the listener or the rule."""
    group: Annotated[str, Field(pattern=r"^[0-9a-zA-Z\-_.]{1,64}$")] = "default"
    """The schedule group in which the schedule is made. It is there already."""
    dead_letters: Arn | None = None
    """The ARN of an SQS queue that is told when the schedule went off and could not do its work."""
