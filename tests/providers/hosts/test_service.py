"""A color that the host's own supervisor serves: told by its commands, asked what runs, and believed with care."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from deploytasks.errors import GateRefused
from deploytasks.ports import COLORS, Color, Installed, Release
from deploytasks.providers.hosts import serving
from deploytasks.providers.hosts.fleet import HostFleet
from deploytasks.providers.hosts.host import CommandFailed, Member
from deploytasks.providers.hosts.layout import Layout
from deploytasks.providers.hosts.serving import DidNotStart
from deploytasks.settings.hosts import HostsSettings
from deploytasks.web import fetch

from . import supervisor
from .conftest import MakeRelease, free_port, perform
from .trees import Counting


class Supervised:
    """A host with a supervisor, and the fleet that it is."""

    def __init__(self, folder: Path) -> None:
        self.units = folder / "units"
        self.units.mkdir(parents=True)
        self.layout = Layout(str(folder / "root"))
        self.addresses = {color: f"127.0.0.1:{free_port()}" for color in COLORS}
        for color in COLORS:
            (self.units / f"{color}.port").write_text(self.addresses[color].rpartition(":")[2])
        self.host = Counting(path=f"{_programs(folder / 'bin', self.units)}{os.pathsep}{os.environ['PATH']}")

    def fleet(self, **given: Any) -> HostFleet:
        """As configured; by default with the systemd unit ``library-<color>``."""
        return HostFleet(self.settings(**given), [self.member], self.layout.root)

    def settings(self, **given: Any) -> HostsSettings:
        return HostsSettings(**{"service": "library-{color}", "start_within": 10.0, "stop_within": 3.0, **given})

    @property
    def member(self) -> Member:
        return Member(self.host, self.addresses)

    def pid(self, color: Color = "green") -> int:
        """Of the unit's process."""
        return supervisor.pid_of(self.units, color)

    def comes_up_by_itself(self) -> None:
        """After a crash, or after a reboot."""
        subprocess.run([self.units.parent / "bin" / "systemctl", "restart", "library-green"], check=True, timeout=10)


def _programs(folder: Path, units: Path) -> Path:
    folder.mkdir()
    for name in ("systemctl", "sudo", "journalctl"):
        line = f'exec {shlex.join([sys.executable, "-SE", str(supervisor.__file__), str(units), name])} "$@"'
        (folder / name).write_text(f"#!/bin/sh\n{line}\n")
        (folder / name).chmod(0o755)
    return folder


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Supervised]:
    made = Supervised(tmp_path / "it's a host")
    yield made
    for color in COLORS:
        supervisor.stop(made.units, color)


@pytest.fixture
def fleet(here: Supervised) -> HostFleet:
    return here.fleet()


def installed(fleet: HostFleet) -> Installed:
    found = fleet.installed("green")
    assert found is not None
    return found


def wait_for(condition: Callable[[], bool], seconds: float = 10.0) -> bool:
    """Whether it came true in time."""
    until = time.monotonic() + seconds
    while time.monotonic() < until and not condition():
        time.sleep(0.02)
    return condition()


def folder_of(fleet: HostFleet) -> str:
    """The release whose folder the process is in: what runs in truth."""
    return Path(json.loads(fetch(f"{fleet.address('green')}/").body)["folder"]).name


def test_restarts_and_asks(here: Supervised, fleet: HostFleet, make_release: MakeRelease) -> None:
    """The unit is restarted on the new release; then it runs, and the other color does not."""
    release = make_release()
    perform(fleet.install(release, "green"))
    assert not installed(fleet).running
    perform(fleet.start("green"))
    assert installed(fleet)[:4] == (release.name, release.digest, release.version, True)
    assert folder_of(fleet) == release.name
    assert fleet.health("green").healthy
    assert fleet.installed("blue") is None
    perform(fleet.stop("green"))
    assert not installed(fleet).running
    assert not supervisor.lives(here.pid())
    perform(fleet.stop("green"))


def test_same_twice_is_once(
    here: Supervised, fleet: HostFleet, make_release: MakeRelease, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What runs as wanted is left alone, by one command; a start takes two."""
    monkeypatch.setattr(serving, "_STATE", 60.0)
    perform(fleet.install(make_release(), "green"))
    before = here.host.round_trips
    perform(fleet.start("green"))
    assert here.host.round_trips == before + 2
    pid = here.pid()
    perform(fleet.start("green"))
    assert here.host.round_trips == before + 3
    assert here.pid() == pid


def test_another_release_is_not_running_before_it_is_started(
    here: Supervised, fleet: HostFleet, make_release: MakeRelease
) -> None:
    """A switched link changes nothing about what runs."""
    first, second = make_release("1.0.0"), make_release("1.1.0")
    perform(fleet.install(first, "green"))
    perform(fleet.start("green"))
    perform(fleet.install(second, "green"))
    assert (installed(fleet).release, installed(fleet).running) == (second.name, False)
    assert folder_of(fleet) == first.name
    perform(fleet.start("green"))
    assert installed(fleet).running
    assert folder_of(fleet) == second.name


def test_a_service_that_came_up_by_itself(here: Supervised, fleet: HostFleet, make_release: MakeRelease) -> None:
    """After a crash or a reboot it runs the current release, as before: that is known, and it is left alone."""
    perform(fleet.install(make_release(), "green"))
    perform(fleet.start("green"))
    here.comes_up_by_itself()
    assert installed(fleet).running
    pid = here.pid()
    assert wait_for(lambda: fleet.health("green").healthy)
    perform(fleet.start("green"))
    assert here.pid() == pid


def test_what_nobody_knows_is_not_claimed(here: Supervised, fleet: HostFleet, make_release: MakeRelease) -> None:
    """The link went to another release and back, and meanwhile the service came up by itself: it may run the other
    one, as it does here. Starting makes sure."""
    first, second = make_release("1.0.0"), make_release("1.1.0")
    perform(fleet.install(first, "green"))
    perform(fleet.start("green"))
    perform(fleet.install(second, "green"))
    here.comes_up_by_itself()
    perform(fleet.switch("green", first.name))
    assert not installed(fleet).running
    perform(fleet.start("green"))
    assert installed(fleet).running
    assert folder_of(fleet) == first.name


def test_a_service_that_we_never_started(here: Supervised, fleet: HostFleet, make_release: MakeRelease) -> None:
    """It may run anything: it is restarted once, and known from then on."""
    perform(fleet.install(make_release(), "green"))
    here.comes_up_by_itself()
    assert not installed(fleet).running
    pid = here.pid()
    perform(fleet.start("green"))
    assert installed(fleet).running
    assert here.pid() != pid


def test_unhealthy_service_is_replaced(here: Supervised, make_release: MakeRelease) -> None:
    """One of the right release that does not answer is restarted."""
    fleet = here.fleet(health_within=0.3)
    perform(fleet.install(make_release(), "green"))
    perform(fleet.start("green"))
    hung = here.pid()
    os.kill(hung, signal.SIGSTOP)
    perform(fleet.start("green"))
    assert here.pid() != hung
    assert fleet.health("green").healthy


def last_words(error: BaseException) -> list[str]:
    return [line.strip() for line in str(error).splitlines() if line.startswith("    ")]


def test_a_service_that_ends_early(here: Supervised, make_release: MakeRelease) -> None:
    """The error has what the journal has, and the service is stopped: a supervisor would try for ever."""
    fleet = here.fleet()
    perform(fleet.install(make_release(**{"app.py": "print('no\\nsuch\\ndatabase')"}), "green"))
    with pytest.raises(DidNotStart, match="ended before it was healthy") as caught:
        perform(fleet.start("green"))
    assert last_words(caught.value) == ["no", "such", "database"]
    assert not supervisor.lives(here.pid())


def test_a_service_that_lacks_a_module(here: Supervised, make_release: MakeRelease) -> None:
    """Whoever forgot to install something, such as gunicorn, is told what."""
    fleet = here.fleet()
    perform(fleet.install(make_release(**{"app.py": "import not_installed"}), "green"))
    with pytest.raises(DidNotStart, match="install not_installed for the Python that `start` runs"):
        perform(fleet.start("green"))


@pytest.mark.parametrize(("given", "expected"), [("echo own words", "own words"), ("false", "log says")])
def test_last_words(here: Supervised, make_release: MakeRelease, given: str, expected: str) -> None:
    """By the configured command; where that has nothing to say, by the color's log."""
    fleet = here.fleet(last_words=given)
    perform(fleet.install(make_release(**{"app.py": "import time; time.sleep(60)"}), "green"))
    Path(here.layout.log("green")).write_text("log says\n")
    with pytest.raises(DidNotStart, match=r"was not healthy within 0\.5 s") as caught:
        perform(fleet.start("green"), timeout=0.5)
    assert last_words(caught.value) == [expected]
    assert not supervisor.lives(here.pid())


def test_a_restart_that_is_refused(here: Supervised, fleet: HostFleet, make_release: MakeRelease) -> None:
    """What the supervisor said is in the error, with the journal."""
    perform(fleet.install(make_release(), "green"))
    (here.units / "green.broken").touch()
    (here.units / "green.said").write_text("bad unit file\n")
    with pytest.raises(DidNotStart, match=r"was not restarted: Job for library failed\. See journalctl\.") as caught:
        perform(fleet.start("green"))
    assert last_words(caught.value) == ["bad unit file"]


def test_a_service_that_does_not_stop(here: Supervised, make_release: MakeRelease) -> None:
    """To kill it is the supervisor's business; ours is to say so."""
    fleet = here.fleet(stop_within=0.2)
    perform(fleet.install(make_release(), "green"))
    perform(fleet.start("green"))
    (here.units / "green.sticks").touch()
    with pytest.raises(CommandFailed, match="it still runs"):
        perform(fleet.stop("green"))


def test_port_in_use(here: Supervised, fleet: HostFleet, make_release: MakeRelease) -> None:
    """A foreign process at the port would answer for the service: refused before anything is restarted."""
    perform(fleet.install(make_release(), "green"))
    host, _, port = here.addresses["green"].rpartition(":")
    with socket.create_server((host, int(port))), pytest.raises(GateRefused, match=f"port {port} is in use"):
        perform(fleet.start("green"))
    assert here.pid() == 0


def test_a_port_that_another_address_has(here: Supervised, fleet: HostFleet, make_release: MakeRelease) -> None:
    """Who listens at another address of the host is in nobody's way."""
    perform(fleet.install(make_release(), "green"))
    port = int(here.addresses["green"].rpartition(":")[2])
    try:
        other = socket.create_server(("127.0.0.2", port))
    except OSError:
        pytest.skip("only one loopback address here")
    with other:
        perform(fleet.start("green"))
        assert fleet.health("green").healthy


def test_comes_back_as_it_ran_before(here: Supervised, make_release: MakeRelease) -> None:
    """A mistake in today's restart command does not cost yesterday's release."""
    perform(here.fleet().install(make_release(), "green"))
    perform(here.fleet().start("green"))
    broken = here.fleet(restart="systemctll restart library-{color}")
    with pytest.raises(DidNotStart):
        perform(broken.start("green"))
    assert not installed(broken).running
    perform(broken.start("green", as_before=True))
    assert installed(broken).running


def test_from_our_own_process_to_a_service(here: Supervised, fleet: HostFleet, make_release: MakeRelease) -> None:
    """The process that we had started makes room for the unit."""
    release = make_release()
    own = here.fleet(service=None, start="{python} app.py {port}")
    perform(own.install(release, "green"))
    perform(own.start("green"))
    assert installed(own).running
    perform(fleet.start("green"))
    assert installed(fleet).running
    assert not installed(own).running
    assert supervisor.lives(here.pid())


def test_prune_spares_what_a_service_runs(here: Supervised, fleet: HostFleet, make_release: MakeRelease) -> None:
    """Also after the link has gone on, when it is known no more which of them it is."""
    releases: list[Release] = [make_release(f"1.{number}.0") for number in range(4)]
    for release in releases:
        perform(fleet.install(release, "green"))
        if release is releases[1]:
            perform(fleet.start("green"))
    for number, release in enumerate(releases):
        os.utime(Path(here.layout.release(release.name)) / ".digest", (number, number))
    perform(fleet.prune(1))
    left = sorted(path.name for path in Path(here.layout.releases).iterdir())
    assert left == [release.name for release in releases[1:]]


def test_own_commands(here: Supervised, make_release: MakeRelease) -> None:
    """Any supervisor will do: the commands are configured, with the placeholders of ``start``."""
    command = shlex.join([sys.executable, str(supervisor.__file__), str(here.units), "systemctl"])
    note = here.units / "restarted"
    fleet = here.fleet(
        service=None,
        restart=f"echo {{release}} {{color}} {{port}} > {shlex.quote(str(note))}; {command} restart {{color}}",
        stop=f"{command} stop {{color}}",
        running=f"{command} is-active {{color}}",
    )
    shutil.rmtree(here.units.parent / "bin")
    release = make_release()
    perform(fleet.install(release, "green"))
    perform(fleet.start("green"))
    assert installed(fleet).running
    assert note.read_text().split() == [release.name, "green", here.addresses["green"].rpartition(":")[2]]
    perform(fleet.stop("green"))
    assert not installed(fleet).running
