"""How long `inv rollback` takes at an Application Load Balancer, beside the AWS CLI doing the least of it by hand.

The sample application is deployed twice in an environment of its own; then its traffic is shared at an emulated load
balancer, which both sides ask over HTTP. In turn: a rollback as people run it (target health, write, read-back, ledger
and smoke test in it), and the three commands that somebody at a terminal would need: `describe-target-health`,
`modify-listener`, `describe-listeners`. A rollback counts when traffic was on the one color before it and is on the
other after it, both by the weights in force.

    python benchmarks/alb_rollback.py [--pairs 11] [--quick] [--python PATH/TO/INSTALLED/PYTHON] [--aws PATH/TO/AWS]

Times are of whole processes. The AWS CLI is looked for on the PATH (`pip install 'deploytasks[peers]'`). Leaves with 1
when the median ratio of a rollback to the three commands is above 1.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1]), str(Path(__file__).parents[1] / "tests")]

from lab.aws import Cloud  # noqa: E402  # beside this file
from lab.aws.elbv2 import ElasticLoadBalancing, forward  # noqa: E402
from lab.aws.standing import VARIABLES, site_in  # noqa: E402
from rollback import ROLLBACK, Environment, measured, report, timed  # noqa: E402
from startup import installed  # noqa: E402

from deploytasks.ports import Color, other  # noqa: E402
from deploytasks.providers.aws.alb import Traffic  # noqa: E402
from deploytasks.settings.alb import TrafficSettings  # noqa: E402

BAR = 1.0


class Balanced:
    """The environment, its traffic at a load balancer from now on."""

    def __init__(self, environment: Environment, cloud: Cloud, aws: str) -> None:
        self._environment = environment
        self._cloud = cloud
        self._aws = aws
        self._elb: ElasticLoadBalancing = cloud["elbv2"]
        ports = environment._ports[1:]  # noqa: SLF001  # of both colors
        self._groups = {
            color: self._elb.group(f"library-{color}", [("127.0.0.1", port)], path="/health")
            for color, port in zip(("blue", "green"), ports, strict=True)
        }
        self._listener = self._elb.listener(forward((self._groups["blue"], 1), (self._groups["green"], 0)))
        given = {"public": f"http://127.0.0.1:{ports[0]}", "listener": self._listener, "groups": self._groups}
        self._traffic = Traffic(TrafficSettings.model_validate(given), site_in(cloud, environment.folder))
        self._split = environment.split()
        if self._split.way_back is None:
            raise SystemExit(f"after two deployments there is no way back: {self._split}")
        self._home: Color = self._split.way_back
        path = environment.folder / "invoke.yaml"
        lines = [line for line in path.read_text().splitlines() if "traffic:" not in line and "metrics:" not in line]
        at = next(number for number, line in enumerate(lines) if "fleet:" in line)
        access = {"region": cloud.region, "endpoint": cloud.url}
        lines[at:at] = [f"      aws: {json.dumps(access)}", f"      traffic: {json.dumps({'kind': 'alb', **given})}"]
        path.write_text("\n".join(lines) + "\n")

    def rollback(self) -> float:
        """Seconds of a rollback that moved all traffic."""
        self._away()
        took = timed(self._environment._inv(*ROLLBACK), self._environment.folder)  # noqa: SLF001
        return self._came_home(took)

    def by_hand(self) -> float:
        """Seconds of the three commands."""
        self._away()
        home = self._groups[self._home]
        weights = [{"TargetGroupArn": arn, "Weight": 100 * (arn == home)} for arn in self._groups.values()]
        actions = json.dumps([{"Type": "forward", "ForwardConfig": {"TargetGroups": weights}}])
        commands = (
            ("describe-target-health", "--target-group-arn", home),
            ("modify-listener", "--listener-arn", self._listener, "--default-actions", actions),
            ("describe-listeners", "--listener-arns", self._listener),
        )
        where = ("--endpoint-url", self._cloud.url, "--region", self._cloud.region, "--output", "json")
        took = sum(timed((self._aws, "elbv2", *one, *where), self._environment.folder) for one in commands)
        return self._came_home(took)

    def _away(self) -> None:
        """Have it as a deployment leaves it."""
        self._traffic.shift(self._split).perform(10.0)

    def _came_home(self, took: float) -> float:
        found = self._elb.weights(self._listener)
        if not found[f"library-{self._home}"] or found[f"library-{other(self._home)}"]:
            raise SystemExit(f"traffic should be on {self._home}, and is at {found}")
        shutil.rmtree(self._environment.state / "spool", ignore_errors=True)
        return took


def main() -> int:
    """Deploy, measure, print, judge, take down."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--pairs", type=int, default=11)
    parser.add_argument("--quick", action="store_true", help="5 rounds")
    parser.add_argument("--python", type=Path, help="the Python of an environment that has deploytasks[aws,local]")
    parser.add_argument("--aws", default=shutil.which("aws"), help="the AWS CLI")
    asked = parser.parse_args()
    if not asked.aws:
        raise SystemExit("no `aws` on the PATH: pip install 'deploytasks[peers]', or say --aws")
    os.environ.update(VARIABLES)
    with tempfile.TemporaryDirectory(prefix="alb") as name, Cloud(ElasticLoadBalancing()) as cloud:
        folder = Path(name).resolve()
        python = (asked.python or installed(folder, "local,aws")).absolute()
        environment = Environment(folder / "site", python)
        try:
            environment.bring_up()
            plain = (environment.folder / "invoke.yaml").read_text()
            balanced = Balanced(environment, cloud, asked.aws)
            chosen = {"three commands": balanced.by_hand, "rollback": balanced.rollback}
            within = report(measured(chosen, 5 if asked.quick else asked.pairs), BAR)
            (environment.folder / "invoke.yaml").write_text(plain)  # what was started there is stopped there
        finally:
            environment.tear_down()
    print("met" if within else "missed")
    return 0 if within else 1


if __name__ == "__main__":
    sys.exit(main())
