"""Several places that close a site: all are written or none, and one that is closed closes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from deploytasks.errors import Unreachable, WayBackFailed
from deploytasks.ports import Call, Finding, Notice
from deploytasks.providers import open_provider
from deploytasks.providers.maintenances import Maintenances, diagnosed
from deploytasks.providers.site import Site
from deploytasks.settings.envoy import TrafficSettings
from deploytasks.settings.envoy_maintenance import MaintenanceSettings as EnvoyMaintenance
from deploytasks.settings.haproxy import MaintenanceSettings as HAProxyMaintenance
from deploytasks.settings.redis import MaintenanceSettings as RedisMaintenance
from deploytasks.settings.several import Several

NOTICE = Notice("Soon.", 60, datetime(2026, 11, 23, 10, 15, tzinfo=UTC), "ann@desk")
OLDER = NOTICE._replace(message="Later.", who="bob@desk")


class Place:
    """One place, in memory; it fails when told to."""

    def __init__(self, log: list[str], name: str, notice: Notice | None = None) -> None:
        self.notice, self.fails, self.fails_from, self.dead = notice, "", 0, False
        self._log, self._name = log, name
        self.writes = 0

    def read(self) -> Notice | None:
        if self.dead:
            raise Unreachable(f"{self._name} does not answer")
        return self.notice

    def write(self, notice: Notice | None) -> Call:
        def perform(timeout: float) -> None:
            self.writes += 1
            self._log.append(f"{self._name} {'open' if notice is None else notice.message}")
            if self.dead or (self.fails and self.writes > self.fails_from):
                raise Unreachable(self.fails or "dead", do="mend it")
            self.notice = notice

        return Call(f"{self._name}: {notice.message if notice else 'open'}", perform)

    def diagnose(self) -> Sequence[Finding]:
        return diagnosed(self._name, self)


@pytest.fixture
def log() -> list[str]:
    return []


@pytest.fixture
def places(log: list[str]) -> tuple[Place, Place, Place]:
    return Place(log, "flag"), Place(log, "near"), Place(log, "far")


@pytest.fixture
def joined(places: tuple[Place, Place, Place]) -> Maintenances:
    redis, haproxy = RedisMaintenance(url="redis://a"), HAProxyMaintenance()
    return Maintenances([(redis, places[0]), (haproxy, places[1]), (haproxy, places[2])])


def test_all_are_written_in_their_order(joined: Maintenances, places: tuple[Place, ...], log: list[str]) -> None:
    """One call writes all, and its text says each."""
    call = joined.write(NOTICE)
    assert (call.text, log) == ("flag: Soon.; then near: Soon.; then far: Soon.", [])
    call.perform(5)
    assert ([place.notice for place in places], joined.read()) == ([NOTICE] * 3, NOTICE)
    joined.write(None).perform(5)
    assert ([place.notice for place in places], joined.read()) == ([None] * 3, None)
    assert log == ["flag Soon.", "near Soon.", "far Soon.", "flag open", "near open", "far open"]


@pytest.mark.parametrize("before", [None, OLDER])
def test_when_one_fails_the_others_go_back(
    joined: Maintenances, places: tuple[Place, ...], before: Notice | None
) -> None:
    """The site is then as it was before, closed with the notice from before or open; and what failed is said."""
    for place in places:
        place.notice = before
    places[1].fails = "no room"
    with pytest.raises((Unreachable, WayBackFailed), match="haproxy 1: no room") as caught:
        joined.write(NOTICE).perform(5)
    assert [place.notice for place in places] == [before] * 3
    assert (caught.value.do, places[2].writes) == ("mend it", 0)


def test_who_does_not_answer_is_asked_first(joined: Maintenances, places: tuple[Place, ...], log: list[str]) -> None:
    """When one is known to be dead, it is tried before anything else is touched: users see no flicker."""
    places[2].dead = True
    with pytest.raises(Unreachable, match="haproxy 2"):
        joined.write(NOTICE).perform(5)
    assert log == ["far Soon."]


def test_one_that_cannot_go_back_is_for_a_person(joined: Maintenances, places: tuple[Place, ...]) -> None:
    """When a place took the notice and does not take it back, code 8 names it."""
    places[0].fails, places[0].fails_from = "dead now", 1
    places[2].fails = "no room"
    with pytest.raises(WayBackFailed, match="haproxy 2: no room") as caught:
        joined.write(NOTICE).perform(5)
    assert "redis: dead now" in caught.value.state
    assert [place.notice for place in places] == [NOTICE, None, None]


def test_closed_is_what_any_closes(joined: Maintenances, places: tuple[Place, ...]) -> None:
    """One notice is enough, though another place does not answer; without one, nobody knows."""
    places[0].dead = True
    with pytest.raises(Unreachable, match="flag does not answer"):
        joined.read()
    places[2].notice = NOTICE
    assert joined.read() == NOTICE


def test_disagreement_is_told(joined: Maintenances, places: tuple[Place, ...]) -> None:
    """Who says what, when not all say the same; and the doctor says how to mend it."""
    assert joined.disagreement() == ""
    assert [finding.state for finding in joined.diagnose()] == ["ok"] * 3
    places[0].notice = NOTICE
    places[2].dead = True
    said = "redis is closed, haproxy 1 is open, haproxy 2 does not say (far does not answer)"
    assert joined.disagreement() == said
    assert [finding.state for finding in joined.diagnose()] == ["ok", "ok", "fail", "warn"]
    assert (said in joined.diagnose()[3].detail, "maintenance-mode" in joined.diagnose()[3].do) == (True, True)


def test_a_list_of_sections_opens_as_one(tmp_path: Path) -> None:
    """What the settings have as a list is one port, and each part finds its own settings."""
    several = Several(parts=(RedisMaintenance(url="redis://127.0.0.1:1"), EnvoyMaintenance(message="Soon.")))
    site = Site(
        "a",
        "b",
        tmp_path,
        tmp_path / ".deploy",
        None,
        "ann@desk",
        {"traffic": TrafficSettings(), "maintenance": several},
    )
    opened = open_provider("maintenance", several, site)
    assert isinstance(opened, Maintenances)
    assert [text.split()[0] for text in opened.write(None).text.split("; then ")] == ["redis", "envoy"]
