"""Marks of deployments in New Relic's graphs."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from lab.answering import Raw, answering, page
from lab.newrelic import NewRelic, newrelic

from deploytasks.bulletins import Bulletin, Memory, Sending
from deploytasks.errors import Undeliverable, Unreachable, UsageError
from deploytasks.providers.newrelic import Markers, graph
from deploytasks.providers.site import Site
from deploytasks.settings.mistakes import check
from deploytasks.settings.newrelic import NewRelicMarkerSettings

NOW = datetime(2026, 11, 23, 10, 15, tzinfo=UTC)
DONE = Bulletin(
    number=42,
    at=NOW - timedelta(minutes=3),
    change="finished",
    severity="info",
    headline="library 1.5.0 is live in production",
    application="library",
    environment="production",
    deployment="20261123-101500-ab12cd",
    task="deploy",
    version="1.5.0",
    previous="1.4.0",
    commit="0f3c",
    color="green",
    who="ann@desk",
    notes="- Faster",
    links={"run": "https://ci.example/7"},
)
BACK = DONE._replace(number=43, change="rolled-back", headline="library went back to 1.4.0", why="too slow")


@pytest.fixture
def relic(monkeypatch: pytest.MonkeyPatch) -> Iterator[NewRelic]:
    """One that knows the application, and whose contract holds at the end."""
    monkeypatch.setattr(graph, "PAUSE", 0.001)
    with newrelic() as lab:
        lab.now = NOW.timestamp
        lab.entity("Shop")
        monkeypatch.setenv("NEW_RELIC_API_KEY", lab.key)
        yield lab
    assert [] == lab.broken


def markers(url: str, **given: Any) -> Markers:
    what = given if {"app", "apps", "entity"} & given.keys() else {"app": "Shop", **given}
    folder = Path("/nowhere")
    site = Site("library", "production", folder, folder, None, "ann@desk")
    settings = NewRelicMarkerSettings.model_validate({"account": 1234567, "url": url, **what})
    return Markers(settings, site, lambda: NOW)


def sending(of: Markers, bulletin: Bulletin, memory: Memory | None = None) -> Sending:
    found = of.sending(bulletin, memory or {})
    assert found is not None
    return found


def test_a_deployment_is_marked(relic: NewRelic) -> None:
    """As an event of change tracking, with all that is known, at the time at which it happened."""
    found = sending(markers(relic.url), DONE)
    assert "mark a deployment of 1.5.0 at New Relic (Shop)" == found.text
    assert [] == relic.asked
    assert {"marked": 42} == found.perform(5)
    (event,) = relic.events
    about = {"version": "1.5.0", "commit": "0f3c", "changelog": "- Faster", "deepLink": "https://ci.example/7"}
    assert {
        "categoryFields": {"deployment": about},
        "kind": {"category": "deployment", "type": "Blue Green"},
    } == event["categoryAndTypeData"]
    assert ("ann@desk", "20261123-101500-ab12cd") == (event["user"], event["groupId"])
    assert "library 1.5.0 is live in production" == event["description"]
    assert round((NOW.timestamp() - 180) * 1000) == event["timestamp"]
    assert "Shop" == event["entity"]["name"]


@pytest.mark.parametrize("change", ["rolled-back", "taken-back", "switch-fired"])
def test_the_way_back_is_marked(relic: NewRelic, change: Any) -> None:
    """As one more deployment, of the version that users have again; its commit is another one."""
    found = sending(markers(relic.url), BACK._replace(change=change))
    assert "mark the way back to 1.4.0 at New Relic (Shop)" == found.text
    found.perform(5)
    (event,) = relic.events
    about = {"version": "1.4.0", "deepLink": "https://ci.example/7"}
    assert about == event["categoryAndTypeData"]["categoryFields"]["deployment"]
    assert "library went back to 1.4.0\ntoo slow" == event["description"]


@pytest.mark.parametrize("change", ["started", "shifted", "held", "refused", "failed", "backed-up", "maintenance-on"])
def test_what_changes_nothing_for_users_is_not_marked(change: Any) -> None:
    """Nor the end of a task that brings them nothing."""
    of = markers("https://relic.example")
    assert of.sending(DONE._replace(change=change), {}) is None
    assert of.sending(DONE._replace(task="migrate"), {}) is None
    assert of.sending(DONE._replace(version=""), {}) is None


def test_nothing_is_marked_twice(relic: NewRelic) -> None:
    """There is no key by which New Relic would know it again: it is remembered what was marked."""
    memory = sending(markers(relic.url), DONE, {"other": 1}).perform(5)
    assert {"other": 1, "marked": 42} == memory
    assert markers(relic.url).sending(DONE, memory) is None
    assert markers(relic.url).sending(BACK, memory) is not None


def test_a_mark_that_waited_for_days(relic: NewRelic) -> None:
    """New Relic takes no time that is more than a day away: it is marked now, and says when it was."""
    sending(markers(relic.url), DONE._replace(at=NOW - timedelta(hours=23))).perform(5)
    sending(markers(relic.url), DONE._replace(at=NOW - timedelta(days=3))).perform(5)
    recent, old = relic.events
    assert "timestamp" in recent
    assert "timestamp" not in old
    assert "2026-11-20 10:15:00 UTC: library 1.5.0 is live in production" == old["description"]


def test_an_account_without_events_gets_the_older_marker(relic: NewRelic) -> None:
    """They were a preview for long."""
    relic.has_events = False
    assert {"marked": 42} == sending(markers(relic.url), DONE).perform(5)
    assert [] == relic.events
    (made,) = relic.deployments
    assert (relic.entities[0]["guid"], "1.5.0", "BLUE_GREEN") == tuple(
        made[name] for name in ("entityGuid", "version", "deploymentType")
    )
    assert "20261123-101500-ab12cd" == made["groupId"]


def test_both_colors_are_marked_where_each_has_a_name(relic: NewRelic) -> None:
    """In one request: traffic moved between them."""
    for color in ("blue", "green"):
        relic.entity(f"Shop ({color})")
    sending(markers(relic.url, apps={"blue": "Shop (blue)", "green": "Shop (green)"}), DONE).perform(5)
    assert ["Shop (blue)", "Shop (green)"] == [each["entity"]["name"] for each in relic.events]


def test_the_entity_is_exactly_that_of_the_name(relic: NewRelic) -> None:
    """A search finds what is spelled alike, what is in other accounts, and what is gone."""
    relic.entity("Shop-")
    relic.entity("shop")
    relic.entity("Shop", reporting=False)
    relic.entity("Shop", account=7)
    sending(markers(relic.url), DONE).perform(5)
    assert [relic.entities[0]["guid"]] == [each["entity"]["guid"] for each in relic.events]


def test_a_name_that_is_not_that_of_one(relic: NewRelic) -> None:
    """The mark waits until that is mended; a GUID says it."""
    second = relic.entity("Shop")
    with pytest.raises(UsageError, match="has 2 entities called 'Shop'"):
        sending(markers(relic.url), DONE).perform(5)
    with pytest.raises(Unreachable, match="has no entity called 'Library'"):
        sending(markers(relic.url, app="Library"), DONE).perform(5)
    sending(markers(relic.url, entity=second), DONE).perform(5)
    assert [second] == [each["entity"]["guid"] for each in relic.events]


def test_what_is_refused_in_both_ways_is_not_sent_again(relic: NewRelic) -> None:
    """Understood and refused: whoever waits behind it must not wait for ever."""
    with pytest.raises(Undeliverable, match="matched 0 entities"):
        sending(markers(relic.url, entity="MXxBUE18QVBQTElDQVRJT058nope"), DONE).perform(5)


@pytest.mark.parametrize("trouble", [["TIMEOUT"], ["SERVER_ERROR"], [500], [403], [429], ["TOO_MANY_REQUESTS"] * 3])
def test_what_passes_waits(relic: NewRelic, trouble: list[str | int]) -> None:
    """It is sent again later; not at once where it may have been done already."""
    relic.retry_after = "60"
    guid = relic.entities[0]["guid"]
    relic.trouble = list(trouble)
    found = sending(markers(relic.url, entity=guid), DONE)
    with pytest.raises(Unreachable):
        found.perform(5)
    assert [] == relic.trouble
    assert {"marked": 42} == found.perform(5)
    assert 1 == len(relic.events)


def test_a_wrong_key_waits(relic: NewRelic, monkeypatch: pytest.MonkeyPatch) -> None:
    """Until it is mended; and no message has it."""
    monkeypatch.setenv("NEW_RELIC_API_KEY", "NRAK-SECRETSECRETSECRETSECRET")
    with pytest.raises(Unreachable, match="does not know the key") as error:
        sending(markers(relic.url), DONE).perform(5)
    assert "SECRET" not in str(error.value)
    monkeypatch.delenv("NEW_RELIC_API_KEY")
    with pytest.raises(UsageError, match="NEW_RELIC_API_KEY"):
        sending(markers(relic.url), DONE).perform(5)


@pytest.mark.parametrize(
    "answer",
    [
        {"data": {"actor": {"entitySearch": None}}},
        {"data": {"actor": {"entitySearch": {"results": {"entities": [{}]}}}}},
        {"data": []},
        page(200, "<html>", "text/html"),
        Raw(),
    ],
)
def test_other_shapes_wait(answer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever answers there."""
    monkeypatch.setenv("NEW_RELIC_API_KEY", "NRAK-0123456789")
    with answering(lambda _: answer) as lab, pytest.raises(Unreachable, match="New Relic"):
        sending(markers(lab.url), DONE).perform(5)


def test_doctor_finds_what_would_be_marked(relic: NewRelic) -> None:
    """Without marking anything."""
    assert [("ok", "Shop: 1 entity")] == [each[1:3] for each in markers(relic.url).diagnose()]
    assert ["fail"] == [each.state for each in markers(relic.url, app="Library").diagnose()]
    assert [] == relic.events


@pytest.mark.parametrize("given", [{}, {"app": "S", "entity": "MXxBUE18QVBQ"}, {"app": "S'"}, {"entity": "x' OR"}])
def test_wrong_settings_are_refused(given: dict[str, Any]) -> None:
    """One thing is marked, and nothing that no search takes."""
    mistakes: list[str] = []
    assert check(NewRelicMarkerSettings, {"account": 7, **given}, "it", mistakes) is None
    assert mistakes
