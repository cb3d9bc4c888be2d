"""Deployments whose ledger is in PostgreSQL, and what happens to that meanwhile."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import memory
import pytest
import stories
from lab import stores

from deploytasks.errors import DeployError, TakenBack
from deploytasks.operations.recording import Recording
from deploytasks.operations.recovery import recover
from deploytasks.operations.returning import roll_back
from deploytasks.world import World

if TYPE_CHECKING:
    from lab.postgres import Server

LEDGER = "application_name = 'deploytasks store'"
KILL = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {LEDGER}"

Make = Callable[..., World]


@pytest.fixture
def world(tmp_path: Path, ledgers: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    """Make worlds in memory with one ledger in PostgreSQL."""

    def make(kind: type[memory.TestWorld] = memory.TestWorld) -> World:
        return memory.world(tmp_path, kind=kind, store=stores.opened(tmp_path), **stories.SHORT)

    with stores.on_postgres(ledgers, monkeypatch.setenv):
        yield make


def test_a_deployment_from_one_end_to_the_other(world: Make) -> None:
    """It deploys, settles, and verifies."""
    assert stories.deploy(world()).code == 0
    after = world()
    assert (after.traffic.read().live, after.ledger.verify().ok) == ("blue", True)
    assert after.ledger.head().standing.recent[-1].outcome == "done"


@pytest.mark.parametrize("kind", ["began", "installed", "shifting", "shifted", "reading", "settled"])
def test_a_server_that_restarts_in_the_middle(world: Make, ledgers: Server, kind: str) -> None:
    """Wherever the server restarts, the deployment goes on, and no event is lost or recorded twice."""
    stories.deploy(world(), "1.0.0")
    happened: list[str] = []

    def restart(_: World) -> None:
        if not happened:
            happened.append(kind)
            ledgers.kill()
            ledgers.start()

    assert stories.deploy(world(stories.when(kind, restart)), "1.1.0").code == 0
    assert happened == [kind]
    after = world()
    assert after.ledger.verify().ok
    second = after.ledger.head().standing.recent[-1].deployment
    facts = [event.facts for event in after.ledger.events() if event.facts.get("deployment") == second]
    steps = [each["step"] for each in facts if each.get("state") == "done"]
    assert len(steps) == len(set(steps)) > 8


@pytest.mark.parametrize("kind", ["shifted", "reading"])
def test_sessions_that_are_killed_all_the_time(world: Make, ledgers: Server, kind: str) -> None:
    """Connections that break under every other event are made again, and nobody notices."""
    stories.deploy(world(), "1.0.0")
    assert stories.deploy(world(stories.when(kind, lambda _: ledgers.sql(KILL))), "1.1.0").code == 0
    assert world().ledger.verify().ok


def test_a_server_that_goes_and_stays_away(world: Make, ledgers: Server, tmp_path: Path) -> None:
    """Without its ledger a deployment is taken home; what happened waits, and is recorded when the server is back."""
    stories.deploy(world(), "1.0.0")

    def hasty(made: Any) -> World:
        made.store._line._within = 0.3  # patience is not what this is about
        made.settings = replace(made.settings, lease=60.0)
        return made

    def go(_: World) -> None:
        ledgers.kill()

    try:
        with pytest.raises((TakenBack, DeployError)):
            stories.deploy(hasty(world(stories.when("shifted", go))), "1.1.0")
        assert stories.split(tmp_path).live == "blue"  # home
    finally:
        ledgers.start()
    after = world()
    recover(after)
    assert after.ledger.verify().ok
    standing = after.ledger.head().standing
    assert (standing.open, standing.recent[-1].code) == (None, 4)
    after.clock.sleep(61)  # the lease could not be given back either, and runs out
    assert stories.deploy(world(), "1.2.0").code == 0
    assert world().ledger.verify().ok


def test_a_rollback_does_not_wait_for_a_ledger_that_says_nothing(world: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where connections are taken and never answered, traffic is home at once, and the story waits in the spool."""
    stories.deploy(world(), "1.0.0")
    stories.deploy(world(), "1.1.0")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv(stores.URL, f"postgresql://somebody@127.0.0.1:{silent.getsockname()[1]}/ledgers")
        made = world()
        began = time.monotonic()
        with Recording(made, patience=0.5) as recording:
            returned = roll_back(made)
            home = time.monotonic() - began
            recording.record(returned, "a test")
        took = time.monotonic() - began
    assert (returned.after.live, home < 1.5, took < 3.5) == ("blue", True, True)
    assert len(made.spool.waiting()) == 1
