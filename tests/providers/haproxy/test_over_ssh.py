"""A HAProxy on another host, through a real SSH connection."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from lab.hosts import Lab, hosts

from deploytasks.errors import PartlyKnown, SplitMoved, Unreachable
from deploytasks.ports import NoData, Split

from .conftest import BLUE, House, until

STAGE = Split(90, 10, "blue", "deploy:abc")


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Two hosts; the file system is that of the test."""
    with hosts(tmp_path_factory.mktemp("lab"), 2) as lab:
        yield lab


@pytest.fixture
def remote(house: House, lab: Lab) -> House:
    """The HAProxy of the house, as if it ran on the first host."""
    house.wish |= {"balancers": [_on(lab, house, 0)], "ssh": lab.hosts[0].access()}
    return house


def _on(lab: Lab, house: House, number: int) -> dict[str, str]:
    balancer = house.balancers[number]
    return {"host": lab.hosts[number].endpoint, "socket": balancer.socket, "state": str(balancer.state)}


def test_a_deployment_over_ssh(remote: House) -> None:
    """Shift, compare, read back, drain, log, and the way home: all over one connection."""
    traffic = remote.traffic
    assert Split(0, 0) == traffic.read()
    traffic.shift(BLUE).perform(30)
    traffic.shift(STAGE, expect=BLUE).perform(30)
    with pytest.raises(SplitMoved, match="deploy:abc"):
        traffic.shift(BLUE, expect=BLUE).perform(30)
    assert STAGE == traffic.read() == traffic.at_rest()
    remote.get()
    metrics = remote.metrics

    def requests() -> int:
        found = metrics.totals(datetime(2020, 1, 1, tzinfo=UTC), (0.1,))
        assert not isinstance(found, NoData), found.why
        return sum(each.requests for each in found.values())

    until(lambda: requests() == 1)
    ((host, script),) = traffic.homing("abc", BLUE)
    assert "home" == host.run(script, 30).strip()
    assert Split.all_on("blue", None, "deadman:abc") == traffic.read()
    assert {"ok"} == {each.state for each in traffic.diagnose()}


def test_a_host_that_is_gone_is_named(remote: House, lab: Lab) -> None:
    """Its SSH server does not answer: the error says which host, and nothing is guessed."""
    remote.wish["balancers"][0]["host"] = "nobody@127.0.0.1:9"
    remote.wish["ssh"] = lab.hosts[0].access(connect_within="2s")
    with pytest.raises(PartlyKnown, match=r"127\.0\.0\.1"):
        remote.traffic.read()
    with pytest.raises(Unreachable, match=r"127\.0\.0\.1"):
        remote.traffic.shift(BLUE).perform(30)


def test_a_folder_that_is_missing_there(remote: House, tmp_path: Path) -> None:
    """Nothing was set up on the host: nothing is compared and swapped; a rollback moves traffic all the same."""
    remote.traffic.shift(STAGE).perform(30)
    remote.wish["balancers"][0]["state"] = str(tmp_path / "nowhere")
    with pytest.raises(Unreachable, match=r"nowhere is no folder"):
        remote.traffic.shift(BLUE, expect=STAGE).perform(30)
    with pytest.raises(Unreachable, match=r"nowhere/split\.map cannot be written"):
        remote.traffic.shift(BLUE).perform(30)
    assert BLUE == remote.traffic.read()
