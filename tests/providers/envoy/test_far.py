"""An Envoy on a host of its own, reached over SSH."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from lab.hosts import hosts

from deploytasks.errors import DeployError, PartlyKnown, SplitMoved, Unreachable, UsageError
from deploytasks.ports import COLORS, Color, NoData, Notice, Split
from deploytasks.providers.envoy import binary
from deploytasks.providers.envoy.far import FarRuntime
from deploytasks.providers.envoy.metrics import Metrics
from deploytasks.providers.hosts.host import CommandFailed
from deploytasks.providers.ssh import reaching
from deploytasks.providers.ssh_watchdog import SshWatchdog
from deploytasks.settings.envoy_metrics import MetricsSettings
from deploytasks.settings.ssh_watchdog import SshWatchdogSettings

from .conftest import Application, House, free_port, until

if TYPE_CHECKING:
    from lab.hosts import Lab

BLUE = Split.all_on("blue", "green", "settled:x y")
STAGE = Split.partly_on("green", 10, "blue", "deploy:d-1")
HOME = Split.all_on("blue")


class Way(NamedTuple):
    """How an Envoy is reached, and whether it forgets."""

    is_real: bool
    admin: str
    """``tcp`` or ``unix``."""
    has_layer: bool

    def __str__(self) -> str:
        where = "openssh" if self.is_real else "in-process"
        return f"{where}-{self.admin}-{'layer' if self.has_layer else 'forgetful'}"


WAYS = [Way(True, "tcp", False), Way(True, "unix", True), Way(False, "unix", False)]


class Far:
    """A lab with an Envoy on its first host, and the environment that knows it."""

    def __init__(self, lab: Lab, house: House, way: Way) -> None:
        self.lab, self.house, self.way = lab, house, way
        self.host = lab.hosts[0]
        seen = self.host.root if lab.is_real else str(self.host.path(self.host.root))
        self.port = free_port()
        admin = f"http://127.0.0.1:{free_port()}" if way.admin == "tcp" else f"unix:{seen}/admin.sock"
        self.config = house.traffic._process()._launch().config
        self.config["admin"] = {"address": self._admin_address(admin)}
        layer = {"name": "admin", "admin_layer": {}}
        if way.has_layer:
            link = {"symlink_root": f"{seen}/layer/current", "subdirectory": "app"}
            layer = {"name": "disk", "disk_layer": link}
        self.config["layered_runtime"] = {"layers": [layer]}
        listener = self.config["static_resources"]["listeners"][0]
        listener["address"]["socket_address"] |= {"address": self.host.address, "port_value": self.port}
        house.place.page.parent.mkdir(parents=True)
        house.place.page.write_text("<p>closed</p>")
        house.wish |= {
            "managed": False, "admin": admin, "public": f"http://{self.host.address}:{self.port}",
            "host": self.host.endpoint, "ssh": self.host.access(),
            "layer": f"{seen}/layer" if way.has_layer else None, "state": f"{seen}/kept",
        }  # fmt: skip
        self._running: subprocess.Popen[bytes] | None = None

    def _admin_address(self, admin: str) -> dict[str, Any]:
        if admin.startswith("unix:"):
            return {"pipe": {"path": admin[5:]}}
        return {"socket_address": {"address": "127.0.0.1", "port_value": int(admin.rpartition(":")[2])}}

    def start(self) -> None:
        """Start Envoy, as an operator would."""
        file = self.house.root / "envoy.json"
        file.write_text(json.dumps(self.config))
        command = [str(binary.find(None, self.house.site)), "-c", str(file), "--disable-hot-restart"]
        self._running = self.lab.run_in("h1", [*command, "--concurrency", "1", "--log-level", "off"])
        until(lambda: self.answers)

    @property
    def answers(self) -> bool:
        """Whether its admin interface answers."""
        try:
            return bool(self.house.traffic._runtime.admin.version())
        except Unreachable:
            return False

    def stop(self) -> None:
        """Stop Envoy."""
        if self._running is not None:
            self._running.terminate()
            self._running.wait(10)
            self._running = None

    def clear(self) -> None:
        """Let it run and know of nothing."""
        root = self.host.path(self.host.root)
        shutil.rmtree(root / "kept", ignore_errors=True)
        (root / "layer/first/app").mkdir(parents=True, exist_ok=True)
        (root / "layer/next").symlink_to("first")
        (root / "layer/next").replace(root / "layer/current")
        if self._running is None:
            self.start()
        admin = self.house.traffic._runtime.admin
        if not self.way.has_layer and (keys := admin.runtime()):
            admin.modify(dict.fromkeys(keys))
        until(lambda: not any(admin.runtime().values()))

    def run(self, text: str) -> str:
        """What a script for this host prints."""
        runtime = self.house.traffic._runtime
        assert isinstance(runtime, FarRuntime)
        return runtime.host.run(text, 10).strip()


@pytest.fixture(scope="module", params=WAYS, ids=str)
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Far]:
    """An Envoy of each kind, with two colors behind it that it can reach."""
    way = request.param
    folder = tmp_path_factory.mktemp("far")
    with hosts(folder / "lab", 1, real=way.is_real) as lab:
        started: dict[Color, Application] = {color: Application(color, lab.here) for color in COLORS}
        for each in started.values():
            threading.Thread(target=each.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        colors = {color: f"{lab.here}:{each.server_port}" for color, each in started.items()}
        made = Far(lab, House(folder / "house", colors, {}), way)
        try:
            yield made
        finally:
            made.stop()
            reaching.close_all()
            for each in started.values():
                each.shutdown()
                each.server_close()


@pytest.fixture
def far(place: Far) -> Far:
    """As if nothing had ever been written."""
    place.clear()
    return place


def test_splits(far: Far) -> None:
    """What is written is in force, traffic follows, and it is read back; keys of others stay."""
    traffic = far.house.traffic
    assert Split(0, 0) == traffic.read() == traffic.at_rest()
    traffic.shift(BLUE, expect=Split(0, 0)).perform(10)
    assert (BLUE, BLUE, {"blue": 5}) == (traffic.read(), traffic.at_rest(), far.house.colors_of(5))
    green = Split.all_on("green")  # neither way back nor writer: both keys are taken away
    traffic.shift(green, expect=BLUE).perform(10)
    assert (green, {"green": 5}) == (traffic.read(), far.house.colors_of(5))


def test_never_writes_over_a_foreign_split(far: Far) -> None:
    """Somebody else's split is left alone."""
    far.house.traffic.shift(BLUE).perform(10)
    with pytest.raises(SplitMoved):
        far.house.traffic.shift(STAGE, expect=Split(0, 0)).perform(10)
    assert BLUE == far.house.traffic.read()


def test_of_many_writers_one_wins(far: Far) -> None:
    """Compare and swap happen on Envoy's host under one lock."""
    far.house.traffic.shift(BLUE).perform(10)

    def attempt(number: int) -> bool:
        try:
            far.house.traffic.shift(STAGE._replace(writer=f"deploy:{number}"), expect=BLUE).perform(20)
        except DeployError:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        won = [number for number, done in enumerate(pool.map(attempt, range(4))) if done]
    assert [f"deploy:{number}" for number in won] == [far.house.traffic.read().writer]


def counted(far: Far) -> int:
    """Blue's requests so far."""
    found = far.house.metrics.totals(datetime.now(UTC), ())
    assert not isinstance(found, NoData)
    return found["blue"].requests


def test_counts_and_closes(far: Far) -> None:
    """Metrics and maintenance go through the same connection; a notice survives with all its characters."""
    far.house.traffic.shift(BLUE).perform(10)
    before = counted(far)
    far.house.get()
    assert 1 == counted(far) - before
    notice = Notice("Später, 100 % & mehr: a+b=c 'd' \"e\" $HOME", 60, datetime.now(UTC), "ann@here")
    far.house.maintenance.write(notice).perform(10)
    assert (notice, 503) == (far.house.maintenance.read(), far.house.get().status)
    far.house.maintenance.write(None).perform(10)
    assert (None, BLUE, 200) == (far.house.maintenance.read(), far.house.traffic.read(), far.house.get().status)


def test_metrics_of_an_envoy_that_is_not_the_balancer(far: Far) -> None:
    """``metrics`` alone can say where Envoy is."""
    settings = MetricsSettings(admin=far.house.wish["admin"], host=far.host.endpoint, ssh=far.host.access())
    found = Metrics(settings, far.house.site._replace(sections={})).totals(datetime.now(UTC), ())
    assert not isinstance(found, NoData)


def test_a_restart(far: Far) -> None:
    """With a layer, Envoy comes back with the split. One that forgets is noticed: no wrong split is reported, nothing
    is written over it unless it is written whole, and one write restores it all."""
    (survives if far.way.has_layer else is_noticed)(far)


def survives(far: Far) -> None:
    """The split can also be written while Envoy is down."""
    far.house.traffic.shift(BLUE).perform(10)
    far.stop()
    assert BLUE == far.house.traffic.at_rest()
    with pytest.raises(Unreachable):
        far.house.traffic.shift(STAGE).perform(5)
    assert STAGE == far.house.traffic.at_rest()
    far.start()
    until(lambda: STAGE == far.house.traffic.read())
    assert 5 == sum(far.house.colors_of(5).values())


def is_noticed(far: Far) -> None:
    """By everything that reads."""
    notice = Notice("soon", 60, datetime.now(UTC), "ann@here")
    far.house.traffic.shift(BLUE).perform(10)
    far.house.maintenance.write(notice).perform(10)
    far.stop()
    far.start()
    for look in (far.house.traffic.read, far.house.traffic.at_rest, far.house.maintenance.read):
        with pytest.raises(PartlyKnown, match="has forgotten the split: blue 100 %") as caught:
            look()
        assert BLUE == caught.value.split
        assert "inv rollback --to blue" in caught.value.do
    with pytest.raises(PartlyKnown):
        far.house.traffic.shift(STAGE, expect=BLUE).perform(10)
    assert ["ok", "fail"] == [finding.state for finding in far.house.traffic.diagnose()]
    back = Split.all_on("blue", None, "back:r")
    far.house.traffic.shift(back).perform(10)
    assert (back, notice) == (far.house.traffic.read(), far.house.maintenance.read())


def test_doctor(far: Far) -> None:
    """The host and the split; what is missing on the host is named."""
    assert ["ok", "ok"] == [finding.state for finding in far.house.traffic.diagnose()]
    if far.way.has_layer:
        (far.host.path(far.host.root) / "layer/current").unlink()
        finding = far.house.traffic.diagnose()[0]
        assert ("fail", "leads nowhere") == (finding.state, " ".join(finding.detail.split()[1:]))


def test_an_envoy_that_is_down(far: Far) -> None:
    """Reads and writes say where it should answer, and on which host."""
    far.stop()
    for act in (far.house.traffic.read, lambda: far.house.traffic.shift(BLUE).perform(2)):
        with pytest.raises(Unreachable) as caught:
            act()
        assert far.host.address in caught.value.what
        assert far.house.wish["admin"] in caught.value.what or far.way.has_layer


def test_a_host_that_is_down(far: Far) -> None:
    """The error is about the host, not about some local port."""
    far.host.stop()
    reaching.close_all()
    try:
        with pytest.raises(Unreachable, match=f"{far.host.address}.*refuses connections"):
            far.house.traffic.read()
    finally:
        far.host.start()


@pytest.fixture(params=["curl", "python3"])
def path(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A PATH with everything but the other of the two."""
    if shutil.which(request.param) is None:
        pytest.skip(f"{request.param} is not installed")
    unwanted = {"curl": "python3", "python3": "curl"}[request.param]
    for folder in ("/bin", "/usr/bin"):
        for program in Path(folder).iterdir():
            if program.name != unwanted and not (tmp_path / program.name).is_symlink():
                (tmp_path / program.name).symlink_to(program)
    if request.param == "python3":
        (tmp_path / "python3").unlink(missing_ok=True)
        (tmp_path / "python3").symlink_to(os.path.realpath(sys.executable))
    return f"PATH={tmp_path}\n"


def test_goes_home_by_itself(far: Far, path: str) -> None:
    """The text that a watcher runs takes this deployment's traffic home, once or twice, and nobody else's."""
    traffic = far.house.traffic
    traffic.shift(STAGE).perform(10)
    [(host, text)] = traffic.homing("d-1", HOME)
    assert far.host.address == host.name
    [(_, stranger)] = traffic.homing("d-2", HOME)
    assert "not: the split is signed deploy:d-1" == far.run(path + stranger)
    assert STAGE == traffic.read()
    assert "home" == far.run(path + text)
    assert HOME._replace(writer="deadman:d-1") == traffic.read()
    assert "home" == far.run(path + text)
    traffic.shift(Split.all_on("green", "blue", "settled:d-1")).perform(10)
    assert "not: the split is signed settled:d-1" == far.run(path + text)


def test_goes_home_to_an_envoy_that_comes_back(far: Far) -> None:
    """While Envoy is down the text fails, to be tried again; one that comes back with nothing in mind is told."""
    far.house.traffic.shift(STAGE).perform(10)
    [(_, text)] = far.house.traffic.homing("d-1", HOME)
    far.stop()
    with pytest.raises(CommandFailed, match="does not answer"):
        far.run(text)
    far.start()
    assert "home" == far.run(text)
    assert HOME._replace(writer="deadman:d-1") == far.house.traffic.read()


def test_a_watcher_on_its_host(far: Far) -> None:
    """The dead-man's switch on Envoy's host takes traffic home when no beat comes."""
    far.house.traffic.shift(STAGE).perform(10)
    site = far.house.site
    switch = SshWatchdog(SshWatchdogSettings(kind="ssh", grace=2, folder=f"kept-{os.getpid()}"), site)
    try:
        switch.arm("d-1", HOME).perform(20)
        switch._stop_beating()
        until(lambda: far.house.traffic.read().writer == "deadman:d-1", 20)
    finally:
        switch.disarm().perform(20)
        far.run(f"rm -rf kept-{os.getpid()}")


def test_without_a_host_there_is_nobody_to_watch(new_house: Callable[..., House]) -> None:
    """A switch on the balancer's host needs a host."""
    house = new_house(managed=False, admin="http://127.0.0.1:1", public="http://127.0.0.1:1")
    with pytest.raises(UsageError, match=r"traffic\.host"):
        house.traffic.homing("d-1", HOME)


def test_a_host_without_tools(far: Far, tmp_path: Path) -> None:
    """Neither curl nor python3: the error names both."""
    for program in ("sh", "cat", "sed", "tr", "mkdir", "sync", "flock", "mv", "rm", "date", "sleep"):
        (tmp_path / program).symlink_to(shutil.which(program) or "")
    [(_, text)] = far.house.traffic.homing("d-1", HOME)
    began = time.monotonic()
    with pytest.raises(CommandFailed, match="neither curl nor python3"):
        far.run(f"PATH={tmp_path}\n{text}")
    assert time.monotonic() - began < 5
