"""Releases and deploys, as Sentry's users see them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from lab.answering import page

from deploytasks.bulletins import Bulletin, Memory
from deploytasks.errors import Undeliverable, Unreachable, UsageError
from deploytasks.providers.sentry import Markers

from .conftest import GREEN, markers

if TYPE_CHECKING:
    from lab.sentry import Sentry

AT = datetime(2026, 11, 23, 10, 15, tzinfo=UTC)
NAME = "20261123-101500-ab12cd"


def bulletin(change: Any = "finished", **given: Any) -> Bulletin:
    values = {
        "number": 40,
        "at": AT + timedelta(minutes=25),
        "change": change,
        "severity": "info",
        "headline": "library 1.4.1 is live in production",
        "application": "library",
        "environment": "production",
        "deployment": NAME,
        "task": "deploy",
        "version": "1.4.1",
        "previous": "1.4.0",
        "commit": "0123456789abcdef0123456789abcdef01234567",
        "color": "green",
        "began": AT,
        "split": "green 100 %",
        **given,
    }
    return Bulletin(**values)


def told(of: Markers, about: Bulletin, memory: Memory | None = None, seconds: float = 5) -> Memory:
    sending = of.sending(about, memory or {})
    assert sending is not None
    return sending.perform(seconds)


def test_a_deployment_that_ended_well_is_a_deploy_of_its_release(lab: Sentry) -> None:
    """With its beginning and end, and the address where more is to be seen."""
    memory = told(markers(lab), bulletin(links={"run": "https://ci.example/7"}))
    assert [GREEN] == list(lab.releases)
    assert ["library"] == lab.releases[GREEN]["projects"]
    (deploy,) = lab.deploys
    assert (GREEN, NAME, "production", "https://ci.example/7") == tuple(
        deploy[key] for key in ("release", "name", "environment", "url")
    )
    assert ("2026-11-23T10:15:00Z", "2026-11-23T10:40:00Z") == (deploy["dateStarted"], deploy["dateFinished"])
    assert {"version": "1.4.1"} == memory


def test_told_twice_it_is_one_deploy(lab: Sentry) -> None:
    """Whoever told it may have died before that was noted; the release answers 208 then."""
    of = markers(lab)
    told(of, bulletin())
    told(of, bulletin())
    told(of, bulletin(deployment="20261124-080000-ffffff"))
    assert [NAME, "20261124-080000-ffffff"] == [each["name"] for each in lab.deploys]
    assert 1 == len(lab.releases)


def test_a_release_is_named_as_the_application_names_it(lab: Sentry) -> None:
    """What goes into the address of its deploys is quoted."""
    of = markers(lab, release="web #{version}+{environment}", environment="live", project=["library", "elsewhere"])
    told(of, bulletin())
    assert ["web #1.4.1+production"] == list(lab.releases)
    assert ("live", ["library", "elsewhere"]) == (lab.deploys[0]["environment"], lab.deploys[0]["projects"])


def test_the_commit_goes_along_where_sentry_knows_the_repository(lab: Sentry) -> None:
    """One that it does not know is refused, in its words; and the next attempt would be, too."""
    of = markers(lab, repository="acme/library")
    with pytest.raises(Undeliverable, match=r"400 Said: refs: Invalid repository names: acme/library"):
        told(of, bulletin())
    assert {} == lab.releases
    lab.repositories.add("acme/library")
    told(of, bulletin())
    assert [{"repository": "acme/library", "commit": bulletin().commit}] == lab.releases[GREEN]["refs"]


def test_a_rollback_is_a_deploy_of_what_is_live_again(lab: Sentry) -> None:
    """Under a name of its own, for that is what users have from then on."""
    of = markers(lab)
    memory = told(of, bulletin())
    back = bulletin("rolled-back", number=44, color="green", split="blue 100 %", at=AT + timedelta(hours=2))
    assert {"version": "1.4.0"} == told(of, back, memory)
    assert [(GREEN, NAME), ("library@1.4.0", f"{NAME}-back")] == [(e["release"], e["name"]) for e in lab.deploys]


def test_a_rollback_of_what_never_was_live_is_none(lab: Sentry) -> None:
    """The last deploy that Sentry knows of is of the release that users have still."""
    assert markers(lab).sending(bulletin("rolled-back"), {"version": "1.4.0"}) is None


@pytest.mark.parametrize(
    "about",
    [
        bulletin("started"),
        bulletin("taken-back"),
        bulletin("failed"),
        bulletin("gave-up"),
        bulletin(task="install"),
        bulletin(task="migrate", color=None),
        bulletin(task="retire"),
        bulletin(task="shift", split="blue 100 %"),
        bulletin(version=""),
        bulletin("rolled-back", previous=""),
        bulletin("maintenance-on"),
    ],
    ids=lambda about: f"{about.change} {about.task}",
)
def test_what_gives_users_no_other_release_is_no_deploy(lab: Sentry, about: Bulletin) -> None:
    """Nothing is sent."""
    assert markers(lab).sending(about, {}) is None


def test_names_fit(lab: Sentry) -> None:
    """64 characters, of the environment and of a deploy's name."""
    of = markers(lab)
    told(of, bulletin("rolled-back", deployment="d" * 80))
    assert "d" * 59 + "-back" == lab.deploys[0]["name"]


@pytest.mark.parametrize(
    ("scopes", "status"), [(("org:read",), "403 Said: You do not have permission"), ((), "403 Said")]
)
def test_a_token_that_may_not_waits_for_one_that_may(
    lab: Sentry, monkeypatch: pytest.MonkeyPatch, scopes: tuple[str, ...], status: str
) -> None:
    """Somebody mends it, and the news goes out; what is missing is said."""
    monkeypatch.setenv("SENTRY_API_TOKEN", lab.may(*scopes))
    of = markers(lab)
    with pytest.raises(Unreachable, match=status) as caught:
        told(of, bulletin())
    assert "project:releases" in caught.value.do
    assert ["fail"] == [each.state for each in of.diagnose()]
    monkeypatch.setenv("SENTRY_API_TOKEN", lab.may("org:ci"))
    told(of, bulletin())
    assert ["ok"] == [each.state for each in of.diagnose()]


def test_no_token_is_said_so(lab: Sentry, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the variable's name."""
    monkeypatch.delenv("SENTRY_API_TOKEN")
    with pytest.raises(UsageError, match="SENTRY_API_TOKEN is not set"):
        told(markers(lab), bulletin())


def test_trouble_waits_and_nothing_is_made_twice(lab: Sentry) -> None:
    """A write is not made again at once: it may have been done."""
    lab.fails = [(502, {"detail": "Internal Error"})]
    with pytest.raises(Unreachable, match="502"):
        told(markers(lab), bulletin())
    assert 1 == len(lab.asked)


def test_a_limit_is_waited_for(lab: Sentry) -> None:
    """As long as there is time; else the news waits."""
    lab.exhaust(0.3)
    told(markers(lab), bulletin())
    lab.exhaust(60)
    with pytest.raises(Unreachable, match="left alone"):
        told(markers(lab), bulletin(deployment="another"), seconds=1)
    assert 1 == len(lab.deploys)


def test_a_page_of_somebody_else_is_no_release(lab: Sentry) -> None:
    """200 and HTML: a log-in page. Nothing was made, and the news waits."""
    lab.fails = [(200, page(200, "<html>log in", "text/html"))]
    with pytest.raises(Unreachable, match="which is not JSON"):
        told(markers(lab), bulletin())
    assert {} == lab.releases


@pytest.mark.parametrize("body", ["<html>", "{}", '[{"id": 1}]', '"x"'])
def test_deploys_of_another_shape(lab: Sentry, body: str) -> None:
    """Whether it is there already cannot be known: none is made."""
    of = markers(lab)
    told(of, bulletin())
    lab.limits = False
    lab.fails = [(208, {"version": GREEN}), (200, page(200, body, "application/json"))]
    with pytest.raises(Unreachable, match="Sentry at"):
        told(of, bulletin())
    assert 1 == len(lab.deploys)


def test_the_text_says_what_goes_where(lab: Sentry) -> None:
    """For people, and without anything secret."""
    sending = markers(lab).sending(bulletin(), {})
    assert sending is not None
    assert f"Sentry: deploy {NAME} of {GREEN} to production" == sending.text
