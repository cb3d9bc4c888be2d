"""PagerDuty on both sides of a deployment: its incidents judge, and what becomes of the deployment is told to it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import memory
import pytest
import stories
from lab.pagerduty import PagerDuty, pagerduty

from deploytasks import plans
from deploytasks.errors import GateRefused, TakenBack
from deploytasks.operations.carrying_out import carry_out
from deploytasks.operations.signing import record
from deploytasks.operations.telling import Telling
from deploytasks.providers.alert_sources import AlertSources
from deploytasks.providers.pagerduty import Incidents, Pager
from deploytasks.settings.alerts import AlertFileSettings
from deploytasks.settings.pagerduty import PagerDutyAlertSettings, PagerDutySettings
from deploytasks.world import World

BEFORE = memory.BEGINNING - timedelta(hours=1)


@pytest.fixture
def lab(monkeypatch: pytest.MonkeyPatch) -> Iterator[PagerDuty]:
    with pagerduty() as made:
        monkeypatch.setenv("PAGERDUTY_API_TOKEN", made.token)
        monkeypatch.setenv("PAGERDUTY_ROUTING_KEY", made.routing_key)
        yield made


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """1.0.0 is live."""
    stories.deploy(stories.world(tmp_path), "1.0.0")
    return tmp_path


def deploy(folder: Path, lab: PagerDuty, version: str, kind: type[memory.TestWorld] = memory.TestWorld) -> None:
    """Through its gate, and told to the end, however it ends."""
    world = memory.world(folder, kind=kind, **stories.SHORT)
    asked = PagerDutyAlertSettings(services=(lab.service,), url=lab.url)
    file = memory.FakeAlerts(memory.state_of(folder))
    alerts = AlertSources([(asked, Incidents(asked, world.site)), (AlertFileSettings(path="a.json"), file)])
    ports: Any = world._ports
    ports.sections["alerts"] = alerts
    ports.sections["messages"] = {"pagerduty": Pager(PagerDutySettings(url=lab.url), world.site)}
    telling = Telling(world)
    world.listeners = (*world.listeners, telling)
    try:
        carry_out(world, partial(plans.deploy, release=memory.release(version)), task="deploy")
    finally:
        assert {} == telling.finish(20.0)


def test_an_incident_takes_a_release_back_and_the_next_one_mends_it(folder: Path, lab: PagerDuty) -> None:
    """A monitor opens an incident during the rollout: back, and whoever is on call hears of it. Once the monitor is
    content, the incident that we opened ourselves does not stand in the way of the release that resolves it."""

    def on_fire(world: World) -> None:
        if not lab.incidents:
            lab.open_incident("checkout fails", at=world.clock.now())

    with pytest.raises(TakenBack, match=r"alert pagerduty: incident #1234: critical, .*: checkout fails https://"):
        deploy(folder, lab, "1.1.0", stories.when("shifted", on_fire))
    assert 100 == stories.split(folder).blue
    theirs, ours = lab.incidents
    assert "library 1.1.0 in test was taken back" in ours.title
    lab.resolve(theirs)
    assert ours.is_open
    deploy(folder, lab, "1.1.1")
    assert 100 == stories.split(folder).green
    assert [] == lab.open
    assert ["finished", "taken-back", "finished"] == [
        change["payload"]["custom_details"]["what"] for change in lab.changes
    ]
    assert [] == lab.broken


def test_one_that_was_open_before_needs_an_override(folder: Path, lab: PagerDuty) -> None:
    """The gate lists it; with an override the release goes out in spite of it."""
    lab.open_incident("the mail server is down", at=BEFORE)
    with pytest.raises(GateRefused, match=r"monitoring\.alerts: firing: pagerduty: incident #1234"):
        deploy(folder, lab, "1.1.0")
    world = memory.world(folder)
    record(world, "override", "monitoring.alerts", memory.release("1.1.0").commit, "it sends no mail")
    deploy(folder, lab, "1.1.0")
    assert 100 == stories.split(folder).green
    assert [True] == [incident.is_open for incident in lab.incidents]
    assert [] == lab.broken
