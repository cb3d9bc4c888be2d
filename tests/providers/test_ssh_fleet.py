"""A fleet over SSH: the same as near by, with an address of its own for each host, and with hosts that vanish."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import memory
import pytest
import stories
from lab.hosts import Lab, hosts
from providers.hosts.conftest import make_release as make_release  # the fixture  # noqa: PLC0414

from deploytasks import interrupt, plans
from deploytasks.errors import HostsDown, HostsFailed, Interrupted, TakenBack
from deploytasks.operations.carrying_out import carry_out
from deploytasks.operations.resuming import resume
from deploytasks.ports import COLORS, Release
from deploytasks.providers.site import Site
from deploytasks.providers.ssh import reaching
from deploytasks.providers.ssh_fleet import SshFleet
from deploytasks.settings.ssh_fleet import SshFleetSettings
from deploytasks.smoke import Result
from deploytasks.steps import smoke
from deploytasks.world import World

from .hosts.conftest import MakeRelease, free_port, perform

PORTS = {color: free_port() for color in COLORS}
APPLICATION = """
import http.server, sys
class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers(); self.wfile.write(b"fine")
    def log_message(self, *given): pass
print("listening", flush=True)
http.server.ThreadingHTTPServer((sys.argv[1], int(sys.argv[2])), Page).serve_forever()
"""


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with hosts(tmp_path_factory.mktemp("lab"), 3) as lab:
        yield lab
        reaching.close_all()


def settings(lab: Lab, **more: Any) -> SshFleetSettings:
    given = {
        "hosts": [{"address": one.endpoint, "name": one.name} for one in lab.hosts],
        "ports": PORTS,
        "root": f"{lab.hosts[0].root}/app",
        "start": "{python} app.py {host} {port}",
        "python": sys.executable,
        "stop_within": 2.0,
        "ssh": lab.hosts[0].access(connect_within="2s", lost_after="2s", keepalive="1s"),
    }
    return SshFleetSettings.model_validate({**given, **more})


@pytest.fixture
def fleet(lab: Lab, tmp_path: Path) -> Iterator[SshFleet]:
    fleet = SshFleet(settings(lab), Site("app", "test", tmp_path, tmp_path / "state", None, "ann@desk"))
    yield fleet
    for one in lab.hosts:
        one.start()
        one.mend()
    for color in COLORS:
        perform(fleet.stop(color))
        perform(fleet.switch(color, None))


@pytest.fixture
def release(make_release: MakeRelease) -> Release:
    return make_release(**{"app.py": APPLICATION})


@pytest.fixture
def world(tmp_path: Path, fleet: SshFleet) -> World:
    made = memory.world(tmp_path)
    made._ports.sections["fleet"] = fleet  # type: ignore[attr-defined]  # the ports of memory
    return made


def test_installed_and_started_everywhere(world: World, fleet: SshFleet, release: Release, lab: Lab) -> None:
    """Each host has a process of its own, that is asked for its health directly."""
    assert {"blue": None, "green": None} == fleet.colors()
    world.perform([*fleet.install(release, "green"), *fleet.start("green")], 30.0)
    found = fleet.colors()["green"]
    assert found is not None
    assert (release.digest, True, {}) == (found.digest, found.running, found.odd)
    assert (True, 1.0) == (fleet.health("green").healthy, fleet.health("green").share)
    assert [f"h{number}" for number in (1, 2, 3)] == fleet.hosts()
    for one in lab.hosts:
        assert one.path(f"{one.root}/app/current-green/app.py").is_file()


def test_a_host_that_is_down(fleet: SshFleet, lab: Lab) -> None:
    """Named, in the time that a connection may take; the others are asked meanwhile."""
    fleet.colors()
    lab.hosts[1].stop()
    began = time.monotonic()
    with pytest.raises(HostsDown, match="1 host does not answer, of 3: h2"):
        fleet.colors()
    assert time.monotonic() - began < 6
    assert {"blue": None, "green": None} == fleet.only(["h1", "h3"]).colors()


def test_a_host_that_vanishes_midway(world: World, fleet: SshFleet, release: Release, lab: Lab) -> None:
    """The others finish; it is named; back again, only it is brought along."""
    lab.hosts[1].stop()
    with pytest.raises(HostsFailed, match="1 host of 3 failed: h2") as caught:
        world.perform(fleet.install(release, "green"), 20.0)
    assert "done on h1, h3" == caught.value.state
    lab.hosts[1].start()
    before = {
        one.name: one.path(f"{one.root}/app/current-green").lstat().st_ino for one in (lab.hosts[0], lab.hosts[2])
    }
    world.perform(fleet.install(release, "green"), 20.0)
    found = fleet.installed("green")
    assert found is not None
    assert release.digest == found.digest
    after = {one.name: one.path(f"{one.root}/app/current-green").lstat().st_ino for one in (lab.hosts[0], lab.hosts[2])}
    assert before == after


def test_health_needs_no_ssh(world: World, fleet: SshFleet, release: Release, lab: Lab) -> None:
    """The page is asked past the balancer: who watches or goes back does not wait for SSH."""
    world.perform([*fleet.install(release, "green"), *fleet.start("green")], 30.0)
    for one in lab.hosts:
        one.stop()
    assert fleet.health("green").healthy


def test_a_command_and_the_logs_of_all_hosts(world: World, fleet: SshFleet, release: Release) -> None:
    """What each says, by host."""
    world.perform([*fleet.install(release, "green"), *fleet.start("green")], 30.0)
    heard: dict[str, list[str | int]] = {}

    def hear(host: str, said: str | int) -> None:
        heard.setdefault(host, []).append(said)

    world.perform(fleet.command("green", "echo $COLOR $VERSION", hear))
    assert {name: ["green 1.0.0", 0] for name in fleet.hosts()} == heard

    def see_enough() -> None:
        until = time.monotonic() + 10
        while len(heard) < 3 and time.monotonic() < until:
            time.sleep(0.02)
        interrupted.append(time.monotonic())
        os.kill(os.getpid(), signal.SIGINT)

    interrupted: list[float] = []
    heard.clear()
    threading.Thread(target=see_enough).start()
    with interrupt.caught(), pytest.raises(Interrupted):
        fleet.follow("green", 1, hear)
    assert {name: ["listening"] for name in fleet.hosts()} == heard
    assert time.monotonic() - interrupted[0] < 4


@pytest.mark.parametrize("step", ["install", "start blue"])
def test_a_link_that_is_cut_in_the_middle_of_a_deployment(
    step: str, fleet: SshFleet, lab: Lab, tmp_path: Path, make_release: MakeRelease, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Taken back on the others in bounded time, and resumed when the host is there again: it ends on all of them."""
    if not lab.hosts[0].can_cut:
        pytest.skip("links can be cut between namespaces only")
    monkeypatch.setattr(smoke, "run_checks", lambda base, checks: [Result("health", True, "200", 0.0)])
    first, second = (make_release(version, **{"app.py": APPLICATION}) for version in ("1.0.0", "1.1.0"))
    carry_out(on(fleet, tmp_path), partial(plans.deploy, release=first, gates=False, target="green"), task="deploy")

    def cut(world: World) -> None:
        lab.hosts[1].cut()

    cutting = on(fleet, tmp_path, stories.when("step", cut, step=step, state="began"))
    began = time.monotonic()
    with pytest.raises(TakenBack, match="h2"):
        carry_out(cutting, partial(plans.deploy, release=second, gates=False), task="deploy")
    took = time.monotonic() - began
    assert took < 25, took
    assert "green" == stories.split(tmp_path).live
    assert fleet.only(["h1", "h3"]).installed("blue") is None

    lab.hosts[1].mend()
    answers_again(fleet)
    assert 0 == resume(on(fleet, tmp_path)).code
    found = fleet.installed("blue")
    assert found is not None
    assert (second.digest, True) == (found.digest, found.running)
    assert "blue" == stories.split(tmp_path).live


def answers_again(fleet: SshFleet, seconds: float = 20) -> None:
    """Return when all hosts answer: a link that is up again does not carry at once."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            fleet.colors()
        except HostsDown:
            assert time.monotonic() < deadline
        else:
            return


def on(fleet: SshFleet, folder: Path, kind: type[memory.TestWorld] = memory.TestWorld) -> World:
    """A world in memory, but for its hosts."""
    made = memory.world(folder, kind=kind, **stories.SHORT)
    made._ports.sections["fleet"] = fleet  # type: ignore[attr-defined]  # the ports of memory
    database = memory.DatabaseSettings(migrate="true")
    made.settings = replace(made.settings, sections={**made.settings.sections, "database": database})
    return made
