"""Staging and production on AWS: the way of docs/aws.md, from the first release to a database that was brought back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from journeys.aws import GRACE, OnAws, on_aws
from journeys.environment import Done, Running, until
from journeys.shown import typed
from journeys.traffic import assert_nothing_lost, users
from lab.aws.standing import logged_in

from deploytasks import web

YES = {
    "inv deploy": ("--yes",),
    "inv maintenance-mode": ("--yes",),
    "inv restore-database": ("--consent", "production"),
}
"""What a terminal asks, answered."""


@pytest.fixture
def account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[OnAws]:
    """An account with a first release in production."""
    logged_in(monkeypatch)
    with on_aws(tmp_path / "library") as made:
        typed(made, "docs/aws.md", "From an empty account to the first deployment", more=YES)
        yield made


def test_the_whole_way(account: OnAws) -> None:
    """A release goes through staging, live under traffic, and loses nothing; back by hand; a broken one comes back by
    itself; the site is closed and opened; the database is brought back; all of it is in the ledger."""
    account.commit(faults={})
    assert account.inv("deploy", "--yes", "--env", "staging").code == 0
    with users(account) as tally:
        done = account.inv("deploy", "--yes")
    assert done.code == 0, done.said
    assert account.live() == "green"
    assert_nothing_lost(tally, account)
    assert not account.switch().armed

    with users(account) as tally:
        done = account.inv("rollback", "--yes", "--reason", "the journey")
    assert done.code == 0, done.said
    assert account.live() == "blue"
    assert_nothing_lost(tally, account)

    account.commit(faults={"errors": 0.5})
    account.inv("deploy", "--yes", "--env", "staging")
    with users(account):
        done = account.inv("deploy", "--yes")
    assert done.code == 4, done.said
    assert "errors" in done.err
    assert account.live() == "blue"

    def enable(*words: str) -> Done:
        done = account.inv(*words, "--yes")
        assert web.fetch(account.url + "/", timeout=10).status == 503
        return done

    typed(account, "docs/aws.md", "The balancer", more=YES, hands={"inv maintenance-mode enable": enable})
    assert account.colors_seen() == {"blue"}
    late = f"{datetime.now(UTC) - timedelta(minutes=10):%Y-%m-%dT%H:%MZ}"
    typed(account, "docs/aws.md", "The database", more=YES, instead={"2026-11-23T10:00Z": late})
    typed(account, "docs/aws.md", "The ledger in S3")


def test_nobody_acts(account: OnAws) -> None:
    """A deployer is killed at 25 %: the switch at AWS takes traffic home, `status` says so; the
    ledger has it once, and the next deployment goes on from there."""
    account.configure(stages=[25, 100], watch="8s")
    account.commit(faults={})
    running: list[Running] = []

    def deploy(*words: str) -> Done:
        running.append(account.start(*words, "--yes"))
        account.until_at(running[0], "25 %")
        return Done(0, "", "")

    def kill(*_: str) -> Done:
        running[0].kill()
        until(lambda: account.split().live == "blue", GRACE + 20)
        assert account.split().verb == "deadman"
        told = account.inv("status", "--json")
        assert json.loads(told.out)["deadman"]["fired_at"], told.said
        return Done(0, "", "")

    def get_schedule(*_: str) -> Done:
        """It is gone: it has fired."""
        assert account.cloud["scheduler"].schedules == {}
        return Done(0, "", "")

    def resume(*words: str) -> Done:
        account.configure()
        return account.inv(*words, "--yes", timeout=180)

    with users(account):
        typed(
            account, "docs/aws.md", "The dead-man's switch", instead={"staging": "production"},
            hands={"inv deploy": deploy, "kill": kill, "aws scheduler": get_schedule, "inv resume": resume},
        )  # fmt: skip
    assert account.live() == "green"
    assert not account.switch().armed
    fired = account.events("deadman-fired")
    assert len(fired) == 1, account.events()
