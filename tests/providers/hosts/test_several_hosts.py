"""Several hosts: batch after batch, healthy together, and one that disagrees is seen."""

from __future__ import annotations

from pathlib import Path

import pytest

from deploytasks.errors import Unreachable
from deploytasks.providers.hosts.fleet import HostFleet
from deploytasks.providers.hosts.host import Member
from deploytasks.providers.hosts.localhost import LocalHost
from deploytasks.settings.hosts import HostsSettings

from .conftest import MakeRelease, free_port, perform


class Room(LocalHost):
    """This machine, playing a host whose root is a folder of its own."""

    def __init__(self, name: str, root: Path) -> None:
        super().__init__(None, name)
        self._root = root
        self.is_cut_off = False

    def run(self, command: str, timeout: float, given: str | None = None) -> str:
        if self.is_cut_off:
            raise Unreachable(f"{self.name}: no route")
        return super().run(command.replace(str(self._root), f"{self._root}/{self.name}"), timeout, given)


@pytest.fixture
def rooms(tmp_path: Path) -> list[Room]:
    return [Room(f"room{number}", tmp_path / "srv") for number in range(3)]


@pytest.fixture
def fleet(rooms: list[Room], tmp_path: Path) -> HostFleet:
    settings = HostsSettings(start="{python} app.py {port}", parallel=2)
    members = [Member(room, {c: f"127.0.0.1:{free_port()}" for c in ("blue", "green")}) for room in rooms]
    return HostFleet(settings, members, str(tmp_path / "srv"))


def test_batches(fleet: HostFleet, make_release: MakeRelease) -> None:
    """Two at once, then the third; each call names its host."""
    calls = fleet.install(make_release(), "green")
    assert [[call.text.partition(":")[0] for call in batch] for batch in calls] == [["room0", "room1"], ["room2"]]


def test_all_run_and_are_healthy_together(fleet: HostFleet, make_release: MakeRelease) -> None:
    """One host without its process makes the color neither running nor healthy, and is named."""
    release = make_release()
    try:
        perform(fleet.install(release, "green"))
        perform(fleet.start("green"))
        assert fleet.installed("green") == (release.name, release.digest, release.version, True)
        assert fleet.health("green").healthy
        fleet.stop("green")[1][0].perform(10)
        installed = fleet.installed("green")
        assert installed is not None
        assert not installed.running
        health = fleet.health("green")
        assert (health.healthy, health.detail.partition(":")[0]) == (False, "room2")
    finally:
        perform(fleet.stop("green"))


def test_hosts_that_disagree(fleet: HostFleet, make_release: MakeRelease) -> None:
    """Half a fleet with a release is not a fleet with it: the digest is nobody's."""
    release = make_release()
    fleet.install(release, "green")[0][0].perform(10)
    installed = fleet.installed("green")
    assert installed is not None
    assert (installed.release, installed.digest, installed.running) == (release.name, "", False)


def test_a_host_that_cannot_be_reached(fleet: HostFleet, rooms: list[Room]) -> None:
    """What stands is unknown then, not ``None``; ``doctor`` names the host."""
    rooms[1].is_cut_off = True
    with pytest.raises(Unreachable, match="room1"):
        fleet.installed("green")
    assert [finding.state for finding in fleet.diagnose()] == ["ok", "fail", "ok", "fail", "fail"]
