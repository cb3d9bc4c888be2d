"""The switch on real hosts, behind real SSH servers, beside a real HAProxy."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from lab.file_balancers import until
from lab.haproxy import Balancer, haproxy
from lab.hosts import Lab, hosts
from lab.parts import lacking

from deploytasks.errors import SplitMoved, Unreachable
from deploytasks.ports import Split
from deploytasks.providers import identity
from deploytasks.providers.haproxy import Traffic
from deploytasks.providers.site import Site
from deploytasks.providers.ssh_watchdog import SshWatchdog
from deploytasks.settings.haproxy import TrafficSettings
from deploytasks.settings.ssh_watchdog import SshWatchdogSettings

WITHIN = 20.0
BLUE = Split.all_on("blue", None, "settled:before")
STAGE = Split(90, 10, "blue", "deploy:d1")
HOME = Split.all_on("blue", None, "deadman:d1")


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Two balancer's hosts; the file system is that of the test."""
    with hosts(tmp_path_factory.mktemp("lab"), 2) as lab:
        yield lab


class Answer(BaseHTTPRequestHandler):
    """All is well."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def application() -> Iterator[str]:
    """The address of both colors."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture(scope="module")
def balancers(tmp_path_factory: pytest.TempPathFactory, application: str) -> Iterator[list[Balancer]]:
    """A HAProxy for each host."""
    colors = {"blue": [application], "green": [application]}
    folders = [tmp_path_factory.mktemp(name) for name in ("lb1", "lb2")]
    with haproxy(folders[0], colors=colors) as first, haproxy(folders[1], colors=colors) as second:
        yield [first, second]


class Environment:
    """What a deployer has: HAProxys on the first ``count`` hosts, and the switch there."""

    def __init__(self, folder: Path, lab: Lab, balancers: list[Balancer], count: int = 2, grace: float = 3.0) -> None:
        pairs = list(zip(lab.hosts, balancers, strict=True))[:count]
        places = [
            {"host": host.endpoint, "socket": balancer.socket, "state": str(balancer.state)} for host, balancer in pairs
        ]
        access = lab.hosts[0].access(connect_within="2s", lost_after="3s")
        settings = TrafficSettings(kind="haproxy", public="http://127.0.0.1:9", balancers=places, ssh=access)  # type: ignore[arg-type]
        self.site = Site("library", "test", folder, folder / "state", None, "ann@desk", {"traffic": settings})
        self.traffic = Traffic(settings, self.site)
        self.switch = SshWatchdog(
            SshWatchdogSettings(kind="ssh", grace=grace, folder=str(folder / "switch")), self.site
        )

    def go_out(self) -> None:
        """Arm, and send a tenth of the traffic to green."""
        self.traffic.shift(BLUE).perform(WITHIN)
        self.switch.arm("d1", HOME).perform(WITHIN)
        self.traffic.shift(STAGE, expect=BLUE).perform(WITHIN)


@pytest.fixture
def environment(tmp_path: Path, lab: Lab, balancers: list[Balancer]) -> Iterator[Environment]:
    """Goes off after three seconds: there is time to go out."""
    made = Environment(tmp_path, lab, balancers)
    yield made
    made.switch.disarm().perform(WITHIN)


@pytest.fixture
def patient(tmp_path: Path, lab: Lab, balancers: list[Balancer]) -> Iterator[Environment]:
    """Goes off after ten minutes."""
    made = Environment(tmp_path, lab, balancers, grace=600.0)
    yield made
    made.switch.disarm().perform(WITHIN)


def on_disk(balancer: Balancer) -> str:
    """Who wrote the split that a HAProxy keeps."""
    return (balancer.state / "split.map").read_text()


def test_a_deployment_that_ends_well(patient: Environment) -> None:
    """Armed before the first shift, kept awake by beats, disarmed and gone at the end."""
    patient.go_out()
    assert patient.switch.state().armed
    patient.switch.beat()
    assert STAGE == patient.traffic.read()
    patient.switch.disarm().perform(WITHIN)
    found = patient.switch.state()
    assert (False, None) == (found.armed, found.fired_at)
    assert STAGE == patient.traffic.read()


def test_a_deployer_that_dies(environment: Environment) -> None:
    """The watchers outlive the connections that started them: traffic goes home on every balancer."""
    environment.go_out()
    environment.switch._stop_beating()
    for host, _ in environment.switch._homing("d1", HOME):
        host.close()  # type: ignore[attr-defined]  # hosts over SSH have connections
    assert until(lambda: environment.traffic.read() == HOME, 15)
    assert until(lambda: [news.kind for news in environment.switch.news()] == ["deadman-fired"] * 2)
    assert environment.switch.state().fired_at is not None


def test_a_deployer_that_loses_its_network(tmp_path: Path, lab: Lab, balancers: list[Balancer]) -> None:
    """It lives and beats, but nothing arrives: the balancer goes home by itself. When the network is back, the next
    write of the deployer is refused, because somebody else has signed; and the switch says that it fired."""
    host = lab.hosts[0]
    if not host.can_cut:
        lacking("these hosts have no links of their own")
    alone = Environment(tmp_path, lab, balancers, count=1)
    alone.go_out()
    host.cut()
    try:

        def is_home() -> bool:
            alone.switch.beat()
            return "deadman:d1" in on_disk(balancers[0])

        assert until(is_home, 10)
        with pytest.raises(Unreachable):
            alone.switch.state()
    finally:
        host.mend()
    assert until(lambda: alone.traffic.read() == HOME, 15)
    with pytest.raises(SplitMoved, match="deadman:d1"):
        alone.traffic.shift(Split(75, 25, "blue", "deploy:d1"), expect=STAGE).perform(WITHIN)
    found = alone.switch.state()
    assert (False, True) == (found.armed, found.fired_at is not None)
    alone.switch.disarm().perform(WITHIN)


def test_one_host_that_cannot_be_reached(environment: Environment, lab: Lab) -> None:
    """Nothing is armed halfway: the host that answers is disarmed again, and the error names the one that does not."""
    lab.hosts[1].stop()
    try:
        with pytest.raises(Unreachable, match=lab.hosts[1].address):
            environment.switch.arm("d1", HOME).perform(WITHIN)
    finally:
        lab.hosts[1].start()
    assert not environment.switch.state().armed
    assert all("not armed" in part for part in environment.switch.state().detail.split("; "))


def test_beats_have_a_line_of_their_own(patient: Environment) -> None:
    """A beat that hangs ends its own connection, and nobody else's command."""
    patient.go_out()
    patient.switch.beat()
    ((host, _), *_) = patient.switch._homing("d1", HOME)
    own = host.apart("deadman")  # type: ignore[attr-defined]  # hosts over SSH have it
    assert own.connection is not host.connection  # type: ignore[attr-defined]
    assert own.connection is host.apart("deadman").connection  # type: ignore[attr-defined]
    assert until(lambda: own.connection.connects == 1)


DEPLOYER = """
import json, sys, time
from pathlib import Path
from deploytasks.ports import Split
from deploytasks.providers import ssh
from deploytasks.providers.site import Site
from deploytasks.providers.ssh_watchdog import SshWatchdog
from deploytasks.settings.ssh import SshAccess
from deploytasks.settings.ssh_watchdog import SshWatchdogSettings

endpoint, access, folder = sys.argv[1:]

class Traffic:
    def homing(self, deployment, home):
        return [(ssh.host(endpoint, SshAccess(**json.loads(access)), Path("/")), "echo home")]

site = Site("library", "test", Path(folder), Path(folder), None, "ann@desk")
switch = SshWatchdog(SshWatchdogSettings(kind="ssh", grace=600, folder=folder), site)
switch.__dict__["_traffic"] = Traffic()
switch.arm("d1", Split.all_on("blue")).perform(20)
switch._beating[next(iter(switch._beating))]._pause = 0.05
print("armed", flush=True)
sys.stdin.readline()
until = time.monotonic() + 1
while time.monotonic() < until:
    switch.beat()
    time.sleep(0.05)
print("done", time.monotonic() - until, flush=True)
"""


def test_a_dead_line_keeps_no_deployer_from_ending(tmp_path: Path, lab: Lab) -> None:
    """While a beat hangs in a connection that nobody answers, the deployer goes on, and its process ends in time."""
    host = lab.hosts[0]
    if not host.can_cut:
        lacking("these hosts have no links of their own")
    access = host.access().model_dump_json(exclude_defaults=True)
    command = [sys.executable, "-c", DEPLOYER, host.endpoint, access, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as deployer:
        assert deployer.stdin is not None
        assert deployer.stdout is not None
        assert "armed\n" == deployer.stdout.readline()
        host.cut()
        try:
            deployer.stdin.write("\n")
            deployer.stdin.flush()
            word, late = deployer.stdout.readline().split()
            assert ("done", True) == (word, float(late) < 0.5)
            assert 0 == deployer.wait(5)
        finally:
            deployer.kill()
            host.mend()
    (pid,) = tmp_path.rglob("pid")
    assert identity.signal_if_same(pid.read_text().split()[0], signal.SIGKILL)
