"""Enough hosts are healthy, and all can be reached."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import memory
import pytest

from deploytasks.checklist import item_of
from deploytasks.checklist.subject import Subject
from deploytasks.errors import HostsDown
from deploytasks.ports import COLORS, Color, Health, Installed
from deploytasks.settings.base import Value
from deploytasks.settings.gates import Gates

RELEASE = memory.release()
RUNS = Installed(RELEASE.name, RELEASE.digest, RELEASE.version, running=True)


class Hosts:
    """Hosts that both colors share: some are ill, some silent."""

    def __init__(self, names: Sequence[str], ill: Collection[str] = (), silent: Collection[str] = ()) -> None:
        self.names, self.ill, self.silent = names, ill, silent
        self.found: Installed | None = RUNS
        self.asked = 0

    def hosts(self, color: Color | None = None) -> Sequence[str]:
        return self.names

    def only(self, hosts: Collection[str]) -> Hosts:
        return Hosts([name for name in self.names if name in hosts], self.ill, self.silent)

    def installed(self, color: Color) -> Installed | None:
        return self.colors()[color]

    def colors(self) -> Mapping[Color, Installed | None]:
        self.asked += 1
        down = [name for name in self.names if name in self.silent]
        if down:
            raise HostsDown(f"{len(down)} hosts do not answer: {', '.join(down)}", down)
        return dict.fromkeys(COLORS, self.found)

    def health(self, color: Color) -> Health:
        ill = [name for name in self.names if name in self.ill]
        return Health(not ill, f"{', '.join(ill)}: 500" if ill else "200", 1 - len(ill) / len(self.names))


class Fleet(Value):
    """What is said of failures."""

    max_failures: int = 0


def looked(folder: Path, fleet: Hosts, split: Sequence[Any] = (100, 0, None, None), **more: Any) -> tuple[str, str]:
    """Answer and evidence. ``aside``: hosts that were left out; ``max_failures``, ``least_healthy``: settings."""
    world = memory.world(folder)
    memory.state_of(folder).change(split=list(split))
    world._ports.sections["fleet"] = fleet  # type: ignore[attr-defined]  # those in memory
    sections = {
        **world.settings.sections,
        "fleet": Fleet(max_failures=more.get("max_failures", 0)),
        "gates": Gates(least_healthy=more.get("least_healthy")),
    }
    world.settings = replace(world.settings, sections=sections)
    world.aside = dict(more.get("aside", {}))
    item = item_of("infrastructure.targets")
    assert item is not None
    return item.look(Subject(world, None))[:2]


THREE = ("web1", "web2", "web3")


@pytest.mark.parametrize(
    ("fleet", "more", "expected"),
    [
        (Hosts(THREE), {}, ("pass", "3 of 3 hosts of blue healthy, 3 needed; all 3 hosts answer")),
        (Hosts(["web1"]), {}, ("pass", "1 of 1 host of blue healthy, 1 needed; the host answers")),
        (
            Hosts(THREE, ill=["web2"]),
            {},
            ("fail", "2 of 3 hosts of blue healthy, 3 needed; all 3 hosts answer: web2: 500"),
        ),
        (
            Hosts(THREE, ill=["web2"]),
            {"max_failures": 1},
            ("warn", "2 of 3 hosts of blue healthy, 2 needed; all 3 hosts answer: web2: 500"),
        ),
        (
            Hosts(THREE, ill=["web2"]),
            {"least_healthy": "67%"},
            ("fail", "2 of 3 hosts of blue healthy, 3 needed; all 3 hosts answer: web2: 500"),
        ),
        (
            Hosts(THREE, ill=["web2"]),
            {"least_healthy": 2},
            ("warn", "2 of 3 hosts of blue healthy, 2 needed; all 3 hosts answer: web2: 500"),
        ),
        (
            Hosts(THREE, silent=["web3"]),
            {"aside": {"web3": "disk broken"}},
            ("pass", "2 of 2 hosts of blue healthy, 2 needed; all 2 hosts answer; left out: web3 (disk broken)"),
        ),
        (
            Hosts(THREE),
            {"aside": {"web3": "disk broken"}, "least_healthy": "100%"},
            ("fail", "2 of 2 hosts of blue healthy, 3 needed; all 2 hosts answer; left out: web3 (disk broken)"),
        ),
    ],
)
def test_enough_of_the_live_color(tmp_path: Path, fleet: Hosts, more: Any, expected: tuple[str, str]) -> None:
    """All but those that may fail; or what is configured, which counts hosts that were left out as well."""
    assert expected == looked(tmp_path, fleet, **more)


def test_every_host_must_answer(tmp_path: Path) -> None:
    """Those of the idle color too, and although few would suffice: the deployment would go there."""
    found = looked(tmp_path, Hosts(THREE, silent=["web1", "web3"]), least_healthy=1)
    assert ("fail", "unreachable: 2 hosts do not answer: web1, web3") == found


def test_hosts_of_the_idle_color_alone_must_answer_too(tmp_path: Path) -> None:
    """Where each color has hosts of its own, those without users are asked as well."""

    class Apart(Hosts):
        def hosts(self, color: Color | None = None) -> Sequence[str]:
            return [name for name in self.names if color is None or name.startswith(color)]

        def installed(self, color: Color) -> Installed | None:
            return Apart(self.hosts(color), self.ill, self.silent).colors()[color]

        def only(self, hosts: Collection[str]) -> Hosts:
            return Apart([name for name in self.names if name in hosts], self.ill, self.silent)

        def health(self, color: Color) -> Health:
            return Health(True, "200", 1.0)

    names = ("blue1", "blue2", "green1", "green2")
    told = "2 of 2 hosts of blue healthy, 2 needed; all 4 hosts answer"
    assert ("pass", told) == looked(tmp_path, Apart(names))
    assert ("fail", "unreachable: 1 hosts do not answer: green2") == looked(tmp_path, Apart(names, silent=["green2"]))


def test_hosts_are_asked_once_for_all_items(tmp_path: Path) -> None:
    """Of a hundred hosts each question takes its time: the way back, the live version, enough hosts."""
    fleet = Hosts(THREE)
    world = memory.world(tmp_path)
    memory.state_of(tmp_path).change(split=[100, 0, None, None])
    world._ports.sections["fleet"] = fleet  # type: ignore[attr-defined]  # those in memory
    of = Subject(world, RELEASE)
    for name in ("infrastructure.live", "order.version", "infrastructure.targets"):
        item = item_of(name)
        assert item is not None
        assert "pass" == item.look(of).answer
    assert 1 == fleet.asked


def test_before_the_first_deployment(tmp_path: Path) -> None:
    """Nothing serves, and the hosts must answer all the same."""
    assert ("pass", "nothing is live yet; all 3 hosts answer") == looked(tmp_path, Hosts(THREE), (0, 0, None, None))
    assert "fail" == looked(tmp_path, Hosts(THREE, silent=["web1"]), (0, 0, None, None))[0]


def test_what_the_deployment_clears_up_itself(tmp_path: Path) -> None:
    """A live color that does not run is started first; a mixed split is brought home first."""
    stopped = Hosts(THREE)
    stopped.found = RUNS._replace(running=False)
    assert "pending" == looked(tmp_path, stopped)[0]
    assert "pending" == looked(tmp_path, Hosts(THREE), (50, 50, None, None))[0]


@pytest.mark.parametrize("given", ["0", "0%", "101%", "half", "-1", "1.5", True])
def test_a_number_of_hosts(given: object) -> None:
    """A share above 0 and up to 100 %, or a whole number above 0."""
    with pytest.raises(ValueError, match="least_healthy"):
        Gates.model_validate({"least_healthy": given})
