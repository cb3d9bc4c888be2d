"""Deployments, as GitHub shows them: one for each of ours, its states, and what a rollback makes of them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from lab.answering import answering, page
from lab.github import GitHub as Hub, github

from deploytasks.bulletins import Bulletin, Change, Memory
from deploytasks.errors import Undeliverable, Unreachable, UsageError
from deploytasks.providers.github.deployments import Deployments
from deploytasks.providers.github.limits import APART, Pace
from deploytasks.providers.github.marks import LONGEST, wanted
from deploytasks.providers.site import Site
from deploytasks.settings.github import GitHubMarkerSettings
from deploytasks.settings.mistakes import check

FIRST, SECOND = "a" * 40, "b" * 40
RUN = "https://github.example/octo/library/actions/runs/7"


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """One that is asked by its rules to the end of the test."""
    with github() as found:
        monkeypatch.setenv("GITHUB_TOKEN", found.token)
        yield found
        assert [] == found.broken


class Waits:
    """Instead of sleeping: what was waited for."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)


def recipient(url: str, wait: Any = None, **given: Any) -> Deployments:
    said = {"repository": "octo/library", "url": url, "within": 20, **given}
    site = Site("library", "production", Path("/nowhere"), Path("/nowhere"), None, "ann@desk")
    return Deployments(GitHubMarkerSettings.model_validate(said), site, wait or Waits())


def news(change: Change, deployment: str = "d1", commit: str = FIRST, **more: Any) -> Bulletin:
    told: dict[str, Any] = {
        "number": 5,
        "at": datetime(2026, 11, 23, 10, 15, tzinfo=UTC),
        "change": change,
        "severity": "info",
        "headline": f"library 1.4.0 in production: {change}",
        "application": "library",
        "environment": "production",
        "protected": True,
        "deployment": deployment,
        "task": "deploy",
        "version": "1.4.0" if commit == FIRST else "1.4.1",
        "commit": commit,
        "color": "blue" if commit == FIRST else "green",
        "links": {"run": RUN},
    }
    return Bulletin(**{**told, **more})


def told(of: Deployments, memory: Memory, *bulletins: Bulletin) -> Memory:
    """What it remembers after all of them, through JSON, as the store keeps it."""
    for bulletin in bulletins:
        sending = of.sending(bulletin, memory)
        if sending is not None:
            memory = json.loads(json.dumps(dict(sending.perform(20.0))))
    return memory


def last(hub: Hub, at: int = -1) -> Mapping[str, Any]:
    found: Mapping[str, Any] = hub.deployments[at]["statuses"][-1]
    return found


# -- a deployment ----------------------------------------------------------------------------------------------------


def test_a_deployment_that_goes_well(hub: Hub) -> None:
    """Made when it begins, without the two defaults that are traps; in progress, with the run; then a success."""
    of = recipient(hub.url, environment_url="https://shop.example")
    memory = told(of, {}, news("started"))
    (made,) = hub.deployments
    body = json.loads(next(asked.body for asked in hub.asked if asked.method == "POST"))
    assert (FIRST, False, [], True) == (
        body["ref"], body["auto_merge"], body["required_contexts"], body["production_environment"],
    )  # fmt: skip
    assert {"deploytasks": "d1", "version": "1.4.0"} == made["payload"]
    assert ("in_progress", RUN, "https://shop.example") == tuple(
        last(hub)[name] for name in ("state", "log_url", "environment_url")
    )
    told(of, memory, news("finished"))
    assert [(FIRST, "success")] == hub.shown("production")


@pytest.mark.parametrize(
    ("change", "state"),
    [
        ("failed", "failure"),
        ("taken-back", "failure"),
        ("stuck", "failure"),
        ("switch-fired", "failure"),
        ("refused", "error"),
        ("gave-up", "error"),
        ("stopped", "error"),
        ("interrupted", "error"),
    ],
)
def test_how_it_ends(hub: Hub, change: Change, state: str) -> None:
    """What was judged bad has failed; what ended without a judgment is an error. The reason is told, and cut."""
    told(recipient(hub.url), {}, news("started"), news(change, why="8 of 36 requests failed; " * 20))
    assert [(FIRST, state)] == hub.shown("production")
    description = str(last(hub)["description"])
    assert len(description) in (LONGEST - 1, LONGEST)
    assert description.endswith("…")


@pytest.mark.parametrize("change", ["shifted", "held", "warned", "overridden", "maintenance-on", "backed-up"])
def test_what_changes_no_deployment_is_not_told(change: Change) -> None:
    """Nothing is sent at all."""
    assert wanted(news(change), {}) is None


@pytest.mark.parametrize("task", ["install", "migrate", "backup-database", "restore-database", "retire"])
def test_what_brings_users_nothing_is_no_deployment(task: str) -> None:
    """Not for GitHub."""
    assert wanted(news("started", task=task), {}) is None
    assert wanted(news("started", commit=""), {}) is None


def test_one_that_nobody_told_the_beginning_of(hub: Hub) -> None:
    """Its commit was not pushed yet, say: then it is made at its end."""
    hub.unknown.add(FIRST)
    of = recipient(hub.url)
    with pytest.raises(Undeliverable, match="GitHub does not know the commit aaaaaaaaaaaa"):
        told(of, {}, news("started"))
    hub.unknown.clear()
    told(of, {}, news("finished"))
    assert [(FIRST, "success")] == hub.shown("production")


def test_told_twice_there_is_one(hub: Hub) -> None:
    """Whoever told it may have died before that was noted: it is found again by its payload."""
    of = recipient(hub.url)
    told(of, {}, news("started"))
    told(of, {}, news("started"))
    assert [(FIRST, "in_progress")] == hub.shown("production")
    assert ["in_progress"] == [each["state"] for each in hub.deployments[0]["statuses"]]


def test_another_deployment_of_the_same_commit_is_another(hub: Hub) -> None:
    """Deployed again, or to another environment, or by somebody else altogether: payloads of all shapes are read."""
    hub.deployments.append(
        {"id": 1, "sha": FIRST, "ref": FIRST, "task": "deploy", "environment": "production", "payload": "not json"}
        | {"statuses": [], "production_environment": True, "transient_environment": False}
    )
    of = recipient(hub.url)
    told(of, {}, news("started", "d1"), news("finished", "d1"), news("started", "d2"), news("finished", "d2"))
    assert [(FIRST, ""), (FIRST, "inactive"), (FIRST, "success")] == hub.shown("production")


def test_one_that_goes_on_after_a_break(hub: Hub) -> None:
    """The same deployment is in progress again."""
    of = recipient(hub.url)
    told(of, {}, news("started"), news("interrupted"), news("started"), news("finished"))
    (made,) = hub.deployments
    assert ["in_progress", "error", "in_progress", "success"] == [each["state"] for each in made["statuses"]]


def test_one_that_somebody_deleted_there(hub: Hub) -> None:
    """It is made once more."""
    of = recipient(hub.url)
    memory = told(of, {}, news("started"))
    hub.deployments.clear()
    told(of, memory, news("finished"))
    assert [(FIRST, "success")] == hub.shown("production")


@pytest.mark.parametrize("protected", [True, False])
def test_one_is_live(hub: Hub, protected: bool) -> None:
    """In production GitHub leaves the old one a success: we do not. Elsewhere it sees to that by itself."""
    pair = [("started", "d1", FIRST), ("finished", "d1", FIRST), ("started", "d2", SECOND), ("finished", "d2", SECOND)]
    bulletins = [news(change, name, commit, protected=protected) for change, name, commit in pair]  # type: ignore[arg-type]  # changes
    told(recipient(hub.url), {}, *bulletins)
    assert [(FIRST, "inactive"), (SECOND, "success")] == hub.shown("production")


# -- a rollback ------------------------------------------------------------------------------------------------------


def both(of: Deployments) -> Memory:
    """Two were deployed, one after the other."""
    return told(
        of, {}, news("started"), news("finished"), news("started", "d2", SECOND), news("finished", "d2", SECOND)
    )


def back(number: int = 90, color: str = "green", deployment: str = "d2") -> Bulletin:
    return news("rolled-back", deployment, SECOND, number=number, why="carts are empty", color=color)


def test_a_rollback(hub: Hub) -> None:
    """What was left is inactive; what is live again has a deployment of its own, which says so. Twice is once."""
    of = recipient(hub.url)
    memory = both(of)
    told(of, memory, back())
    after = told(of, memory, back())
    assert [(FIRST, "inactive"), (SECOND, "inactive"), (FIRST, "success")] == hub.shown("production")
    assert ("rollback", "1.4.0 is live again: carts are empty") == (
        hub.deployments[-1]["task"],
        last(hub)["description"],
    )
    again = news("rolled-back", "d1", FIRST, number=95, color="blue", why="it was the cache")
    told(of, after, again)
    assert [(FIRST, "inactive"), (SECOND, "success")] == hub.shown("production")[-2:]


def test_a_rollback_of_one_that_goes_on(hub: Hub) -> None:
    """It has failed, by whose hand is told; what its deployer says afterwards adds nothing. What was live still is."""
    of = recipient(hub.url)
    memory = told(of, {}, news("started"), news("finished"), news("started", "d2", SECOND))
    told(of, memory, back(), news("stopped", "d2", SECOND))
    assert [(FIRST, "success"), (SECOND, "failure")] == hub.shown("production")


def test_a_rollback_to_what_is_not_known_here(hub: Hub) -> None:
    """Nothing is made up."""
    of = recipient(hub.url)
    told(of, told(of, {}, news("started"), news("finished")), back(deployment="d1", color="blue"))
    assert [(FIRST, "inactive")] == hub.shown("production")
    assert wanted(back(), {}) is None
    assert wanted(back(color="blue"), both(of)) is None  # another color was left than the one that was told as live


# -- what cannot be told ---------------------------------------------------------------------------------------------


def test_a_merge_instead_of_a_deployment(monkeypatch: pytest.MonkeyPatch) -> None:
    """202 has no deployment in it, and is no success."""
    monkeypatch.setenv("GITHUB_TOKEN", "a-token-of-its-own")
    merged = page(202, json.dumps({"message": "Auto-merged main into topic on deployment."}), "application/json")
    with (
        answering(lambda asked: [] if asked.method == "GET" else merged) as lab,
        pytest.raises(Undeliverable, match="made no deployment: Auto-merged main"),
    ):
        told(recipient(lab.url), {}, news("started"))


@pytest.mark.parametrize("status", [409, 422])
def test_what_would_be_refused_again(status: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """It does not wait."""
    monkeypatch.setenv("GITHUB_TOKEN", "a-token-of-its-own")
    refused = page(status, json.dumps({"message": "Conflict"}), "application/json")
    with (
        answering(lambda asked: [] if asked.method == "GET" else refused) as lab,
        pytest.raises(Undeliverable, match=f"{status}: Conflict"),
    ):
        told(recipient(lab.url), {}, news("started"))


def test_what_can_be_mended_waits(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """A token that is wrong, not there, or may not write; a repository that is not seen; limits; trouble."""
    of = recipient(hub.url)
    for token in ("wrong", hub.may(metadata="read", deployments="read"), hub.may(metadata="read")):
        monkeypatch.setenv("GITHUB_TOKEN", token)
        with pytest.raises(Unreachable, match="GITHUB_TOKEN"):
            told(of, {}, news("started"))
    monkeypatch.delenv("GITHUB_TOKEN")
    with pytest.raises(Unreachable, match="GITHUB_TOKEN is not set"):
        told(of, {}, news("started"))
    monkeypatch.setenv("GITHUB_TOKEN", hub.token)
    with pytest.raises(Unreachable, match=r"does not show deployments in octo/other.*404"):
        told(recipient(hub.url, repository="octo/other"), {}, news("started"))
    hub.slow_down(after=60)
    with pytest.raises(Unreachable, match="left alone"):
        told(of, {}, news("started"))
    hub.fail(502)
    with pytest.raises(Unreachable, match="502"):
        told(of, {}, news("started"))
    assert [] == hub.deployments


def test_an_address_that_says_nothing_is_a_mistake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Which repository is not guessed, and which setting it is about is said."""
    monkeypatch.setenv("GITHUB_TOKEN", "a-token-of-its-own")
    site = Site("library", "production", tmp_path, tmp_path, None, "ann@desk")
    sending = Deployments(GitHubMarkerSettings(), site).sending(news("started"), {})
    assert sending is not None
    with pytest.raises(UsageError, match=r"markers\.repository"):
        sending.perform(5.0)


@pytest.mark.parametrize("odd", [[{}], [1], {"a": 1}, "text", [{"id": "x", "payload": {"deploytasks": "d1"}}]])
def test_another_shape_is_no_answer(odd: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Named as what it is; and nothing is made because of it."""
    monkeypatch.setenv("GITHUB_TOKEN", "a-token-of-its-own")
    with answering(lambda _: odd) as lab, pytest.raises(Unreachable, match="something else than"):
        told(recipient(lab.url), {}, news("started"))


# -- limits ----------------------------------------------------------------------------------------------------------


def test_writes_are_a_second_apart(hub: Hub) -> None:
    """Also those of two bulletins in a row."""
    waits = Waits()
    told(recipient(hub.url, waits), {}, news("started"), news("finished"))
    assert 2 == len(waits.seconds)
    assert all(0.8 * APART < seconds <= APART for seconds in waits.seconds)


def test_the_lab_counts_the_seconds(hub: Hub) -> None:
    """Two writes at once stand in what it has to complain about."""
    hub.least_apart = 1.0
    told(recipient(hub.url), {}, news("started"))
    assert 1 == len(hub.broken)
    hub.broken.clear()


def test_pace() -> None:
    """Nothing to wait for before the first, and none where so much time went by."""
    now = [10.0]
    pace = Pace(lambda: now[0])
    found = [pace.left()]
    pace.wrote()
    for at in (10.25, 11.0, 12.0):
        now[0] = at
        found.append(pace.left())
    assert [0.0, 0.75, 0.0, 0.0] == found


def test_no_time_for_another_write(hub: Hub) -> None:
    """It waits in the outbox; what was made is found again."""
    of = recipient(hub.url)
    sending = of.sending(news("started"), {})
    assert sending is not None
    with pytest.raises(Unreachable, match="no time left"):
        sending.perform(0.5)
    told(of, {}, news("started"))
    assert [(FIRST, "in_progress")] == hub.shown("production")


# -- doctor and settings ---------------------------------------------------------------------------------------------


def test_doctor(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """It writes nothing to find out."""
    (finding,) = recipient(hub.url).diagnose()
    assert ("markers: github", "ok") == finding[:2]
    monkeypatch.setenv("GITHUB_TOKEN", hub.may(metadata="read"))
    (finding,) = recipient(hub.url).diagnose()
    assert ("fail", "give it deployments=read") == (finding.state, finding.do)
    assert {"GET"} == {asked.method for asked in hub.asked}


@pytest.mark.parametrize(
    "given",
    [
        {"environment_url": "https://ann:s3cr3t@shop.example"},
        {"environment_url": "shop.example"},
        {"url": "http://github.example/api/v3"},
        {"within": "40s"},
    ],
)
def test_wrong_settings_are_refused(given: dict[str, Any]) -> None:
    """And what may be a secret is not repeated."""
    mistakes: list[str] = []
    assert check(GitHubMarkerSettings, given, "it", mistakes) is None
    assert mistakes
    assert "s3cr3t" not in "; ".join(mistakes)
