"""The embedded default, watched and told of by services elsewhere: Sentry, New Relic, PagerDuty, Slack, GitHub."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from journeys.environment import NAME
from journeys.shown import typed
from journeys.traffic import users
from journeys.watched import Watched, watched
from lab.slack import Message, write_album


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Watched]:
    """A project in which nothing was deployed yet."""
    with watched(tmp_path / "library") as made:
        yield made


def test_the_whole_way(place: Watched) -> None:
    """A first release and a second one come out and are marked; a broken one is taken back because Sentry says so, and
    the pager goes off until the next good one; an incident refuses a deployment until somebody accepts it, and a new
    one takes a release back; what happens while everybody elsewhere is down is told later, in its order."""
    labs, said = place.labs, []

    def inv(*arguments: str, code: int = 0) -> str:
        done = place.inv(*arguments)
        said.append(done.said)
        assert done.code == code, done.said
        return done.said

    with users(place):
        place.release("1.4.0", "Loans have a due date")
        inv("deploy")
        place.release("1.5.0", "Search by author", "Pages are cached for a minute")
        inv("deploy")
        assert place.live() == "green"
        assert labs.pagerduty.open == []

        place.release("1.6.0", "Faster search", faults={"errors": 0.5})
        assert "sentry" in inv("deploy", code=4)
        assert place.live() == "green"
        [opened] = labs.pagerduty.open
        assert "library 1.6.0 in development was taken back: errors of sentry" in opened.title

        place.release("1.6.1", "Search no longer fails")
        inv("deploy")
        assert place.live() == "blue"
        assert labs.pagerduty.open == []

        before = labs.pagerduty.open_incident("The database is slow", at=datetime.now(UTC) - timedelta(minutes=5))
        place.release("1.7.0", "Readers may extend a loan")
        assert before.title in inv("deploy", code=3)
        _type(place, said, "docs/pagerduty.md", "Open before, and accepted")
        inv("deploy")
        labs.pagerduty.resolve(before)
        assert place.live() == "green"

        _an_outage(place, said, inv)
        _type(place, said, "docs/sentry.md", "In invoke.yaml")
        _an_incident_during_a_rollout(place, said)
    inv("history", "--verify")
    _is_told_whole(place)
    assert labs.broken == []
    _has_kept_its_secrets(place, said)


def _type(place: Watched, said: list[str], page: str, heading: str) -> None:
    """The commands of a page."""
    said += [done.said for done in typed(place, page, heading, instead={"production": NAME})]


def _an_incident_during_a_rollout(place: Watched, said: list[str]) -> None:
    place.configure(stages=[50, 100], watch="20s")
    place.release("1.7.1", "Smaller pages")
    running = place.start("deploy")
    place.until_at(running, "50 %")
    incident = place.labs.pagerduty.open_incident("Checkout is down")
    assert running.wait() == 4, running.said
    said.append(running.said)
    assert incident.title in running.said
    assert place.live() == "blue"
    place.labs.pagerduty.resolve(incident)
    place.configure()


def _an_outage(place: Watched, said: list[str], inv: Callable[..., str]) -> None:
    """Back and forth while nobody can be told; then all of it, in its order, and each once."""
    labs = place.labs
    place.outage = True
    place.configure()
    before = len(labs.slack.messages)
    inv("rollback", "--reason", "nobody hears of it yet", "--no-watch")
    assert place.live() == "blue"
    inv("maintenance-mode", "enable", "--message", "Back in a moment.")
    inv("maintenance-mode", "disable")
    assert before == len(labs.slack.messages)
    waiting = inv("status")
    assert "slack" in waiting

    place.outage = False
    place.configure()
    _type(place, said, "docs/messages.md", "When nobody answers")
    told = place.told()[before:]
    assert 3 == len(told), told
    for text, words in zip(told, ("rolled back", "closed", "open again"), strict=True):
        assert words in text, told
    inv("notify-deployment", "--flush")
    assert before + 3 == len(labs.slack.messages)
    _type(place, said, "docs/messages.md", "By hand")
    assert before + 4 == len(labs.slack.messages)


def _is_told_whole(place: Watched) -> None:
    """Each of those elsewhere has what belongs there."""
    labs, versions = place.labs, ("1.4.0", "1.5.0", "1.6.1", "1.7.0")
    assert {f"library@{version}" for version in versions} <= set(labs.sentry.releases)
    assert len(versions) <= len(labs.sentry.deploys)
    assert len(versions) <= len(labs.newrelic.events)
    assert len(versions) <= len(labs.pagerduty.changes)
    assert len(labs.hub.deployments) >= len(versions)
    if album := os.environ.get("SLACK_ALBUM"):
        _keep(place, Path(album))


def _keep(place: Watched, album: Path) -> None:
    """What docs/slack.md shows of this journey: `SLACK_ALBUM=docs/images/slack-messages.json`."""

    def first(*words: str) -> list[Message]:
        return [next(each for each in place.labs.slack.messages if all(word in each.text for word in words))]

    late = [
        each for each in place.labs.slack.messages if "nobody hears" in str(each.blocks) or "is closed" in each.text
    ]
    write_album(
        album,
        {
            "started": ("a deployment began", first("1.5.0", "is being deployed")),
            "taken-back": ("a release was taken back, because Sentry said so", first("1.6.0", "was taken back")),
            "others": ("a rollback and a notice of maintenance that were told late", late),
        },
    )


def _has_kept_its_secrets(place: Watched, said: list[str]) -> None:
    """Neither what was printed, nor the ledger, nor any file of ours has one of them."""
    texts = {f"what was said, {at}": text for at, text in enumerate(said)}
    files = [file for file in (place.root / ".deploy").rglob("*") if file.is_file() and file.suffix != ".sqlite3"]
    texts |= {str(file): file.read_bytes().decode(errors="replace") for file in files}
    texts["the ledger"] = json.dumps([event.facts for event in place.events()], default=str)
    seen = [where for where, text in texts.items() for secret in place.labs.secrets if secret in text]
    assert seen == []
