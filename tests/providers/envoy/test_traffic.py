"""Traffic through a managed Envoy."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from deploytasks.errors import DeployError, SplitMoved, Unreachable, UsageError
from deploytasks.ports import Split
from deploytasks.providers.envoy import layer
from deploytasks.settings.local import LocalFleetSettings
from deploytasks.settings.ssh_fleet import SshFleetSettings

from .conftest import House, perform

BLUE = Split.all_on("blue", None, "settled:20261123-101500-ab12cd")


def test_nothing_is_exposed_at_first(house: House) -> None:
    """A new environment answers 503 with a page that says so, and its split is empty."""
    house.start()
    answer = house.get()
    assert (Split(0, 0), 503, "10") == (house.traffic.read(), answer.status, answer.headers["retry-after"])
    assert b"Not deployed yet" in answer.body


def test_prepares_once(house: House) -> None:
    """An Envoy that runs as configured needs no preparation, and one that does not needs one call."""
    assert [1] == [len(batch) for batch in house.traffic.prepare()]
    calls = house.traffic.prepare()
    perform(calls)
    before = house.place.read_state()
    perform(calls)  # twice is once
    assert ((), before) == (house.traffic.prepare(), house.place.read_state())


@pytest.mark.parametrize(
    "split",
    [
        BLUE,
        Split(75, 25, "blue", "deploy:20261123-101500-ab12cd"),
        Split.all_on("green", "blue", "settled:# a comment?\n  é %41 "),
        Split(0, 0, None, "back:x"),
    ],
)
def test_reads_back_what_was_shifted(house: House, split: Split) -> None:
    """What is written is in force, with way back and writer, when the call returns."""
    house.start(split)
    assert split == house.traffic.read()


def test_users_go_where_the_split_says(house: House) -> None:
    """Everything, a share, and nothing go to a color as written."""
    house.start(BLUE)
    assert {"blue": 50} == house.colors_of(50)
    house.traffic.shift(Split.partly_on("green", 25, "blue", "deploy:x")).perform(10)
    assert 50 < house.colors_of(400)["green"] < 150  # 100 expected, 8.7 the standard deviation
    house.traffic.shift(Split.all_on("green", "blue", "deploy:x")).perform(10)
    assert {"green": 50} == house.colors_of(50)


@pytest.mark.parametrize(
    "expect",
    [
        BLUE._replace(blue=99, green=1),
        BLUE._replace(way_back="green"),
        BLUE._replace(writer="deploy:20261123-101500-ab12cd"),
        BLUE._replace(writer=None),
    ],
)
def test_never_writes_over_a_foreign_split(house: House, expect: Split) -> None:
    """Another weight, way back or writer than expected is someone else's work: code 5, and nothing is written."""
    house.start(BLUE)
    with pytest.raises(SplitMoved) as caught:
        house.traffic.shift(Split.all_on("green", "blue", "deploy:x"), expect=expect).perform(10)
    assert (5, BLUE) == (caught.value.exit_code, house.traffic.read())


def test_one_of_many_racing_writers_wins(house: House) -> None:
    """Of eight that expect the same split, one writes and seven are told that it moved."""
    house.start(BLUE)
    outcomes: list[str] = []

    def race(number: int) -> None:
        try:
            house.traffic.shift(Split.partly_on("green", 10, "blue", f"deploy:{number}"), expect=BLUE).perform(10)
            outcomes.append("won")
        except SplitMoved:
            outcomes.append("moved")

    racers = [threading.Thread(target=race, args=(number,)) for number in range(8)]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join()
    assert ["moved"] * 7 + ["won"] == sorted(outcomes)


def test_rollback_does_not_wait_for_a_stuck_writer(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """While another process holds the lock, a write without expectation goes through; one with it does not."""
    house.start(BLUE)
    monkeypatch.setattr(layer, "PATIENCE", 0.05)
    green = Split.all_on("green", None, "back:x")
    with house.place.layer.locked() as is_ours:
        assert is_ours
        with pytest.raises(Unreachable, match="another process"):
            house.traffic.shift(green, expect=BLUE).perform(10)
        assert house.traffic.read() == BLUE
        house.traffic.shift(green).perform(10)
    assert green == house.traffic.read()


def test_says_what_it_will_do(house: House) -> None:
    """The text of a shift has every key that it writes."""
    text = house.traffic.shift(Split(90, 10, "blue", "deploy:x")).text
    assert "split.open=100 split.blue=90 split.green=10 split.way_back=blue split.writer=deploy:x" in text


def test_reading_a_balancer_that_is_down_fails(house: House) -> None:
    """Without Envoy there is no split to read: code 7, and what to do."""
    with pytest.raises(Unreachable) as caught:
        house.traffic.read()
    assert (7, True) == (caught.value.exit_code, "inv deploy" in caught.value.do)


def test_a_split_written_while_down_is_in_force_afterwards(house: House) -> None:
    """A shift while Envoy is down says so, keeps what was written, and Envoy starts with it."""
    with pytest.raises(Unreachable) as caught:
        house.traffic.shift(BLUE).perform(5)
    assert "will be in force" in caught.value.state
    house.start()
    assert (BLUE, {"blue": 5}) == (house.traffic.read(), house.colors_of(5))


def test_a_full_or_broken_disk_is_reported(house: House) -> None:
    """When the keys cannot be written, traffic stays as it was, and the error says which folder to mend."""
    house.place.folder.mkdir(parents=True)
    (house.place.folder / "runtime").write_text("in the way")
    with pytest.raises(Unreachable, match="cannot be written") as caught:
        house.traffic.shift(BLUE).perform(5)
    assert str(house.place.folder) in caught.value.do


def test_what_envoy_does_not_confirm_is_an_error(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """A write that Envoy does not read back within the time is not taken for done."""
    house.start(BLUE)
    monkeypatch.setattr(layer.Layer, "write", lambda *_: None)
    with pytest.raises(Unreachable, match=r"still reads split\.blue=100"):
        house.traffic.shift(Split.all_on("green")).perform(0.1)


def test_colors_come_from_the_fleet(new_house: Callable[..., House], applications: dict[str, str]) -> None:
    """Without colors of its own, Envoy goes where the fleet's section says."""
    house = new_house(colors=None)
    fleet = LocalFleetSettings.model_validate({"colors": applications, "start": "true"})
    site = house.site._replace(sections={**house.site.sections, "fleet": fleet})
    perform(type(house.traffic)(house.settings, site).prepare())
    house.traffic.shift(BLUE).perform(10)
    assert {"blue": 3} == house.colors_of(3)


def test_a_color_has_several_hosts(new_house: Callable[..., House], applications: dict[str, str]) -> None:
    """Envoy goes to all hosts of a fleet over SSH; one that is down gets no user, and none is lost by it."""
    house = new_house(colors=None)
    ports = {color: int(address.rpartition(":")[2]) for color, address in applications.items()}
    hosts = [{"address": "127.0.0.1"}, {"address": "web2", "at": "127.0.0.2"}]
    fleet = SshFleetSettings.model_validate({"hosts": hosts, "ports": ports, "start": "true"})
    assert fleet.addresses("blue") == (f"127.0.0.1:{ports['blue']}", f"127.0.0.2:{ports['blue']}")
    site = house.site._replace(sections={**house.site.sections, "fleet": fleet})
    perform(type(house.traffic)(house.settings, site).prepare())
    house.traffic.shift(BLUE).perform(10)
    assert {"blue": 40} == house.colors_of(40)


def test_without_colors_it_says_what_is_missing(new_house: Callable[..., House]) -> None:
    """Neither fleet nor traffic say where the colors are: code 2."""
    with pytest.raises(UsageError, match="where the colors listen"):
        new_house(colors=None).traffic.prepare()


def _states(house: House) -> dict[str, str]:
    return {finding.subject.partition(" 127")[0]: finding.state for finding in house.traffic.diagnose()}


def test_doctor_sees_program_port_and_split(house: House) -> None:
    """Before the first start a free port, and that it comes; afterwards the split and the version."""
    assert {"traffic: program": "ok", "traffic: listen": "ok", "traffic: envoy": "ok"} == _states(house)
    house.start(BLUE)
    assert {"traffic: program": "ok", "traffic: listen": "ok", "traffic: split": "ok"} == _states(house)
    assert "blue 100 %" in house.traffic.diagnose()[-1].detail


@pytest.mark.parametrize(
    ("wish", "address"),
    [
        ({"listen": "0.0.0.0:8080"}, "http://127.0.0.1:8080"),
        ({"listen": "[::1]:8080"}, "http://[::1]:8080"),
        ({"public": "https://library.example/"}, "https://library.example"),
    ],
)
def test_knows_its_public_address(new_house: Callable[..., House], wish: dict[str, Any], address: str) -> None:
    """The address is what users type, without a trailing slash."""
    assert address == new_house(**wish).traffic.address()


def test_errors_are_ours(house: House) -> None:
    """Nothing but our own errors comes out of a balancer that is not there."""
    with pytest.raises(DeployError):
        house.maintenance.read()


def test_open_requests_are_counted(house: House) -> None:
    """A color is drained when its last request is answered, wherever new ones go meanwhile."""
    house.start(BLUE)
    assert 0 == house.traffic.drained("blue")
    slow = threading.Thread(target=house.get, args=("/?delay=1.5",))
    slow.start()
    assert wait_for(lambda: house.traffic.drained("blue") == 1)
    house.traffic.shift(Split.all_on("green", None, "deploy:x")).perform(10)
    assert (1, 0) == (house.traffic.drained("blue"), house.traffic.drained("green"))
    slow.join()
    assert wait_for(lambda: house.traffic.drained("blue") == 0)


def wait_for(condition: Callable[[], bool]) -> bool:
    until = time.monotonic() + 5
    while not condition() and time.monotonic() < until:
        time.sleep(0.02)
    return condition()
