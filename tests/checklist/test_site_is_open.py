"""The site is open, or nothing is deployed: what visitors get while it is closed says nothing about a release."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import memory
import pytest

from deploytasks import plans
from deploytasks.checklist.infrastructure import SITE_IS_OPEN
from deploytasks.checklist.subject import Subject
from deploytasks.errors import GateRefused, Unreachable
from deploytasks.operations.carrying_out import carry_out
from deploytasks.ports import Call, Finding, Notice
from deploytasks.providers.maintenances import Maintenances
from deploytasks.settings.envoy_maintenance import MaintenanceSettings as EnvoyMaintenance
from deploytasks.settings.redis import MaintenanceSettings as RedisMaintenance
from deploytasks.settings.several import Several

NOTICE = Notice("We move house.", 60, datetime(2026, 11, 23, 10, 15, tzinfo=UTC), "ann@desk")


class Place:
    """Closed, open, or silent."""

    def __init__(self, notice: Notice | None = None, silent: str = "") -> None:
        self._notice, self._silent = notice, silent

    def read(self) -> Notice | None:
        if self._silent:
            raise Unreachable(self._silent)
        return self._notice

    def write(self, notice: Notice | None) -> Call:
        raise NotImplementedError

    def diagnose(self) -> Sequence[Finding]:
        return ()


def world(folder: Path, **places: Place) -> memory.TestWorld:
    """A world that is closed by these places, by their kinds."""
    of = {"redis": RedisMaintenance(url="redis://a"), "envoy": EnvoyMaintenance()}
    made = memory.world(folder)
    settings = Several(parts=tuple(of[kind] for kind in places)) if len(places) > 1 else of[next(iter(places))]
    made.settings = replace(made.settings, sections={**made.settings.sections, "maintenance": settings})
    port = (
        Maintenances([(of[kind], place) for kind, place in places.items()])
        if len(places) > 1
        else next(iter(places.values()))
    )
    made._ports.sections["maintenance"] = port  # type: ignore[attr-defined]  # those in memory
    assert isinstance(made, memory.TestWorld)
    return made


def down(made: memory.TestWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """A balancer that a first deployment starts."""
    monkeypatch.setattr(made.traffic, "prepare", lambda: [[Call("start it", lambda timeout: None)]])


def test_without_a_page_it_does_not_apply(tmp_path: Path) -> None:
    """Where nobody can close the site, nobody has."""
    assert SITE_IS_OPEN.look(Subject(memory.world(tmp_path), None)).answer == "not applicable"


@pytest.mark.parametrize(
    ("places", "answer", "evidence"),
    [
        ({"redis": Place()}, "pass", "maintenance is off"),
        ({"redis": Place(NOTICE)}, "fail", "closed by ann@desk since 2026-11-23 10:15 UTC: We move house."),
        ({"redis": Place(NOTICE._replace(message=""))}, "fail", "no reason is given"),
        ({"redis": Place(silent="refused")}, "fail", "unreachable: refused"),
        ({"redis": Place(), "envoy": Place(NOTICE)}, "fail", "closed by ann@desk"),
        ({"redis": Place(), "envoy": Place(silent="down")}, "fail", "unreachable: down"),
    ],
)
def test_closed_or_not(tmp_path: Path, places: dict[str, Place], answer: str, evidence: str) -> None:
    """Any place closes, and one that does not answer may; who, since when, why and how to open is said."""
    found = SITE_IS_OPEN.look(Subject(world(tmp_path, **places), None))
    assert (found.answer, evidence in found.evidence) == (answer, True)


def test_a_balancer_that_is_not_started_yet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A first deployment starts the balancer, and looks then; but a flag that does not answer is no such thing."""
    for places, answer in (
        ({"envoy": Place(silent="down")}, "pending"),
        ({"redis": Place(), "envoy": Place(silent="down")}, "pending"),
        ({"redis": Place(silent="refused")}, "fail"),
        ({"redis": Place(NOTICE), "envoy": Place(silent="down")}, "fail"),
    ):
        made = world(tmp_path, **places)
        down(made, monkeypatch)
        assert SITE_IS_OPEN.look(Subject(made, None)).answer == answer


def test_a_deployment_to_a_closed_site_is_refused(tmp_path: Path) -> None:
    """Under the lease the gate looks once more; nothing was installed then, and no traffic moved."""
    made = world(tmp_path, redis=Place(NOTICE))
    with pytest.raises(GateRefused, match=r"infrastructure\.open: closed by ann@desk since 2026"):
        carry_out(made, partial(plans.deploy, release=memory.release()), task="deploy")
    assert made.fleet.installed("blue") is None
    assert made.ledger.head().standing.recent[-1].outcome == "refused"
