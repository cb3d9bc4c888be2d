"""The watchdog with the balancer that it is for."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import deploytasks
from deploytasks.ports import Split
from deploytasks.providers.envoy import Traffic
from deploytasks.providers.site import Site
from deploytasks.providers.watchdog import Watchdog
from deploytasks.settings.envoy import TrafficSettings, UpstreamAddresses
from deploytasks.settings.watchdog import WatchdogSettings

ID = "20261123-101500-ab12cd"
GRACE = 1.0

DEPLOYER = """
import json, sys, time
from pathlib import Path
from deploytasks.ports import Split
from deploytasks.providers.site import Site
from deploytasks.providers.watchdog import Watchdog
from deploytasks.settings.envoy import TrafficSettings
from deploytasks.settings.watchdog import WatchdogSettings

root, traffic = Path(sys.argv[1]), TrafficSettings.model_validate_json(sys.argv[2])
site = Site("library", "development", root, root / ".deploy" / "development", None, "ann@host", {"traffic": traffic})
deadman = Watchdog(WatchdogSettings(grace=1.0), site)
deadman.arm("20261123-101500-ab12cd", Split(100, 0)).perform(15)
print("armed", flush=True)
while True:
    deadman.beat()
    time.sleep(0.05)
"""


def free_ports(count: int) -> list[int]:
    held = [socket.socket() for _ in range(count)]
    for one in held:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in held]
    for one in held:
        one.close()
    return ports


@pytest.fixture
def site(tmp_path: Path) -> Site:
    listen, blue, green = free_ports(3)
    colors = UpstreamAddresses(blue=f"127.0.0.1:{blue}", green=f"127.0.0.1:{green}")
    sections = {"traffic": TrafficSettings(listen=f"127.0.0.1:{listen}", colors=colors)}
    return Site("library", "development", tmp_path, tmp_path / ".deploy" / "development", None, "ann@host", sections)


@pytest.fixture
def traffic(site: Site) -> Iterator[Traffic]:
    settings = site.sections["traffic"]
    assert isinstance(settings, TrafficSettings)
    envoy = Traffic(settings, site)
    for (start,) in envoy.prepare():
        start.perform(30)
    envoy.shift(Split(75, 25, "blue", f"deploy:{ID}")).perform(10)
    yield envoy
    for (stop,) in envoy.shut_down():
        stop.perform(30)


@pytest.fixture
def deadman(site: Site) -> Iterator[Watchdog]:
    made = Watchdog(WatchdogSettings(grace=GRACE), site)
    yield made
    made.disarm().perform(15)


def test_a_deployer_killed_at_25_percent(site, traffic, deadman):
    """With nobody acting, Envoy's traffic is home within the grace + 5 s, and Envoy itself says so."""
    command = [sys.executable, "-c", DEPLOYER, str(site.root), site.sections["traffic"].model_dump_json()]
    environment = {**os.environ, "PYTHONPATH": str(Path(deploytasks.__file__).parents[1])}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, start_new_session=True, env=environment
    ) as deployer:
        assert deployer.stdout is not None
        assert deployer.stdout.readline() == "armed\n"
        assert traffic.read() == Split(75, 25, "blue", f"deploy:{ID}")
        os.killpg(deployer.pid, signal.SIGKILL)
    until = time.monotonic() + GRACE + 5
    while traffic.read() != Split(100, 0, None, f"deadman:{ID}"):
        assert time.monotonic() < until, deadman.state().detail
        time.sleep(0.02)
    while not deadman.state().fired_at:
        assert time.monotonic() < until, deadman.state().detail
        time.sleep(0.02)

    assert [file.suffix for file in (site.folder / "spool").iterdir()] == [".json"]
