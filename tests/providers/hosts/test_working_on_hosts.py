"""A world works on several real hosts: batches, failures, hosts that are set aside, and Ctrl-C in the middle."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import memory
import pytest

from deploytasks import interrupt
from deploytasks.errors import DeployError, HostsFailed, Interrupted
from deploytasks.ports import COLORS, Color, Hear
from deploytasks.providers.hosts.fleet import HostFleet
from deploytasks.providers.hosts.host import Member
from deploytasks.providers.identity import identity
from deploytasks.settings.hosts import HostsSettings
from deploytasks.world import World

from .conftest import MakeRelease, free_port, perform
from .rooms import Room

NAMES = ("h1", "h2", "h3", "h4")


class Town:
    """Four rooms, their fleet, and a world that works on them."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        root = folder / "srv"
        self.rooms = {name: Room(name, root) for name in NAMES}
        self.ports = {name: {color: free_port() for color in COLORS} for name in NAMES}
        members = [
            Member(room, {color: f"127.0.0.1:{port}" for color, port in self.ports[name].items()})
            for name, room in self.rooms.items()
        ]
        own = HostsSettings(start="{python} app.py {port}", stop_within=2.0, start_within=15.0)
        self.fleet = HostFleet(own, members, str(root), batch=str(settings.pop("batch", "100%")))
        self.world: World = memory.world(folder, fleet=_settings(**settings))
        self.world._ports.sections["fleet"] = self.fleet  # type: ignore[attr-defined]  # the ports of memory

    def running(self, color: Color = "green") -> list[str]:
        """Where it runs."""
        return [name for name in NAMES if not self.rooms[name].is_cut_off and self._runs(name, color)]

    def _runs(self, name: str, color: Color) -> bool:
        found = self.fleet.only([name]).installed(color)
        return found is not None and found.running

    def break_install(self, *names: str) -> None:
        """Nothing can be unpacked there."""
        for name in names:
            (self.rooms[name].root / "releases").mkdir(parents=True)
            (self.rooms[name].root / "incoming").write_text("in the way")


def _settings(**more: Any) -> dict[str, Any]:
    fleet = {"kind": "ssh", "hosts": list(NAMES), "ports": {"blue": 1, "green": 2}, "start": "true"}
    return {**fleet, **more}


MakeTown = Callable[..., Town]


@pytest.fixture
def make_town(tmp_path: Path) -> Iterator[MakeTown]:
    made: list[Town] = []

    def make(**settings: Any) -> Town:
        made.append(Town(tmp_path, **settings))
        return made[-1]

    yield make
    for town in made:
        for room in town.rooms.values():
            room.is_cut_off = False
        for color in COLORS:
            perform(town.fleet.stop(color))


def test_all_of_a_batch_finish(make_town: MakeTown, make_release: MakeRelease) -> None:
    """One host fails; the others of its batch are done, the next batch is not begun, and all of that is said."""
    town, release = make_town(batch=3), make_release()
    town.break_install("h2")
    with pytest.raises(HostsFailed, match="1 host of 4 failed: h2") as caught:
        town.world.perform(town.fleet.install(release, "green"))

    assert ("h2",) == caught.value.hosts
    assert "done on h1, h3; not begun on h4" == caught.value.state
    assert [] == town.rooms["h4"].asked
    for name in ("h1", "h3"):
        found = town.fleet.only([name]).installed("green")
        assert found is not None
        assert found.digest == release.digest


def test_going_back_all_batches_are_done(make_town: MakeTown, make_release: MakeRelease) -> None:
    """A host that is gone keeps no other from being taken back; it is named at the end."""
    town, release = make_town(batch=1), make_release()
    town.world.perform(town.fleet.install(release, "green"))
    town.rooms["h2"].is_cut_off = True
    with town.world.going_back(), pytest.raises(HostsFailed, match="h2: no route") as caught:
        town.world.perform([*town.fleet.switch("green", None), *town.fleet.stop("green")])

    assert "done on h1, h3, h4" == caught.value.state
    assert [None] * 3 == [town.fleet.only([name]).installed("green") for name in ("h1", "h3", "h4")]


def test_what_fails_on_a_host_is_not_gone_on_with_there(make_town: MakeTown, make_release: MakeRelease) -> None:
    """Going back: where the link could not be moved, nothing is started."""
    town, release = make_town(), make_release()
    town.break_install("h2")
    with town.world.going_back(), pytest.raises(HostsFailed):
        town.world.perform([*town.fleet.install(release, "green"), *town.fleet.start("green")], 30.0)
    assert ["h1", "h3", "h4"] == town.running()


def test_a_failing_host_is_set_aside_and_stopped(make_town: MakeTown, make_release: MakeRelease) -> None:
    """Its color runs an older release: that is stopped, and the host is not asked any more."""
    town, old = make_town(max_failures=1), make_release("1.0.0")
    town.world.perform([*town.fleet.install(old, "green"), *town.fleet.start("green")], 30.0)
    (town.rooms["h3"].root / "releases").rename(town.rooms["h3"].root / "kept")
    (town.rooms["h3"].root / "releases").write_text("in the way")
    town.world.doing("install")
    town.world.perform(town.world.fleet.install(make_release("1.1.0"), "green"), 30.0, color="green")

    assert ["h1", "h2", "h4"] == list(town.world.fleet.hosts())
    (event,) = [event for event in town.world.ledger.events() if event.kind == "host-set-aside"]
    assert ("h3", "install") == (event.facts["host"], event.facts["step"])
    assert not [pid for pid in pids(town, "h3") if identity(pid)]
    (town.rooms["h3"].root / "releases").unlink()
    (town.rooms["h3"].root / "kept").rename(town.rooms["h3"].root / "releases")


def pids(town: Town, name: str) -> list[int]:
    file = town.rooms[name].root / "run" / "green.pid"
    return [int(file.read_text().partition(":")[0])] if file.exists() else []


def test_doing_it_again_writes_only_where_it_was_not_done(make_town: MakeTown, make_release: MakeRelease) -> None:
    """As `resume` does: hosts that have the release are asked once, and no file of theirs changes."""
    town, release = make_town(batch=2), make_release()
    first, second = town.fleet.install(release, "green")
    town.world.perform([first])
    before = {name: snapshot(town.rooms[name].root) for name in ("h1", "h2")}
    for room in town.rooms.values():
        room.asked.clear()
    town.world.perform(town.fleet.install(release, "green"))

    assert before == {name: snapshot(town.rooms[name].root) for name in ("h1", "h2")}
    assert [1, 1, 2, 2] == [len(town.rooms[name].asked) for name in NAMES]
    assert second


def test_starting_again_leaves_alone_what_runs(make_town: MakeTown, make_release: MakeRelease) -> None:
    """The same process, and no file that changed, where it ran; a new one where it did not."""
    town, release = make_town(), make_release()
    town.world.perform([*town.fleet.install(release, "green"), *town.fleet.start("green")], 30.0)
    perform(town.fleet.only(["h4"]).stop("green"))
    before = {name: snapshot(town.rooms[name].root) for name in ("h1", "h2", "h3")}
    town.world.perform(town.fleet.start("green"), 30.0)
    assert before == {name: snapshot(town.rooms[name].root) for name in ("h1", "h2", "h3")}
    assert list(NAMES) == town.running()


def snapshot(root: Path) -> dict[str, tuple[int, int]]:
    """Every file with the time of its last change; but for what a process says, and the mark of a release's last use,
    by which the oldest are pruned."""
    found = {}
    for path in sorted(root.rglob("*")):
        if path.parent.name != "log" and path.name != ".digest":
            found[str(path.relative_to(root))] = (path.lstat().st_mtime_ns, path.lstat().st_ino)
    return found


def test_an_interrupt_ends_what_is_under_way_on_all_hosts(make_town: MakeTown, make_release: MakeRelease) -> None:
    """Ctrl-C while four hosts start: nothing of it runs, nobody waits for the rest, the next batch never begins."""
    town, release = make_town(batch=3), make_release(**{"app.py": "import time; time.sleep(60)"})
    town.world.perform(town.fleet.install(release, "green"))
    started = threading.Event()

    def send() -> None:
        until = time.monotonic() + 20
        while len([pid for name in NAMES[:3] for pid in pids(town, name)]) < 3 and time.monotonic() < until:
            time.sleep(0.02)
        started.set()
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=send).start()
    began = time.monotonic()
    with interrupt.caught(), pytest.raises(Interrupted):
        town.world.perform(town.fleet.start("green"), 60.0)
    assert started.is_set()
    assert time.monotonic() - began < 30
    assert [] == pids(town, "h4")
    until = time.monotonic() + 5
    while (left := [pid for name in NAMES for pid in pids(town, name) if identity(pid)]) and time.monotonic() < until:
        time.sleep(0.05)
    assert [] == left


# -- commands and logs -----------------------------------------------------------------------------


class Heard:
    """Keeps what hosts said."""

    def __init__(self) -> None:
        self.lines: dict[str, list[str]] = {}
        self.codes: dict[str, int] = {}

    def __call__(self, host: str, said: str | int) -> None:
        if isinstance(said, int):
            self.codes[host] = said
        else:
            self.lines.setdefault(host, []).append(said)


def test_a_command_runs_on_all_hosts_of_a_color(make_town: MakeTown, make_release: MakeRelease) -> None:
    """In the release, with the environment, each host for itself; one that fails does not stop the others."""
    town, release, heard = make_town(), make_release(), Heard()
    town.world.perform(town.fleet.install(release, "green"))
    (town.rooms["h2"].root / "shared" / "mark").write_text("")
    line = "cat version.txt; echo; echo $COLOR {port}; test ! -e {shared}/mark"
    hear: Hear = heard
    with pytest.raises(HostsFailed, match="1 host of 4 failed: h2"):
        town.world.perform(town.fleet.command("green", line, hear))

    assert {"h1": 0, "h2": 1, "h3": 0, "h4": 0} == heard.codes
    assert {name: ["1.0.0", f"green {town.ports[name]['green']}"] for name in NAMES} == heard.lines


def test_a_command_needs_a_release(make_town: MakeTown) -> None:
    """Where nothing is installed there is nothing to run in."""
    town, heard = make_town(), Heard()
    with pytest.raises(DeployError, match="failed with code 1"):
        town.world.perform(town.fleet.only(["h1"]).command("blue", "true", heard))
    assert {"h1": ["no release is current on blue"]} == heard.lines


def test_logs_of_all_hosts(make_town: MakeTown) -> None:
    """The last lines of each, then what comes, until an interrupt, that leaves no follower behind."""
    town, heard = make_town(), Heard()
    for name, room in town.rooms.items():
        (room.root / "log").mkdir(parents=True)
        (room.root / "log" / "green.log").write_text(f"old\nlast of {name}\n")

    def go_on() -> None:
        wait_for(lambda: len(heard.lines) == len(NAMES))
        with (town.rooms["h3"].root / "log" / "green.log").open("a") as file:
            file.write("and more\n")
        wait_for(lambda: len(heard.lines.get("h3", ())) == 2)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=go_on).start()
    began = time.monotonic()
    with interrupt.caught(), pytest.raises(Interrupted):
        town.fleet.follow("green", 1, heard)
    assert time.monotonic() - began < 20
    assert {**{name: [f"last of {name}"] for name in NAMES}, "h3": ["last of h3", "and more"]} == heard.lines


def wait_for(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + 10
    while not condition() and time.monotonic() < until:
        time.sleep(0.02)
