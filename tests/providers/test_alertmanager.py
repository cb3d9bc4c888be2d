"""What fires of this service, as Alertmanager tells it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from lab.answering import Raw, answering, page, took
from lab.prometheus import Exporter, Server, alertmanager, exporters, job, prometheus, until

from deploytasks.ports import Alert, NoData
from deploytasks.providers.alertmanager import Alertmanager, quoted
from deploytasks.providers.site import Site
from deploytasks.settings.alertmanager import AlertmanagerSettings
from deploytasks.settings.mistakes import check

NOW = datetime(2026, 11, 23, 10, 15, tzinfo=UTC)


def alerts(url: Any, **given: Any) -> Alertmanager:
    said = {"url": url, "match": {"service": "library"}, "within": 1, **given}
    folder = Path("/nowhere")
    site = Site("library", "test", folder, folder, None, "ann@desk")
    return Alertmanager(AlertmanagerSettings.model_validate(said), site)


def entry(name: str = "Down", severity: str | None = "critical", minutes: int = 0, **notes: str) -> dict[str, Any]:
    """An alert as API v2 gives it."""
    labels = {"alertname": name, "service": "library", **({"severity": severity} if severity else {})}
    since = (NOW + timedelta(minutes=minutes)).isoformat().replace("+00:00", "Z")
    return {"labels": labels, "annotations": notes, "startsAt": since, "status": {"state": "active"}}


def firing(*entries: Any, **given: Any) -> list[Alert]:
    with answering(lambda _: list(entries)) as lab:
        found = alerts(lab.url, **given).firing()
    assert not isinstance(found, NoData), found.why
    return list(found)


def why(found: object) -> str:
    assert isinstance(found, NoData)
    return found.why


# -- the API ---------------------------------------------------------------------------------------------------------


def test_an_alert_is_understood() -> None:
    """Name, severity, since when, and one line of summary."""
    assert [Alert("Down", "critical", NOW, "no primary")] == firing(entry(summary="no\nprimary", description="x"))
    assert [Alert("Down", "critical", NOW, "more of it")] == firing(entry(description="more of it"))
    assert [] == firing()


@pytest.mark.parametrize(
    ("said", "severity"),
    [("critical", "critical"), ("Page", "critical"), ("warning", "warning"), (None, "other"), ("", "other")],
)
def test_what_is_critical_is_configured(said: str | None, severity: str) -> None:
    """By default `critical` and `page`; an alert that does not say how bad it is only warns."""
    assert severity == firing(entry(severity=said))[0].severity


def test_a_severity_that_is_called_critical_and_is_not_configured_to_be() -> None:
    """Where only pages count, nothing else takes a release back, whatever it is called."""
    assert ["critical", "other"] == [each.severity for each in firing(entry("A", "p1"), entry("B"), critical=["p1"])]


def test_another_label_may_say_how_bad_it_is() -> None:
    """`severity: level`."""
    found = entry()
    found["labels"]["level"] = "page"
    assert "critical" == firing(found, severity="level")[0].severity


def test_several_of_one_name_are_one_since_the_newest() -> None:
    """One instance has been down since yesterday, another one since now: it is the new one that matters."""
    found = firing(entry(minutes=-600, summary="old"), entry(minutes=2, summary="new"), entry("Slow", "warning"))
    assert [
        Alert("Down", "critical", NOW + timedelta(minutes=2), "new (and 1 more)"),
        Alert("Slow", "warning", NOW, ""),
    ] == found


def test_it_asks_for_this_service_and_for_what_would_be_told() -> None:
    """Every label that must match, its value quoted; neither silenced nor inhibited."""
    with answering(lambda _: []) as lab:
        alerts(f"{lab.url}/am/", match={"service": 'li"b', "team": "a\\b"}).firing()
        (asked,) = lab.asked
    assert "/am/api/v2/alerts" == asked.path
    assert ['service="li\\"b"', 'team="a\\\\b"'] == asked.query["filter"]
    assert (["true"], ["false"], ["false"]) == tuple(asked.query[name] for name in ("active", "silenced", "inhibited"))
    assert '"one\\ntwo"' == quoted("one\ntwo")


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"status": "success", "data": []},
        [1],
        [{}],
        [{"labels": {}, "startsAt": "yesterday"}],
        [{"labels": {}, "startsAt": "2026-11-23T10:15:00"}],
        5,
        [{"labels": 5, "startsAt": "2026-11-23T10:15:00Z"}],
    ],
)
def test_something_else_than_alerts_is_no_data(answer: Any) -> None:
    """Version 1 of the API, another service: nothing is taken for silence. An empty object is no empty list."""
    with answering(lambda _: answer) as lab:
        assert "something else than alerts" in why(alerts(lab.url).firing())


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (page(400, '"bad matcher format: x"', "application/json"), "answered 400 Said: bad matcher format: x"),
        (page(503, "upstream"), "answered 503 Said: upstream"),
        (page(200, "<html>", "text/html"), "is not JSON"),
        (Raw(hang=True), "no whole answer within 1 s"),
    ],
    ids=["400", "503", "html", "hangs"],
)
def test_no_answer_is_no_data(raw: Raw, said: str) -> None:
    """An alert that could not be asked for is not an alert that does not fire."""
    with answering(lambda _: raw) as lab:
        assert said in why(alerts(lab.url).firing())
        assert ["fail"] == [finding.state for finding in alerts(lab.url).diagnose()]


def test_of_a_cluster_any_that_answers_counts() -> None:
    """One is gone, one hangs: the third one is asked in time."""
    with answering(lambda _: Raw(hang=True)) as silent, answering(lambda _: [entry()]) as lab:
        found = alerts(["http://127.0.0.1:9", silent.url, lab.url])
        seen: list[object] = []
        assert took(lambda: seen.append(found.firing())) < 1.5
    assert [[Alert("Down", "critical", NOW, "")]] == seen


def test_a_cluster_of_which_nobody_answers() -> None:
    """All of them are named."""
    found = why(alerts(["http://127.0.0.1:9", "http://127.0.0.1:10"]).firing())
    assert "127.0.0.1:9:" in found
    assert "127.0.0.1:10:" in found


def test_a_heartbeat_that_stops_is_no_data() -> None:
    """Nothing fires, not even what always should: no alert would come through."""
    beats: list[Any] = []
    with answering(lambda asked: beats if asked.query["filter"] == ['alertname="Watchdog"'] else []) as lab:
        found = alerts(lab.url, heartbeat="Watchdog")
        assert "Watchdog does not fire, which always should" in why(found.firing())
        beats.append(entry("Watchdog", "none"))
        assert [] == found.firing()


def test_doctor_tells_what_fires_and_of_a_wrong_clock() -> None:
    """What fires before a deployment deserves a look; and `since` is only as good as the clock."""
    behind = format_datetime(datetime.now(UTC) - timedelta(minutes=2), usegmt=True)
    answers = iter([page(200, "[]", "application/json"), page(200, "[]", "application/json", Date=behind)])
    with answering(lambda _: next(answers)) as lab:
        assert [("ok", "nothing with service=library fires")] == [each[1:3] for each in alerts(lab.url).diagnose()]
        found = alerts(lab.url).diagnose()
        assert ["ok", "warn"] == [each.state for each in found]
        assert "120 s behind ours" in found[1].detail or "119 s behind ours" in found[1].detail
        lab.say = lambda _: [entry()]
        assert [("warn", "firing: Down (critical)")] == [each[1:3] for each in alerts(lab.url).diagnose()]


@pytest.mark.parametrize(
    "given", [{}, {"url": "http://a"}, {"url": [], "match": {"a": "b"}}, {"url": "http://a", "match": {}}]
)
def test_wrong_settings_are_refused(given: dict[str, Any]) -> None:
    """Without labels every alert of every service would take this one back."""
    mistakes: list[str] = []
    assert check(AlertmanagerSettings, given, "it", mistakes) is None
    assert mistakes


# -- a real one ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Exporter, Server]]:
    """An application that may be bad, a rule about it, and an Alertmanager that is told."""
    folder = tmp_path_factory.mktemp("alerts")
    rule = {
        "alert": "Bad",
        "expr": "bad > 0",
        "labels": {"severity": "page", "service": "library"},
        "annotations": {"summary": "{{ $value }} are bad"},
    }
    with exporters(1) as (application,), alertmanager(folder / "alertmanager") as told:
        application.text = "bad 0\n"
        jobs = [job("library", application.target)]
        with prometheus(folder / "prometheus", jobs, rules=[rule], alertmanagers=[f"127.0.0.1:{told.port}"]):
            until(lambda: application.scrapes)
            yield application, told


def test_from_a_rule_of_prometheus_to_an_alert_that_rolls_back(house: tuple[Exporter, Server]) -> None:
    """The application turns bad, the rule fires, Alertmanager is told, and we hear it: critical, and since when."""
    application, told = house
    found = alerts(told.url, within=5)
    assert [] == found.firing()
    before = datetime.now(UTC)
    application.text = "bad 3\n"
    (alert,) = until(lambda: known(found))
    assert ("Bad", "critical", "3 are bad") == (alert.name, alert.severity, alert.summary)
    assert before < alert.since <= datetime.now(UTC)
    assert [] == alerts(told.url, match={"service": "shop"}).firing()
    told.kill()
    assert "refused" in why(found.firing())


def known(found: Alertmanager) -> list[Alert]:
    firing = found.firing()
    assert not isinstance(firing, NoData), firing.why
    return list(firing)
