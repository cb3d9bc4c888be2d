"""An Envoy that somebody else started."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest

from deploytasks.errors import PartlyKnown, SplitMoved, Unreachable
from deploytasks.ports import NoData, Notice, Split
from deploytasks.providers.envoy import binary

from .conftest import House, free_port, until

BLUE = Split.all_on("blue", "green", "settled:x y")


@pytest.fixture
def foreign(new_house: Callable[..., House]) -> Iterator[House]:
    """An Envoy with an admin layer and an admin port, as an operator would run it."""
    house = new_house()
    config = house.traffic._process()._launch().config
    admin = free_port()
    config["admin"] = {"address": {"socket_address": {"address": "127.0.0.1", "port_value": admin}}}
    config["layered_runtime"] = {"layers": [{"name": "admin", "admin_layer": {}}]}
    page = house.place.page
    page.parent.mkdir(parents=True)
    page.write_text("<p>closed</p>")
    file = house.root / "envoy.json"
    file.write_text(json.dumps(config))
    program = str(binary.find(None, house.site))
    command = [program, "-c", str(file), "--disable-hot-restart", "--concurrency", "1", "--log-level", "off"]
    running = subprocess.Popen(command)
    public = f"http://{house.wish['listen']}"
    house.wish |= {"managed": False, "admin": f"http://127.0.0.1:{admin}", "public": public}
    try:
        until(lambda: _answers(house))
        yield house
    finally:
        running.terminate()
        running.wait(10)


def _answers(house: House) -> bool:
    try:
        return house.traffic.read() == Split(0, 0)
    except Unreachable:
        return False


def test_splits_through_the_admin(foreign: House) -> None:
    """Weights, way back and writer go through the admin interface and are read back from it."""
    foreign.traffic.shift(BLUE, expect=Split(0, 0)).perform(10)
    assert (BLUE, {"blue": 5}) == (foreign.traffic.read(), foreign.colors_of(5))
    green = Split.all_on("green")  # neither way back nor writer: both keys are taken away
    foreign.traffic.shift(green, expect=BLUE).perform(10)
    assert (green, {"green": 5}) == (foreign.traffic.read(), foreign.colors_of(5))


def test_never_writes_over_a_foreign_split(foreign: House) -> None:
    """What the admin says counts, whoever wrote it."""
    foreign.traffic.shift(BLUE).perform(10)
    with pytest.raises(SplitMoved):
        foreign.traffic.shift(Split.all_on("green"), expect=Split(0, 0)).perform(10)


def test_is_neither_started_nor_stopped(foreign: House) -> None:
    """It is not ours."""
    assert ((), ()) == (foreign.traffic.prepare(), foreign.traffic.shut_down())


def test_counts_and_closes(foreign: House) -> None:
    """Metrics and maintenance work through the same interface."""
    foreign.traffic.shift(BLUE).perform(10)
    foreign.get()
    found = foreign.metrics.totals(datetime.now(UTC), ())
    assert not isinstance(found, NoData)
    assert 1 == found["blue"].requests
    notice = Notice("Später", 60, datetime.now(UTC), "ann@here")
    foreign.maintenance.write(notice).perform(10)
    assert (notice, 503, "60") == (
        foreign.maintenance.read(),
        foreign.get().status,
        foreign.get().headers["retry-after"],
    )
    foreign.maintenance.write(None).perform(10)
    assert (None, BLUE, 200) == (foreign.maintenance.read(), foreign.traffic.read(), foreign.get().status)


def test_a_restart_that_forgets_is_noticed(foreign: House) -> None:
    """No wrong split is reported; what is written next is written whole, maintenance included."""
    foreign.traffic.shift(BLUE).perform(10)
    notice = Notice("soon", 60, datetime.now(UTC), "ann@here")
    foreign.maintenance.write(notice).perform(10)
    admin = foreign.traffic._runtime.admin
    admin.modify(dict.fromkeys(admin.runtime()))  # what a restart does to the admin layer
    for look in (foreign.traffic.read, foreign.traffic.at_rest, foreign.maintenance.read):
        with pytest.raises(PartlyKnown, match="has forgotten the split") as caught:
            look()
        assert BLUE == caught.value.split
    with pytest.raises(PartlyKnown):
        foreign.traffic.shift(Split.all_on("green"), expect=BLUE).perform(10)
    back = Split.all_on("blue", None, "back:r")
    foreign.traffic.shift(back).perform(10)
    assert (back, notice) == (foreign.traffic.read(), foreign.maintenance.read())


def test_a_layer_of_its_own(foreign: House) -> None:
    """Keys of an Envoy that reads a disk layer are files; one that does not read them is found out."""
    foreign.wish |= {"layer": str(foreign.root / "layer")}
    with pytest.raises(Unreachable, match="still reads"):
        foreign.traffic.shift(BLUE).perform(1)
    assert "100" == (foreign.root / "layer/current/app/split/blue").read_text()


def test_doctor_reads_it(foreign: House) -> None:
    """One finding: the split that it has."""
    assert [("traffic: split", "ok")] == [finding[:2] for finding in foreign.traffic.diagnose()]


def test_an_absent_one_is_unreachable(new_house: Callable[..., House]) -> None:
    """Nobody at the admin address: code 7 for a read and for a write; doctor fails it."""
    house = new_house(managed=False, admin=f"http://127.0.0.1:{free_port()}", public="http://127.0.0.1:1")
    with pytest.raises(Unreachable):
        house.traffic.read()
    with pytest.raises(Unreachable):
        house.traffic.shift(BLUE).perform(1)
    assert ["fail"] == [finding.state for finding in house.traffic.diagnose()]
