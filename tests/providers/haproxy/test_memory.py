"""A HAProxy whose files are out of reach forgets at a restart: that is recognized, and never read as a split."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from lab.haproxy import free_address

from deploytasks.errors import PartlyKnown, UsageError
from deploytasks.ports import Split

from .conftest import BLUE, House

STAGE = Split(90, 10, "blue", "deploy:abc")


@pytest.fixture
def distant(new_house: Callable[..., House]) -> House:
    """Only a port is known of it."""
    address = free_address()
    house = new_house(extra={"\nglobal\n": f"\nglobal\n    stats socket ipv4@{address} level admin\n"})
    house.wish["balancers"] = [address]
    return house


def _first_use(house: House) -> None:
    """What the error tells to do before the first deployment."""
    with pytest.raises(PartlyKnown) as caught:
        house.traffic.read()
    command = caught.value.do.partition("`add map ")[2].partition("`")[0]
    assert "\n" == house.balancer.ask(f"add map {command}")


def test_a_first_use_is_said_by_hand(distant: House) -> None:
    """Empty may mean new or forgotten: nobody guesses. One line at the socket says that it is new."""
    _first_use(distant)
    found = distant.traffic.read()
    assert (0, 0) == found[:2]
    distant.traffic.shift(BLUE, expect=found).perform(30)
    assert BLUE == distant.traffic.read()


def test_a_restart_is_recognized(distant: House) -> None:
    """The marks are gone: an error that says so, instead of a split. A rollback with its color writes it again."""
    distant.traffic.shift(STAGE).perform(30)
    assert STAGE == distant.traffic.read()
    distant.balancer.restart()
    for read in (distant.traffic.read, distant.traffic.at_rest):
        with pytest.raises(PartlyKnown, match="it was restarted") as caught:
            read()
        assert caught.value.split is None
        assert "inv rollback --to COLOR" in caught.value.do
    distant.traffic.shift(BLUE).perform(30)
    assert BLUE == distant.traffic.read()


def test_doctor_warns_of_it(distant: House) -> None:
    """Before it happens."""
    distant.traffic.shift(STAGE).perform(30)
    (found,) = [each for each in distant.traffic.diagnose() if each.subject.endswith("memory")]
    assert "warn" == found.state
    assert "a restart of HAProxy forgets" in found.detail


def test_nobody_takes_traffic_home_there(distant: House) -> None:
    """A switch has no host to live on: said when it is asked for, not when it is needed."""
    with pytest.raises(UsageError, match="nothing can take traffic home"):
        distant.traffic.homing("abc", BLUE)


def test_with_a_folder_it_remembers(distant: House) -> None:
    """The same port, its files within reach: nothing is forgotten."""
    distant.wish["state"] = str(distant.balancer.state)
    distant.traffic.shift(STAGE).perform(30)
    distant.balancer.restart()
    assert STAGE == distant.traffic.read()


def test_another_file_than_haproxy_loads(house: House) -> None:
    """We keep the split where HAProxy does not look: after a restart that is an error that names both."""
    house.traffic.shift(STAGE).perform(30)
    content = (house.balancer.state / "split.map").read_text()
    (house.balancer.state / "split.map").write_text("")
    house.balancer.restart()
    (house.balancer.state / "split.map").write_text(content)
    with pytest.raises(PartlyKnown, match="has forgotten the split that") as caught:
        house.traffic.read()
    assert "deploy:abc" in caught.value.what
