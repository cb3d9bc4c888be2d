"""Several hosts: asked at once, worked on in batches, healthy together; and one that disagrees is seen."""

from __future__ import annotations

import shutil
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploytasks.errors import HostsDown, Unreachable
from deploytasks.ports import COLORS
from deploytasks.providers.hosts.fleet import HostFleet
from deploytasks.providers.hosts.host import Member
from deploytasks.settings.hosts import HostsSettings

from .conftest import MakeRelease, free_port, perform
from .rooms import Room


@pytest.fixture
def rooms(tmp_path: Path) -> list[Room]:
    return [Room(f"room{number}", tmp_path / "srv") for number in range(3)]


@pytest.fixture
def settings() -> HostsSettings:
    return HostsSettings(start="{python} app.py {port}", stop_within=2.0)


@pytest.fixture
def members(rooms: list[Room]) -> list[Member]:
    return [Member(room, {color: f"127.0.0.1:{free_port()}" for color in COLORS}) for room in rooms]


@pytest.fixture
def fleet(settings: HostsSettings, members: list[Member], tmp_path: Path) -> Iterator[HostFleet]:
    fleet = HostFleet(settings, members, str(tmp_path / "srv"), batch="2")
    yield fleet
    for color in COLORS:
        for member in members:
            if not member.host.is_cut_off:  # type: ignore[attr-defined]  # a room
                perform(fleet.only([member.host.name]).stop(color))


def test_batches(fleet: HostFleet, make_release: MakeRelease) -> None:
    """Two at once, then the third; each call names its host. What only moves names about is done everywhere at once."""
    for calls in (fleet.install(make_release(), "green"), fleet.start("green"), fleet.stop("green")):
        assert [[call.host for call in batch] for batch in calls] == [["room0", "room1"], ["room2"]]
        assert [call.text.partition(":")[0] for call in calls[0]] == ["room0", "room1"]
    assert [[call.host for call in batch] for batch in fleet.prune(3)] == [["room0", "room1", "room2"]]


@pytest.mark.parametrize(("batch", "sizes"), [("100%", [3]), ("34%", [1, 1, 1]), ("70%", [2, 1]), ("1%", [1, 1, 1])])
def test_a_batch_is_a_share_or_a_number(
    batch: str, sizes: list[int], settings: HostsSettings, members: list[Member]
) -> None:
    """Rounded down, but one host at least."""
    fleet = HostFleet(settings, members, "/srv", batch=batch)
    assert [len(batch) for batch in fleet.stop("blue")] == sizes


def test_a_color_is_on_the_hosts_that_have_it(settings: HostsSettings, rooms: list[Room]) -> None:
    """Whatever is done with a color, hosts without it are not asked."""
    blue, *green = (Member(room, {color: "127.0.0.1:1"}) for room, color in zip(rooms, ("blue", "green", "green")))  # type: ignore[dict-item]  # colors  # noqa: B905
    fleet = HostFleet(settings, [blue, *green], "/nowhere")
    assert [call.host for call in fleet.stop("blue")[0]] == ["room0"]
    assert [call.host for call in fleet.stop("green")[0]] == ["room1", "room2"]
    assert fleet.only(["room0"]).stop("green") == ()
    assert fleet.installed("green") is None
    assert [len(room.asked) for room in rooms] == [0, 1, 1]


def test_all_run_and_are_healthy_together(fleet: HostFleet, make_release: MakeRelease) -> None:
    """One host without its process makes the color neither running nor healthy, and is named; most still serve."""
    release = make_release()
    perform(fleet.install(release, "green"))
    perform(fleet.start("green"))
    assert fleet.colors() == {
        "blue": None,
        "green": (release.name, release.digest, release.version, True, False, (), {}),
    }
    assert fleet.health("green") == (True, "all 3 hosts answer", 1.0)
    perform(fleet.only(["room2"]).stop("green"))
    installed = fleet.installed("green")
    assert installed is not None
    assert (installed.running, installed.partly) == (False, True)
    assert (installed.down, installed.odd) == (("room2",), {"room2": "does not run it"})
    health = fleet.health("green")
    assert (health.healthy, health.is_usable, "1 of 3 hosts: room2: " in health.detail) == (False, True, True)


def test_hosts_that_disagree(fleet: HostFleet, make_release: MakeRelease) -> None:
    """Most have it, one does not: the digest is nobody's, and the odd one is named, by doctor too."""
    release = make_release()
    perform([fleet.install(release, "green")[0]])
    installed = fleet.installed("green")
    assert installed is not None
    assert (installed.release, installed.digest, installed.running) == (release.name, "", False)
    assert installed.odd == {"room2": "has no release"}
    assert [found.detail for found in fleet.diagnose() if found.state == "warn"] == [
        f"the hosts disagree: most have {release.name}; room2: has no release"
    ]


def test_hosts_that_cannot_be_reached(fleet: HostFleet, rooms: list[Room]) -> None:
    """What stands is unknown then, not ``None``; all of them are named, and how to go on without them."""
    rooms[0].is_cut_off = rooms[1].is_cut_off = True
    for read in (fleet.colors, lambda: fleet.installed("green")):
        with pytest.raises(HostsDown, match="2 hosts do not answer, of 3: room0, room1") as caught:
            read()
        assert caught.value.hosts == ("room0", "room1")
        assert "--exclude-host room0,room1" in caught.value.do
    assert [finding.state for finding in fleet.diagnose()] == ["fail", "fail", "ok", "ok", "ok"]


def test_health_is_known_soon_however_many_are_silent(tmp_path: Path) -> None:
    """Whoever watches, or goes back, does not wait for each of a hundred dead hosts."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        members = [Member(Room(f"room{number}", tmp_path), {"blue": address}) for number in range(20)]
        own = HostsSettings(start="true", health_within=0.2)
        began = time.monotonic()
        health = HostFleet(own, members, "/srv", parallel=2).health("blue")
    assert time.monotonic() - began < 2
    assert (False, 0.0, True) == (health.is_usable, health.share, "was not asked" in health.detail)


def test_without_a_host(fleet: HostFleet, rooms: list[Room]) -> None:
    """A fleet of fewer hosts asks the others nothing."""
    rooms[1].is_cut_off = True
    rest = fleet.only(["room0", "room2"])
    assert (rest.hosts(), rest.colors()) == (["room0", "room2"], {"blue": None, "green": None})
    assert [len(room.asked) for room in rooms] == [1, 0, 1]


def test_one_host_alone_speaks_for_itself(settings: HostsSettings, rooms: list[Room]) -> None:
    """Where there is one host, its own error is told, with no word about leaving it out."""
    rooms[0].is_cut_off = True
    with pytest.raises(Unreachable, match="room0: no route") as caught:
        HostFleet(settings, [Member(rooms[0], {"blue": "127.0.0.1:1"})], "/nowhere").colors()
    assert not isinstance(caught.value, HostsDown)


def test_room_on_each_host(fleet: HostFleet, rooms: list[Room], tmp_path: Path) -> None:
    """Free bytes, also where the folder of releases is still to be made; who is silent is named."""
    free = fleet.room()
    assert ["room0", "room1", "room2"] == list(free)
    assert all(0 < room < shutil.disk_usage(tmp_path).total for room in free.values())
    assert not (tmp_path / "srv").exists()
    rooms[1].is_cut_off = True
    with pytest.raises(HostsDown, match="room1"):
        fleet.room()
