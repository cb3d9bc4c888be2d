"""An account at AWS in the lab: staging and production behind load balancers that really serve users."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from journeys.environment import Environment, free_ports
from lab.aws import Cloud
from lab.aws.balancer import Balancer
from lab.aws.cloudwatch import CloudWatch
from lab.aws.cloudwatch_alarms import Alarm
from lab.aws.elbv2 import ElasticLoadBalancing
from lab.aws.rds import Rds
from lab.aws.s3 import S3
from lab.aws.scheduler import Scheduler
from lab.aws.standing import VARIABLES
from lab.aws.sts import Sts

BUCKET = "example-deployments"
GRACE = 3.0
"""Seconds until the dead-man's switch fires; at AWS it would be minutes."""
ROLE = "arn:aws:iam::123456789012:role/deadman"
ENVIRONMENTS = ("staging", "production")
NOTHING_YET = {
    "Type": "fixed-response",
    "FixedResponseConfig": {"StatusCode": "503", "ContentType": "text/plain", "MessageBody": "Not deployed yet."},
}
"""What docs/aws/balancer.tf makes of a listener."""


class Front(NamedTuple):
    """What is in front of an environment: a listener, the groups behind it, and where users come in."""

    listener: str
    groups: dict[str, str]
    balancer: Balancer
    colors: dict[str, str]
    """Where the servers of each color listen."""


class OnAws(Environment):
    """Two environments whose balancer, database, metrics, alarms, ledger, secrets and switch are at AWS; the servers
    run here."""

    name = "production"
    ends = (("down", "--env", "staging", "--yes"), ("down", "--env", "production", "--yes"))

    def __init__(self, root: Path, cloud: Cloud, fronts: dict[str, Front]) -> None:
        self.cloud = cloud
        self.fronts = fronts
        super().__init__(root)

    @property
    def general(self) -> dict[str, Any]:  # type: ignore[override]
        """How AWS is reached: the same for both."""
        return {"aws": {"region": self.cloud.region, "endpoint": self.cloud.url}}

    def _environments(self, own: dict[str, Any]) -> dict[str, Any]:
        made = {name: {**own, **self._at(name)} for name in ENVIRONMENTS}
        return {**made, "production": {**made["production"], "protected": True}}

    def _at(self, name: str) -> dict[str, Any]:
        front = self.fronts[name]
        return {
            "traffic": {
                "kind": "alb", "public": front.balancer.url, "listener": front.listener, "groups": front.groups,
                "up_within": "20s",
            },
            "fleet": {**super()._places["fleet"], "colors": front.colors},
            "metrics": {"kind": "cloudwatch", "period": "1s", "lag": "1s"},
            "alerts": {"kind": "cloudwatch", "prefix": f"library-{name}-"},
            "database": {
                "kind": "rds",
                "instance": f"library-{name}",
                "migrate": "{python} manage.py migrate --noinput",
                "poll": "50ms",
            },
            "store": {"kind": "s3", "bucket": BUCKET},
            "deadman": {"kind": "eventbridge", "grace": f"{GRACE:g}s", "role_arn": ROLE},
            "maintenance": {"kind": "alb", "message": "Back in a moment."},
            "gates": {"level": "development"},
        }  # fmt: skip

    @property
    def variables(self) -> dict[str, str]:
        """With the lab's credentials."""
        return {**super().variables, **VARIABLES}

    @property
    def url(self) -> str:
        """Where production's users come in."""
        return self.fronts[self.name].balancer.url


def _front(stack: ExitStack, cloud: Cloud, name: str) -> Front:
    elb = cloud["elbv2"]
    ports = dict(zip(("blue", "green"), free_ports(2), strict=True))
    groups = {
        color: elb.group(f"library-{name}-{color}", [("127.0.0.1", port)], path="/health")
        for color, port in ports.items()
    }
    listener = elb.listener(NOTHING_YET, balancer=f"library-{name}")
    balancer = stack.enter_context(Balancer(elb, listener))
    cloud["cloudwatch"].follow(balancer)
    cloud["cloudwatch"].put_alarm(Alarm(f"library-{name}-errors"))
    cloud["rds"].add_instance(f"library-{name}")
    for group in groups.values():
        elb.groups[group].attributes["deregistration_delay.timeout_seconds"] = "1"
    return Front(listener, groups, balancer, {color: f"127.0.0.1:{port}" for color, port in ports.items()})


@contextmanager
def on_aws(root: Path) -> Iterator[OnAws]:
    """An account with two environments, and a project that deploys there."""
    elb = ElasticLoadBalancing()
    services = (elb, Scheduler({"elasticloadbalancingv2": elb}), CloudWatch(), Rds(), S3(), Sts())
    with ExitStack() as stack:
        cloud = stack.enter_context(Cloud(*services))
        cloud["s3"].bucket(BUCKET)
        made = OnAws(root, cloud, {name: _front(stack, cloud, name) for name in ENVIRONMENTS})
        stack.callback(made.end)
        yield made
