"""The shell that runs on a balancer's host does what Python does here, with whichever tool the host has."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from lab.parts import lacking

from deploytasks.errors import SplitMoved, Unreachable
from deploytasks.ports import Split
from deploytasks.providers.haproxy import Traffic
from deploytasks.providers.haproxy.far import FarBalancer
from deploytasks.providers.haproxy.lock import locked
from deploytasks.providers.hosts.localhost import LocalHost

from .conftest import BLUE, House

STAGE = Split(90, 10, "blue", "deploy:a b;c%20'\"$(x)\n# é")
TOOLS = ("socat", "perl", "python3", "nc")
EVERYWHERE = (
    "cat", "chmod", "cut", "dirname", "env", "expr", "false", "find", "flock", "grep", "head", "ls", "mv", "od",
    "printf", "ps", "rm", "sed", "sh", "sleep", "sort", "stat", "sync", "tail", "timeout", "tr", "true", "wc",
    "kill", "mkdir",
)  # fmt: skip


def far(house: House) -> Traffic:
    """The same environment, its HAProxy on another host; the host is this one."""
    traffic = house.traffic
    (near,) = traffic._balancers
    balancer = FarBalancer("lb1", "lb1", LocalHost, near.name, near.split, near.maintenance)
    traffic._balancers = (balancer,)
    return traffic


@pytest.fixture(params=TOOLS)
def tool(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A host that has only one of the tools that talk to a socket."""
    name = str(request.param)
    found = {each: shutil.which(each) for each in (name, *EVERYWHERE)}
    if found[name] is None:
        lacking(f"{name} is not installed")
    folder = tmp_path / "bin"
    folder.mkdir()
    for each, path in found.items():
        if path:
            (folder / each).symlink_to(Path(path).resolve() if each != "python3" else _python())
    monkeypatch.setenv("PATH", str(folder))
    return name


def _python() -> str:
    """A shim would look for more than there is."""
    import sys

    return sys.executable


def test_writes_and_reads_with_any_tool(house: House, tool: str) -> None:
    """A whole transaction through each of socat, perl, python3 and nc."""
    traffic = far(house)
    assert Split(0, 0) == traffic.read()
    traffic.shift(BLUE).perform(30)
    traffic.shift(STAGE, expect=BLUE).perform(30)
    assert STAGE == traffic.read() == house.traffic.read() == house.traffic.at_rest()
    assert traffic.drained("blue") == 0


def test_a_host_without_any_tool_says_so(house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing there talks to a socket: an error that names what would."""
    folder = tmp_path / "bare"
    folder.mkdir()
    for each in EVERYWHERE:
        if path := shutil.which(each):
            (folder / each).symlink_to(path)
    monkeypatch.setenv("PATH", str(folder))
    with pytest.raises(Unreachable, match="none of socat, perl, python3 and nc is installed"):
        far(house).shift(BLUE).perform(30)


def test_expect_refuses_there_too(house: House) -> None:
    """Compare and swap on the host: what somebody else wrote stays."""
    traffic = far(house)
    traffic.shift(BLUE).perform(30)
    with pytest.raises(SplitMoved, match="settled:before"):
        traffic.shift(STAGE, expect=BLUE._replace(writer="x:y")).perform(30)
    assert BLUE == house.traffic.read() == house.traffic.at_rest()


def test_both_sides_take_the_same_lock(house: House) -> None:
    """While this machine holds it, the host's script refuses to compare and swap, and goes home all the same."""
    traffic = far(house)
    traffic.shift(STAGE).perform(30)
    with locked(house.balancer.state):
        with pytest.raises(Unreachable, match="another process is writing"):
            traffic.shift(BLUE, expect=STAGE).perform(30)
        traffic.shift(BLUE).perform(30)
    assert BLUE == house.traffic.read()


def test_a_dead_haproxy_is_told_through_its_file(house: House) -> None:
    """An absolute write is kept for its start; a comparing one changes nothing; at rest, the file speaks."""
    traffic = far(house)
    traffic.shift(STAGE).perform(30)
    house.balancer.kill()
    with pytest.raises(Unreachable):
        traffic.read()
    with pytest.raises(Unreachable, match="lb1: haproxy at"):
        traffic.shift(BLUE, expect=STAGE).perform(30)
    assert STAGE == traffic.at_rest()
    with pytest.raises(Unreachable) as caught:
        traffic.shift(BLUE).perform(30)
    assert "will be in force when haproxy starts" in caught.value.state
    house.balancer.start()
    assert BLUE == house.traffic.read()


def test_a_file_that_cannot_be_written(house: House) -> None:
    """Forward nothing changes; back, traffic moves and the error says what a restart would do."""
    traffic = far(house)
    traffic.shift(STAGE).perform(30)
    (house.balancer.state / "split.map").unlink()
    (house.balancer.state / "split.map" / "x").mkdir(parents=True)
    with pytest.raises(Unreachable, match="cannot be written"):
        traffic.shift(STAGE._replace(blue=50, green=50), expect=STAGE).perform(30)
    assert "blue 90" in house.balancer.ask(f"show map {house.balancer.state}/split.map")
    with pytest.raises(Unreachable, match="cannot be written") as caught:
        traffic.shift(BLUE).perform(30)
    assert "a restart of haproxy would forget it" in caught.value.state


def test_no_aside_is_left(house: House) -> None:
    """The folder holds the two maps and nothing else."""
    far(house).shift(BLUE).perform(30)
    assert ["maintenance.map", "split.map"] == sorted(each.name for each in house.balancer.state.iterdir())


# -- going home without us -------------------------------------------------------------------------------------


def run(script: str) -> str:
    """As a dead-man's switch on the host runs it."""
    done = subprocess.run(["/bin/sh"], input=script, capture_output=True, text=True, timeout=30, check=True)
    return done.stdout.strip()


def homing(house: House) -> str:
    ((_, script),) = house.traffic.homing("abc", Split.all_on("blue", None, "back:abc"))
    return script


def test_homing_takes_traffic_home_once(house: House, tool: str) -> None:
    """In force and on disk, signed by the switch; a second run says the same and changes nothing."""
    house.traffic.shift(Split(50, 50, "blue", "deploy:abc")).perform(30)
    home = Split.all_on("blue", None, "deadman:abc")
    assert ["home", "home"] == [run(homing(house)), run(homing(house))]
    assert home == house.traffic.read()
    house.balancer.restart()
    assert home == house.traffic.read()


@pytest.mark.parametrize("writer", ["deploy:abcd", "deploy:ab", "settled:abc", "back:rollback-1", None])
def test_homing_leaves_alone_what_is_not_its_deployments(house: House, writer: str | None) -> None:
    """Only a split that is signed exactly ``deploy:abc`` goes home."""
    split = Split(50, 50, "blue", writer)
    house.traffic.shift(split).perform(30)
    assert run(homing(house)).startswith("not: the split is signed")
    assert split == house.traffic.read()


def test_homing_at_a_dead_haproxy_puts_its_file_home(house: House) -> None:
    """It says that nobody is home yet; when HAProxy starts, everybody is, and the next run says so."""
    house.traffic.shift(Split(50, 50, "blue", "deploy:abc")).perform(30)
    script = homing(house)
    house.balancer.kill()
    assert run(script).startswith("not: haproxy does not answer")
    house.balancer.start()
    assert "deadman:abc" == house.traffic.read().writer
    assert "home" == run(script)


def test_homing_does_not_wait_for_a_stopped_writer(house: House) -> None:
    """A deployer that was stopped in the middle of its write may hold the lock for ever."""
    house.traffic.shift(Split(50, 50, "blue", "deploy:abc")).perform(30)
    with locked(house.balancer.state):
        assert "home" == run(homing(house))


def test_homing_names_every_balancer(new_house: Callable[..., House]) -> None:
    """One script for each, on the host it runs on."""
    house = new_house(2)
    house.traffic.shift(Split(50, 50, "blue", "deploy:abc")).perform(30)
    for host, script in house.traffic.homing("abc", BLUE):
        assert "home\n" == host.run(script, 20)
    assert "deadman:abc" == house.traffic.read().writer
