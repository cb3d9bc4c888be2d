"""Open incidents of PagerDuty, as alerts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from lab.answering import Raw, page
from lab.pagerduty import Alert as Made, PagerDuty, pagerduty
from lab.pagerduty_api import said

from deploytasks.ports import Alert, NoData
from deploytasks.providers.pagerduty import Incidents, service
from deploytasks.providers.pagerduty.keys import dedup_key, prefix
from deploytasks.providers.site import Site
from deploytasks.settings.mistakes import check
from deploytasks.settings.pagerduty import PagerDutyAlertSettings

AT = datetime(2026, 11, 23, 10, 15, tzinfo=UTC)
SINCE = AT.replace(microsecond=999_999)
OURS = "deploy/library/production/20261123-101500-ab12cd"


@pytest.fixture
def lab(monkeypatch: pytest.MonkeyPatch) -> Iterator[PagerDuty]:
    with pagerduty() as made:
        monkeypatch.setenv("PAGERDUTY_API_TOKEN", made.token)
        monkeypatch.setattr(service, "AGAIN", 0.01)
        yield made


def incidents(lab: PagerDuty, **given: Any) -> Incidents:
    values = {"services": lab.service, "url": lab.url, "within": 2, **given}
    folder = Path("/nowhere")
    site = Site("library", "production", folder, folder, None, "ann@desk")
    return Incidents(PagerDutyAlertSettings.model_validate(values), site)


def firing(lab: PagerDuty, **given: Any) -> list[Alert]:
    found = incidents(lab, **given).firing()
    assert not isinstance(found, NoData), found.why
    return list(found)


def why(found: object) -> str:
    assert isinstance(found, NoData)
    assert "AyB2cD3eF4" not in found.why
    return found.why


# -- what is open ----------------------------------------------------------------------------------------------------


def test_an_incident_is_an_alert(lab: PagerDuty) -> None:
    """Its number, since when it is open, its title and where it is shown. What was resolved is not asked for."""
    lab.open_incident("The server\nis on fire", at=AT)
    lab.resolve(lab.open_incident("It was"))
    address = "https://octo.pagerduty.com/incidents/Q0000000001234"
    expected = [Alert("incident #1234", "critical", SINCE, f"The server is on fire {address}")]
    assert expected == firing(lab)
    assert [] == lab.broken


def test_who_is_looked_after_is_still_in_trouble(lab: PagerDuty) -> None:
    """An acknowledged incident is open."""
    lab.open_incident("The server is on fire").status = "acknowledged"
    assert ["critical"] == [alert.severity for alert in firing(lab)]


def test_low_urgency_warns(lab: PagerDuty) -> None:
    """Nobody is got out of bed for it; where it is configured, it counts all the same."""
    lab.open_incident("The disk fills up", "low")
    assert ["low"] == [alert.severity for alert in firing(lab)]
    assert ["critical"] == [alert.severity for alert in firing(lab, critical=["high", "low"])]


def test_an_account_without_urgencies(lab: PagerDuty) -> None:
    """It has no such filter, which would be refused: it is not used. All of its incidents are critical."""
    lab.has_urgencies = False
    lab.open_incident("The disk fills up", "low")
    assert ["critical"] == [alert.severity for alert in firing(lab)]
    assert [] == lab.broken


def test_of_these_services_alone(lab: PagerDuty) -> None:
    """One id, or several."""
    lab.open_incident("Ours")
    lab.open_incident("The shop's", service="PSHOP01")
    assert [True] == [alert.summary.startswith("Ours") for alert in firing(lab)]
    assert 2 == len(firing(lab, services=[lab.service, "PSHOP01"]))


def test_whatever_is_open_for_long_is_open(lab: PagerDuty) -> None:
    """By itself it would look one month back."""
    lab.open_incident("Since spring", at=AT - timedelta(days=200))
    assert ["incident #1234"] == [alert.name for alert in firing(lab)]


def test_page_after_page(lab: PagerDuty) -> None:
    """The oldest first, whatever came first."""
    for minute in range(205):
        lab.open_incident("again", at=AT - timedelta(minutes=minute))
    found = firing(lab)
    assert (205, sorted(found, key=lambda alert: alert.since)) == (len(found), found)
    assert ["0", "100", "200"] == [one.query["offset"][0] for one in lab.asked if one.path == "/incidents"]
    assert [] == lab.broken


def test_more_than_it_lists(lab: PagerDuty) -> None:
    """Beyond 10,000 nothing is known: that is no answer, and no endless question either."""
    whole = {"incidents": [], "limit": 100, "offset": 0, "more": True}
    lab.trouble = lambda asked: whole if asked.path == "/incidents" else None
    assert "more than 10000 open incidents" in why(incidents(lab, within=20).firing())
    assert 100 == sum(asked.path == "/incidents" for asked in lab.asked)


def test_a_service_that_is_not_there(lab: PagerDuty) -> None:
    """For a wrong id nothing would ever be open: that is found out at the first look, and only then."""
    assert "knows no service PWR0NG1" in why(incidents(lab, services=["PWR0NG1"]).firing())
    found = incidents(lab)
    found.firing()
    found.firing()
    asked = [one.path for one in lab.asked if one.path == f"/services/{lab.service}"]
    assert 1 == len(asked)


def test_a_key_that_may_not_read_services_is_believed(lab: PagerDuty) -> None:
    """A scoped one needs no more than incidents."""
    lab.tokens[lab.token] = frozenset(("incidents",))
    assert [] == firing(lab)


# -- our own ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("makes_alerts", [True, False], ids=["with alerts", "incidents only"])
def test_what_a_deployment_of_ours_opened_judges_nobody(lab: PagerDuty, *, makes_alerts: bool) -> None:
    """The next deployment mends it. It is told, and no more; its key is in its alert, or in itself."""
    lab.makes_alerts = makes_alerts
    lab.take(event(OURS), lab.service)
    lab.take(event("deploy/library/staging/20261123-101500-ab12cd"), lab.service)
    assert ["our own", "critical"] == [alert.severity for alert in firing(lab)]
    assert [] == lab.broken


def event(key: str) -> dict[str, Any]:
    payload = {"summary": "library was taken back", "source": "library", "severity": "error"}
    return {"event_action": "trigger", "dedup_key": key, "payload": payload}


def test_one_that_holds_more_than_ours_counts(lab: PagerDuty) -> None:
    """Alerts may be grouped: somebody else's in our incident is somebody else's trouble, as long as that lasts."""
    lab.take(event(OURS), lab.service)
    (incident,) = lab.incidents
    found = incidents(lab)
    assert ["our own"] == severities(found)
    incident.alerts.append(Made("A2", "disk", "critical"))
    assert ["critical"] == severities(found)
    incident.alerts[1].status = "resolved"
    assert ["our own"] == severities(found)


def severities(found: Incidents) -> list[str]:
    said = found.firing()
    assert not isinstance(said, NoData), said.why
    return [alert.severity for alert in said]


def test_its_alerts_are_asked_for_once(lab: PagerDuty) -> None:
    """And not at all, where there are none. An incident that a person opened has none."""
    lab.take(event(OURS), lab.service)
    lab.open_incident("by hand")
    found = incidents(lab)
    for _ in range(3):
        assert ["our own", "critical"] == severities(found)
    assert 1 == sum(one.path.endswith("/alerts") for one in lab.asked)


def test_many_are_not_all_asked_for(lab: PagerDuty) -> None:
    """In one look twenty; who is not known to be ours counts until the next ones."""
    for number in range(25):
        lab.take(event(f"{OURS}{number}"), lab.service)
    found = incidents(lab)
    first = severities(found)
    assert (20, 5) == tuple(first.count(each) for each in ("our own", "critical"))
    assert ["our own"] * 25 == severities(found)


@pytest.mark.parametrize("status", [403, 404, 500])
def test_what_cannot_be_found_out_counts(lab: PagerDuty, status: int) -> None:
    """An incident is open: that is known."""
    lab.take(event(OURS), lab.service)
    lab.trouble = lambda asked: said(status, {}) if asked.path.endswith("/alerts") else None
    found = incidents(lab, within=5)
    assert ["critical"] == severities(found)
    lab.trouble = None
    assert ["our own"] == severities(found)


def test_keys_are_never_too_long() -> None:
    """Of names without end too; and no environment's key begins as that of another one."""
    assert OURS == dedup_key("library", "production", "20261123-101500-ab12cd")
    long = dedup_key("l" * 200, "p" * 200, "20261123-101500-ab12cd")
    assert len(long) <= 255
    assert long.startswith(prefix("l" * 200, "p" * 200))
    assert prefix("l" * 200, "p" * 200) != prefix("l" * 200, "q" * 200)


# -- trouble ---------------------------------------------------------------------------------------------------------


def test_a_limit_is_waited_for(lab: PagerDuty) -> None:
    """As long as it says: seconds, and no point in time. Where it says nothing, a little."""
    lab.limit("/incidents", reset=1)
    assert [] == firing(lab, within=4)
    lab.limit("/incidents")
    assert [] == firing(lab, within=4)


def test_a_limit_that_lasts_too_long(lab: PagerDuty) -> None:
    """A look is bounded: that is no data, and says for how long."""
    lab.limit("/incidents", reset=50)
    assert "wants to be left alone (429: Rate Limit Exceeded)" in why(incidents(lab).firing())


def test_trouble_of_their_own_that_passes(lab: PagerDuty) -> None:
    """One answer of 502 is asked again."""
    lab.limit("/incidents", status=502)
    assert [] == firing(lab)


def test_a_wrong_key(lab: PagerDuty, monkeypatch: pytest.MonkeyPatch) -> None:
    """Their words, not the key; and where none is set, which variable."""
    monkeypatch.setenv("PAGERDUTY_API_TOKEN", "u+AyB2cD3eF4-revoked")
    assert "answered 401 Said: Unauthorized" in why(incidents(lab).firing())
    monkeypatch.delenv("PAGERDUTY_API_TOKEN")
    assert "PAGERDUTY_API_TOKEN" in why(incidents(lab).firing())


@pytest.mark.parametrize(
    "answer",
    [
        [],
        {},
        {"incidents": None, "more": False},
        {"incidents": []},
        {"incidents": [{}], "more": False},
        {"incidents": [5], "more": False},
        {"incidents": [{"id": "Q1", "incident_number": 1, "created_at": "yesterday"}], "more": False},
        {"incidents": [{"id": "Q1", "incident_number": 1, "created_at": "2026-11-23T10:15:00"}], "more": False},
        {"incidents": [{"id": "Q1", "incident_number": "one", "created_at": "2026-11-23T10:15:00Z"}], "more": False},
        {"incidents": [{"incident_number": 1, "created_at": "2026-11-23T10:15:00Z"}], "more": False},
    ],
)
def test_something_else_than_incidents_is_no_data(lab: PagerDuty, answer: Any) -> None:
    """Nothing is taken for silence."""
    lab.trouble = lambda asked: answer if asked.path == "/incidents" else None
    assert "something else than incidents" in why(incidents(lab).firing())


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        (page(200, "<html>", "text/html"), "is not JSON"),
        (page(503, "<html>", "text/html"), "answered 503"),
        (said(400, {"error": {"message": "Invalid Input", "code": 2001, "errors": ["no"]}}), "Invalid Input; no"),
        (
            said(400, {"error": {"message": "Invalid", "errors": {"limit": ["is wrong"]}}}),
            "Invalid; limit ['is wrong']",
        ),
        (said(400, {"error": "odd"}), "400 Said: odd"),
        (said(400, ["odd"]), "answered 400"),
        (Raw(hang=True), "no whole answer within 1 s"),
        (Raw(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"), "PagerDuty at http"),
    ],
    ids=["html", "503", "400", "400 by field", "400 text", "400 list", "hangs", "cut off"],
)
def test_no_answer_is_no_data(lab: PagerDuty, raw: Raw, told: str) -> None:
    """Whatever goes wrong is named."""
    lab.trouble = lambda asked: raw
    found = incidents(lab, within=1)
    assert told in why(found.firing())
    assert ["fail"] == [finding.state for finding in found.diagnose()]


def test_the_doctor_tells_what_is_open_and_of_a_wrong_clock(lab: PagerDuty) -> None:
    """`since` is only as good as the clocks."""
    found = incidents(lab)
    assert [("ok", "no incident of PIJ90N7 is open")] == [each[1:3] for each in found.diagnose()]
    lab.open_incident("The server is on fire")
    assert [("warn", "open: incident #1234 (critical)")] == [each[1:3] for each in found.diagnose()]
    behind = format_datetime(datetime.now(UTC) - timedelta(minutes=2), usegmt=True)
    raw = page(200, '{"incidents": [], "more": false}', "application/json", Date=behind)
    lab.trouble = lambda asked: raw if asked.path == "/incidents" else None
    assert ["ok", "warn"] == [each.state for each in found.diagnose()]
    assert "s behind ours" in found.diagnose()[1].detail


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"services": []},
        {"services": "https://octo.pagerduty.com/service-directory/PIJ90N7"},
        {"services": "PIJ90N7", "url": "http://api.pagerduty.com"},
        {"services": "PIJ90N7", "critical": []},
        {"services": "PIJ90N7", "critical": ["p1"]},
        {"services": "PIJ90N7", "token_from": "u+AyB2cD3eF4gH5iJ6kL"},
    ],
)
def test_wrong_settings_are_refused(given: dict[str, Any]) -> None:
    """No services, an address for an id, a token over plain HTTP, a secret for its variable."""
    mistakes: list[str] = []
    assert check(PagerDutyAlertSettings, given, "it", mistakes) is None
    assert mistakes
    assert not any("AyB2cD3eF4" in mistake for mistake in mistakes)
