"""Staging and production on AWS: the way of docs/aws.md, from the first release to a database that was brought back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from journeys.aws import GRACE, OnAws, on_aws
from journeys.environment import until
from journeys.traffic import assert_nothing_lost, users
from lab.aws.standing import logged_in

from deploytasks import web


@pytest.fixture
def account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[OnAws]:
    """An account with a first release in production."""
    logged_in(monkeypatch)
    with on_aws(tmp_path / "library") as made:
        done = made.inv("deploy", "--yes")
        assert done.code == 0, done.said
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

    assert account.inv("maintenance-mode", "enable", "--yes").code == 0
    assert web.fetch(account.url + "/", timeout=10).status == 503
    assert account.inv("maintenance-mode", "disable", "--yes").code == 0
    assert account.colors_seen() == {"blue"}

    done = account.inv("restore-database", "--consent", "production")
    assert done.code == 0, done.said
    assert account.inv("history", "--verify").code == 0


def test_nobody_acts(account: OnAws) -> None:
    """A deployer is killed at 25 %: the switch at AWS takes traffic home, `status` says so; the
    ledger has it once, and the next deployment goes on from there."""
    account.configure(stages=[25, 100], watch="60s")
    account.commit(faults={})
    with users(account):
        running = account.start("deploy", "--yes")
        account.until_at(running, "25 %")
        running.kill()
        until(lambda: account.split().live == "blue", GRACE + 20)
    assert account.split().verb == "deadman"
    told = account.inv("status", "--json")
    assert json.loads(told.out)["deadman"]["fired_at"], told.said

    account.configure()
    account.commit(faults={})
    with users(account):
        done = account.inv("deploy", "--yes")
    assert done.code == 0, done.said
    assert account.live() == "green"
    assert not account.switch().armed
    fired = account.events("deadman-fired")
    assert len(fired) == 1, account.events()
