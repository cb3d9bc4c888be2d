"""What doctor finds out before it hurts."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from deploytasks.errors import PartlyKnown, Unreachable
from deploytasks.ports import Finding, Split
from deploytasks.providers.haproxy import replies
from deploytasks.providers.haproxy.diagnosis import diagnose

from .conftest import BLUE, House


def findings(house: House) -> dict[str, Finding]:
    subject = f"traffic: haproxy at {house.balancer.socket}"
    return {each.subject.removeprefix(subject).strip(", "): each for each in house.traffic.diagnose()}


def test_all_is_well(house: House) -> None:
    """Version, backends, split and memory."""
    house.traffic.shift(BLUE).perform(30)
    found = findings(house)
    assert {"", "blue", "green", "split", "memory"} == set(found)
    assert {"ok"} == {each.state for each in found.values()}, found
    assert "HAProxy 2." in found[""].detail
    assert "way back none, written by settled:before" in found["split"].detail


def test_a_file_that_somebody_restored(house: House) -> None:
    """On disk another split than in force: a restart would bring it back."""
    house.traffic.shift(BLUE).perform(30)
    (house.balancer.state / "split.map").write_text("blue 0\ngreen 100\nwriter settled:old\n")
    found = findings(house)["memory"]
    assert "fail" == found.state
    assert "in force: blue 100 % / green 0 %" in found.detail
    assert "kept: blue 0 % / green 100 %" in found.detail


def test_a_map_that_somebody_edited(house: House) -> None:
    """In force another split than on disk: both are shown."""
    house.traffic.shift(BLUE).perform(30)
    for key, value in (("blue", 50), ("green", 50)):
        house.balancer.ask(f"set map {house.balancer.state}/split.map {key} {value}")
    assert Split(50, 50, None, "settled:before") == house.traffic.read()
    assert "fail" == findings(house)["memory"].state


def test_a_map_that_makes_no_split(house: House) -> None:
    """Nonsense is said to be nonsense, and a whole write mends it."""
    house.traffic.shift(BLUE).perform(30)
    house.balancer.ask(f"set map {house.balancer.state}/split.map blue 50")
    with pytest.raises(PartlyKnown, match="do not make 100"):
        house.traffic.read()
    assert "fail" == findings(house)[""].state
    house.traffic.shift(BLUE).perform(30)
    assert BLUE == house.traffic.read()


def test_haproxy_does_not_run(house: House) -> None:
    """One finding, and what to do."""
    house.balancer.kill()
    (found,) = house.traffic.diagnose()
    assert ("fail", True) == (found.state, "Connection refused" in found.detail)


def test_a_map_that_haproxy_does_not_know(house: House) -> None:
    """The configuration names another file: HAProxy's words, and where to look."""
    house.wish["map"] = "/nowhere/split.map"
    with pytest.raises(Unreachable, match="Unknown map identifier"):
        house.traffic.shift(BLUE).perform(30)
    found = next(each for each in findings(house).values() if each.state == "fail")
    assert "Unknown map identifier" in found.detail
    assert "name the map in haproxy.cfg" in found.do


def test_a_backend_that_is_not_there(house: House) -> None:
    """Its name stands in the finding."""
    house.wish["backends"] = {"blue": "shop_a", "green": "shop_b"}
    assert "has no backend shop_a" in findings(house)[""].detail


def test_a_socket_without_rights(new_house: Callable[..., House]) -> None:
    """A level below admin is pointed out."""
    house = new_house(extra={"level admin": "level operator"})
    assert ("warn", "level admin") == (findings(house)[""].state, "level admin" if findings(house)[""].do else "")


class Old:
    """A HAProxy that answers as one of another age or make does."""

    def __init__(self, **answers: str) -> None:
        self.name = "lb1"
        self._answers = answers

    def ask(self, command: str, timeout: float) -> str:
        del timeout
        return self._answers[command.strip().replace(" ", "_")]


@pytest.mark.parametrize(
    ("facts", "state", "detail"),
    [
        ("Version: 2.2.9-2+deb11u6\nNbproc: 1\n", "fail", "cannot replace a map as a whole"),
        ("Version: 2.4.0\nNbproc: 4\n", "fail", "several processes"),
        ("Version: 2.4.0\nNbproc: 1\nDroppedLogs: 7\n", "warn", "could not send 7 log lines"),
        ("Version: 3.2-dev4\n", "ok", "HAProxy 3.2-dev4"),
    ],
)
def test_versions_and_processes(facts: str, state: str, detail: str) -> None:
    """Too old, several processes with a map each, lost log lines; and a new one that is fine."""
    found = next(iter(diagnose([Old(show_info=facts, show_cli_level="admin\n\n")], {})))  # type: ignore[list-item]
    assert state == found.state
    assert detail in found.detail


@pytest.mark.parametrize(
    ("reply", "remedy"),
    [
        ("Permission denied\n\n", "level admin"),
        ("Unknown map identifier. Please use #<id> or <file>.\n\n", "traffic.map"),
        ("Unknown command: 'prepare map'.\n\n", "HAProxy 2.4 or newer"),
        ("something else\n\n", "inv doctor"),
    ],
)
def test_refusals_are_never_taken_for_success(reply: str, remedy: str) -> None:
    """Whatever HAProxy says instead of doing it is an error with its words, and a remedy where one is known."""
    with pytest.raises(Unreachable) as caught:
        replies.done("commit map @1 x\n", reply)
    assert reply.splitlines()[0] in caught.value.what
    assert remedy in caught.value.do
    for parse in (replies.entries, replies.version, replies.rows, replies.facts):
        with pytest.raises(Unreachable):
            parse(reply)
