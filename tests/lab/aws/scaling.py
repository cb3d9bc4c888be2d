"""Application Auto Scaling: the limits between which a service's count moves."""

from __future__ import annotations

from .service import Params, Service


class Scaling(Service):
    """``limits``: service resource (``service/shop/shop-blue``) → least and most."""

    name = "application-autoscaling"

    def __init__(self) -> None:
        super().__init__()
        self.limits: dict[str, tuple[int, int]] = {}

    def describe_scalable_targets(self, params: Params) -> Params:
        wanted = params.get("ResourceIds") or list(self.limits)
        found = [(one, *self.limits[one]) for one in wanted if one in self.limits]
        return {
            "ScalableTargets": [
                {
                    "ServiceNamespace": "ecs",
                    "ResourceId": one,
                    "ScalableDimension": "ecs:service:DesiredCount",
                    "MinCapacity": least,
                    "MaxCapacity": most,
                    "RoleARN": self.arn("role/scaling", "iam"),
                    "CreationTime": 0,
                }
                for one, least, most in found
            ]
        }
