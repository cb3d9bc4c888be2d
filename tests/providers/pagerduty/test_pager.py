"""Deployments as events of PagerDuty: incidents that are opened and resolved, and changes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from lab.answering import Raw, page
from lab.news import bulletin
from lab.pagerduty import PagerDuty, pagerduty
from lab.pagerduty_api import said

from deploytasks.bulletins import Bulletin, Change, Memory
from deploytasks.errors import DeployError, Undeliverable, Unreachable, UsageError
from deploytasks.providers.pagerduty import Incidents, Pager
from deploytasks.providers.site import Site
from deploytasks.settings.mistakes import check
from deploytasks.settings.pagerduty import PagerDutyAlertSettings, PagerDutySettings

KEY = "deploy/library/production/20261123-101500-ab12cd"
LIVE = "blue 0 % / green 100 %"
SITE = Site("library", "production", Path("/nowhere"), Path("/nowhere"), None, "ann@desk")


@pytest.fixture
def lab(monkeypatch: pytest.MonkeyPatch) -> Iterator[PagerDuty]:
    with pagerduty() as made:
        monkeypatch.setenv("PAGERDUTY_ROUTING_KEY", made.routing_key)
        monkeypatch.setenv("PAGERDUTY_API_TOKEN", made.token)
        yield made


def pager(lab: PagerDuty, **given: Any) -> Pager:
    return Pager(PagerDutySettings.model_validate({"url": lab.url, "within": 2, **given}), SITE)


def tell(to: Pager, *news: Bulletin, memory: Memory | None = None) -> Memory:
    """What it remembers after these; each round through JSON, as the store keeps it."""
    known: Memory = memory or {}
    for each in news:
        sending = to.sending(each, known)
        known = json.loads(json.dumps(sending.perform(5.0))) if sending else known
    return known


TAKEN_BACK = bulletin("taken-back", "error", 7, why="8 of 36 requests failed", numbers=(("errors", "22.2 %"),), code=4)
FINISHED = bulletin("finished", "info", 9, deployment="20261123-120000-ef34ab", version="1.4.2", split=LIVE)


# -- incidents -------------------------------------------------------------------------------------------------------


def test_what_was_taken_back_opens_an_incident(lab: PagerDuty) -> None:
    """With all that whoever is on call has to know, and where to look."""
    memory = tell(pager(lab), TAKEN_BACK)
    (event,) = lab.events
    payload = event["payload"]
    assert ("trigger", KEY, "error") == (event["event_action"], event["dedup_key"], payload["severity"])
    assert "library 1.4.1 in production: taken-back: 8 of 36 requests failed" == payload["summary"]
    assert "library/production" == payload["source"]
    details = payload["custom_details"]
    assert ("1.4.1", "1.4.0", "ann@desk", "22.2 %", "4") == tuple(
        details[name] for name in ("version", "previous", "who", "errors", "exit code")
    )
    assert ["Run in CI", "Errors in Sentry"] == [link["text"] for link in event["links"]]
    assert {KEY: "taken-back"} == memory["open"]
    assert [True] == [incident.is_open for incident in lab.incidents]
    assert [] == lab.broken


@pytest.mark.parametrize(
    ("change", "severity", "given", "expected"),
    [
        ("taken-back", "error", {}, "error"),
        ("taken-back", "warning", {}, "warning"),
        ("switch-fired", "error", {}, "error"),
        ("switch-fired", "detail", {}, None),
        ("taken-back", "warning", {"severity": "error"}, None),
        ("taken-back", "error", {"rolled_back": "critical"}, "critical"),
        ("taken-back", "error", {"opens": []}, None),
        ("gave-up", "warning", {}, None),
        ("gave-up", "warning", {"opens": ["gave-up"]}, "warning"),
        ("stuck", "critical", {}, "critical"),
        ("stuck", "error", {"opens": [], "rolled_back": "info"}, "critical"),
        ("switch-failed", "critical", {}, "critical"),
        ("failed", "error", {}, None),
        ("started", "info", {"severity": "info"}, None),
    ],
)
def test_how_severe_it_is(
    lab: PagerDuty, change: Change, severity: Any, given: dict[str, Any], expected: str | None
) -> None:
    """An automatic rollback as the environment is; a way back that failed is critical everywhere; what people know
    already opens nothing."""
    tell(pager(lab, **given), bulletin(change, severity, 7))
    assert ([expected] if expected else []) == [event["payload"]["severity"] for event in lab.events]
    assert [] == lab.broken


def test_the_next_success_resolves_all_that_is_open(lab: PagerDuty) -> None:
    """Of this environment, whichever deployments opened it; nothing is left to remember."""
    other = bulletin("stuck", "critical", 8, deployment="20261123-110000-cd12ef")
    memory = tell(pager(lab), TAKEN_BACK, other, FINISHED)
    assert [False, False] == [incident.is_open for incident in lab.incidents]
    assert {} == memory["open"]
    assert [] == lab.broken


@pytest.mark.parametrize(
    "success",
    [
        bulletin("finished", "info", 9, task="migrate"),
        bulletin("finished", "detail", 9, task="install"),
        bulletin("finished", "info", 9, task="shift", split="blue 100 % / green 0 %"),
        bulletin("rolled-back", "warning", 9),
        bulletin("refused", "warning", 9),
    ],
    ids=["a migration", "a piece", "a share that was tried", "by a person", "refused"],
)
def test_not_everything_that_ends_mends_it(lab: PagerDuty, success: Bulletin) -> None:
    """Only a release that is live does."""
    tell(pager(lab), TAKEN_BACK, success)
    assert [True] == [incident.is_open for incident in lab.incidents]


def test_a_person_who_takes_traffic_home_mends_what_they_had_to_do(lab: PagerDuty) -> None:
    """The way back that failed is completed. That the release was bad stays true."""
    stuck = bulletin("stuck", "critical", 8, deployment="20261123-110000-cd12ef")
    memory = tell(pager(lab), TAKEN_BACK, stuck, bulletin("rolled-back", "warning", 9))
    assert [True, False] == [incident.is_open for incident in lab.incidents]
    assert {KEY: "taken-back"} == memory["open"]


def test_twice_is_once(lab: PagerDuty) -> None:
    """Whoever told it may die before that is noted: another process says all of it again. The incident has a key; a
    change event has none, and could be seen twice only then."""
    tell(pager(lab), TAKEN_BACK)
    memory = tell(pager(lab), TAKEN_BACK)
    assert 1 == len(lab.incidents)
    tell(pager(lab), FINISHED, memory=memory)
    tell(pager(lab), FINISHED, memory=memory)
    assert [False] == [incident.is_open for incident in lab.incidents]
    assert [] == lab.broken


def test_what_is_open_is_not_endless(lab: PagerDuty) -> None:
    """A page of memory, whatever happens."""
    to, memory = (
        pager(lab, changes=False),
        {"open": {f"deploy/library/production/{n}": "taken-back" for n in range(60)}},
    )
    left = tell(to, TAKEN_BACK, memory=memory)
    assert isinstance(left["open"], dict)
    assert (50, KEY) == (len(left["open"]), list(left["open"])[-1])


def test_our_own_incident_judges_no_deployment(lab: PagerDuty) -> None:
    """What this message opened is met again as an alert, and is known."""
    tell(pager(lab), TAKEN_BACK)
    settings = PagerDutyAlertSettings.model_validate({"url": lab.url, "services": lab.service})
    (alert,) = Incidents(settings, SITE).firing()
    assert "our own" == alert.severity  # type: ignore[union-attr]  # an alert
    (elsewhere,) = Incidents(settings, SITE._replace(environment="staging")).firing()
    assert "critical" == elsewhere.severity  # type: ignore[union-attr]  # an alert


# -- changes ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "severity", "is_told"),
    [
        ("finished", "info", True),
        ("finished", "detail", False),
        ("taken-back", "error", True),
        ("rolled-back", "warning", True),
        ("switch-fired", "error", True),
        ("gave-up", "warning", True),
        ("restored", "warning", True),
        ("stuck", "critical", False),
        ("refused", "warning", False),
        ("started", "info", False),
        ("backed-up", "info", False),
    ],
)
def test_what_is_a_change(lab: PagerDuty, change: Change, severity: Any, *, is_told: bool) -> None:
    """Every deployment that ended well, and every rollback."""
    tell(pager(lab), bulletin(change, severity, 7, split=LIVE))
    assert is_told == bool(lab.changes)
    assert [] == lab.broken


def test_a_change_says_what_changed(lab: PagerDuty) -> None:
    """Version, who, links; once."""
    to = pager(lab)
    memory = tell(to, FINISHED)
    tell(to, FINISHED, memory=memory)
    (change,) = lab.changes
    assert "library 1.4.1 in production: finished" == change["payload"]["summary"]
    assert "1.4.2" == change["payload"]["custom_details"]["version"]
    assert "2026-11-23T10:15:00.000+00:00" == change["payload"]["timestamp"]
    assert 2 == len(change["links"])
    assert 9 == memory["changed"]


def test_no_changes_for_rulesets_nor_where_nobody_wants_them(lab: PagerDuty, monkeypatch: pytest.MonkeyPatch) -> None:
    """A ruleset's key begins with R, and takes none."""
    tell(pager(lab, changes=False), TAKEN_BACK, FINISHED)
    monkeypatch.setenv("PAGERDUTY_ROUTING_KEY", "R0ULESET4764012d7bfb002500d5d1a6")
    tell(pager(lab), TAKEN_BACK, FINISHED)
    assert [] == lab.changes
    assert [] == lab.broken


# -- limits and trouble ----------------------------------------------------------------------------------------------


def test_whatever_is_said_stays_within_the_limits(lab: PagerDuty) -> None:
    """Long reasons are cut, odd addresses left out; names without end make a key that fits."""
    long = bulletin(
        "taken-back", "error", 7, headline="x" * 900, why="ü\n" * 5000, who="w" * 9000, environment="e" * 300,
        numbers=tuple((f"metric {n}", "9" * 9000) for n in range(99)),
        links={"run": "https://ci.example/1", "odd": "javascript:alert(1)"},
    )  # fmt: skip
    tell(pager(lab), long)
    assert [] == lab.broken
    (event,) = lab.events
    assert "https://ci.example/1" == event["client_url"]
    assert ["run"] == [link["text"] for link in event["links"]]


@pytest.mark.parametrize(
    ("raw", "expected", "told"),
    [
        (
            said(400, {"status": "invalid event", "message": "Bad", "errors": ["x is wrong"]}),
            Undeliverable,
            "x is wrong",
        ),
        (said(429, {"status": "throttle exceeded", "message": "too fast"}), Unreachable, "429"),
        (said(429, {"status": "throttle exceeded"}, **{"Retry-After": "30"}), Unreachable, "429"),
        (said(500, {}), Unreachable, "500"),
        (said(403, {"message": "no"}), Unreachable, "403"),
        (said(202, {"status": "odd"}), Unreachable, "did not say that it took the event"),
        (said(200, {"status": "success"}), Unreachable, "did not say that it took the event"),
        (page(200, "<html>", "text/html"), Unreachable, "not JSON"),
        (page(202, "[5]", "application/json"), Unreachable, "did not say"),
        (Raw(hang=True), Unreachable, "no whole answer within"),
        (Raw(), Unreachable, "PagerDuty at http"),
    ],
    ids=["400", "429", "429 later", "500", "403", "odd", "200", "html", "shape", "hangs", "hangs up"],
)
def test_what_goes_wrong(lab: PagerDuty, raw: Raw, expected: type[DeployError], told: str) -> None:
    """What was refused is refused again; all else has to wait. The key is in none of it."""
    lab.trouble = lambda asked: raw
    sending = pager(lab, within=0.5).sending(TAKEN_BACK, {})
    assert sending is not None
    with pytest.raises(expected, match=told) as caught:
        sending.perform(0.5)
    assert lab.routing_key not in f"{caught.value} {caught.value.do} {sending.text}"


@pytest.mark.parametrize("value", ["", "e93facc0", "https://events.pagerduty.com/integration/e93facc04764/enqueue"])
def test_what_is_no_key(lab: PagerDuty, monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    """It waits until that is mended."""
    monkeypatch.setenv("PAGERDUTY_ROUTING_KEY", value)
    with pytest.raises(UsageError, match="PAGERDUTY_ROUTING_KEY"):
        tell(pager(lab), TAKEN_BACK)
    assert [] == lab.asked


def test_a_change_that_has_to_wait_opens_nothing_twice(lab: PagerDuty) -> None:
    """The incident is there, and may be resolved by a person meanwhile: only the change is sent again."""
    to = pager(lab)
    lab.trouble = lambda asked: said(503, {}) if "change" in asked.path else None
    with pytest.raises(Unreachable):
        tell(to, TAKEN_BACK)
    lab.resolve(lab.incidents[0])
    lab.trouble = None
    memory = tell(to, TAKEN_BACK)
    assert (1, 1) == (len(lab.incidents), len(lab.changes))
    assert {KEY: "taken-back"} == memory["open"]


def test_what_was_taken_is_remembered_whatever_was_refused(lab: PagerDuty) -> None:
    """A refused change leaves the incident known, to be resolved later."""
    lab.trouble = lambda asked: said(400, {"errors": ["no"]}) if "change" in asked.path else None
    to = pager(lab)
    memory = tell(to, TAKEN_BACK)
    assert {KEY: "taken-back"} == memory["open"]
    tell(to, FINISHED, memory=memory)
    assert [False] == [incident.is_open for incident in lab.incidents]


def test_memory_of_another_version(lab: PagerDuty) -> None:
    """What cannot be read is nothing."""
    tell(pager(lab), FINISHED, memory={"open": ["a"], "changed": "x"})
    assert ([], 1) == (lab.events, len(lab.changes))


def test_the_doctor_asks_without_telling_anybody(lab: PagerDuty, monkeypatch: pytest.MonkeyPatch) -> None:
    """It resolves what is never open. A key that is refused is named."""
    assert ["ok"] == [finding.state for finding in pager(lab).diagnose()]
    assert [] == lab.incidents
    assert [] == lab.broken
    monkeypatch.setenv("PAGERDUTY_ROUTING_KEY", "f" * 32)
    (finding,) = pager(lab).diagnose()
    assert ("fail", True) == (finding.state, "Invalid routing key" in finding.detail)


@pytest.mark.parametrize(
    "given",
    [{"opens": ["stuck"]}, {"rolled_back": "detail"}, {"url": "http://events.pagerduty.com"}, {"services": "P"}],
)
def test_wrong_settings_are_refused(given: dict[str, Any]) -> None:
    """A way back that failed always opens an incident; the key goes over TLS alone."""
    mistakes: list[str] = []
    assert check(PagerDutySettings, given, "it", mistakes) is None
    assert mistakes
