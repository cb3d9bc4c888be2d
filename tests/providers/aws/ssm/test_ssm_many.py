"""Hundreds of hosts: what they are told alike is one request for fifty of them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from lab.aws.cloud import Cloud
from lab.aws.s3 import S3
from lab.aws.ssm import Instance, SystemsManager
from lab.aws.standing import site_in

from deploytasks.ports import Release
from deploytasks.providers.aws.ssm_fleet import SsmFleet
from deploytasks.settings.ssm_fleet import SsmFleetSettings
from deploytasks.world import World

from .conftest import BUCKET

STEPS = 6
"""Commands: what stands, what is there, unpack; begin, wait, remember."""


def light(release: Release) -> Callable[[Instance, str], tuple[int, str]]:
    """A host that does what it is told, at once."""

    def run(instance: Instance, script: str) -> tuple[int, str]:
        token = re.findall(r"deploytasks-ssm-(\w{16})", script)[0]
        says = ""
        if "starts now ==" in script:
            says = f"started {release.name}"
        elif "runs()" in script:
            says = "runs\n@ 200 0.002\n"
        elif "space $line" in script:
            says = "space /dev/x 90000000 1 89999999 1% /"
        return 0, f"{token} 0 {len(says)}\n{says}\n{token} end\n"

    return run


@pytest.mark.parametrize("hosts", [50, 200])
def test_requests_grow_with_fifties(
    hosts: int,
    settings: dict[str, Any],
    make_world: Callable[[SsmFleet], World],
    release: Release,
    tmp_path: Path,
) -> None:
    """Installing and starting a release: per 50 hosts and command one request, and two looks at it."""
    manager, s3 = SystemsManager(tmp_path / "many", light=light(release)), S3()
    s3.bucket(BUCKET)
    for number in range(hosts):
        manager.add(f"i-{number:017x}", address=f"10.0.{number // 250}.{number % 250}", tags={"app": "shop"})
    with Cloud(manager, s3) as cloud:
        own = SsmFleetSettings.model_validate(settings)
        fleet = SsmFleet(own, site_in(cloud, tmp_path, fleet=own))
        world = make_world(fleet)
        assert fleet.colors() == {"blue": None, "green": None}
        world.perform([*fleet.install(release, "green"), *fleet.start("green")], 30.0)
        asked = Counter(cloud.operations())
    fifties = hosts // 50
    assert asked["SendCommand"] == STEPS * fifties
    assert asked["ListCommandInvocations"] <= 3 * STEPS * fifties
    assert asked["DescribeInstanceInformation"] == fifties
    assert asked.total() <= 2 + (1 + 4 * STEPS) * fifties
    assert {len(one.ran) for one in manager.instances.values()} == {STEPS}
