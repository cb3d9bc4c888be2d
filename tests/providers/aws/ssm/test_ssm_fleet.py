"""A fleet without SSH: the same install plan as over SSH, by one command for all hosts."""

from __future__ import annotations

from lab.aws.cloud import Cloud  # noqa: TC002  whoever reads a type should find its import
from lab.aws.ssm import SystemsManager  # noqa: TC002  see above

from deploytasks.ports import Release
from deploytasks.providers.aws.ssm_fleet import SsmFleet
from deploytasks.world import World

from .conftest import IDS


def test_installed_and_started_everywhere(
    world: World, fleet: SsmFleet, release: Release, cloud: Cloud, manager: SystemsManager
) -> None:
    """Each host has a process of its own at its own address, asked for its health there; each step is one command."""
    assert fleet.colors() == {"blue": None, "green": None}
    with cloud.counting() as asked:
        world.perform(fleet.install(release, "green"), 30.0)
    assert asked.count("SendCommand") == 2, asked
    with cloud.counting() as asked:
        world.perform(fleet.start("green"), 30.0)
    assert asked.count("SendCommand") == 3, asked
    found = fleet.colors()["green"]
    assert found is not None
    assert (release.digest, True, {}) == (found.digest, found.running, found.odd)
    assert (True, 1.0) == (fleet.health("green").healthy, fleet.health("green").share)
    assert IDS == fleet.hosts()
    for host in manager.instances.values():
        assert (host.folder / "srv/app/current-green/app.py").is_file()
