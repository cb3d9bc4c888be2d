"""`inv metrics` on real deployments, git and the ledger."""

from __future__ import annotations

import os
import subprocess
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import memory
import pytest
import stories
from tale import ON_BLUE, ON_GREEN

from deploytasks import plans
from deploytasks.errors import UsageError
from deploytasks.operations import measuring
from deploytasks.operations.carrying_out import carry_out
from deploytasks.release.commits import between, committed

AT = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)


def git(folder: Path, *arguments: str, at: datetime = AT) -> str:
    instant = at.isoformat()
    own = {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_AUTHOR_DATE": "2020-01-01T00:00:00Z", "GIT_COMMITTER_DATE": instant}
    who = ("-c", "user.name=Ann", "-c", "user.email=ann@example.org", "-c", "commit.gpgSign=false")
    done = subprocess.run(
        ["git", *who, *arguments], cwd=folder, env={**os.environ, **own}, capture_output=True, check=True
    )
    return done.stdout.decode().strip()


def commit(folder: Path, hour: int) -> str:
    git(folder, "commit", "--quiet", "--allow-empty", "-m", f"at {hour}", at=AT + timedelta(hours=hour))
    return git(folder, "rev-parse", "HEAD")


@pytest.fixture
def history(tmp_path: Path) -> list[str]:
    """Three commits of one hour each, where the world of these tests has its project."""
    git(tmp_path, "init", "--quiet", "--initial-branch=main")
    return [commit(tmp_path, hour) for hour in range(3)]


def deploy(folder: Path, version: str, commit: str) -> None:
    release = memory.release(version)._replace(commit=commit)
    carry_out(stories.world(folder), partial(plans.deploy, release=release, gates=False), task="deploy")


def measure(folder: Path, days: float = 90) -> dict[str, Any]:
    world = stories.world(folder)
    now = world.clock.now() + timedelta(minutes=1)
    return measuring.measure(world, now - timedelta(days=days), now)


def test_lead_time_of_every_commit(tmp_path: Path, history: list[str]) -> None:
    """Where git knows both releases, each commit between them counts; of the first release only its own."""
    deploy(tmp_path, "1.0.0", history[0])
    deploy(tmp_path, "1.1.0", history[2])
    found = measure(tmp_path)
    lead = found["lead_time"]
    assert (lead["n"], lead["deployments"], lead["with_all_commits"]) == (3, 2, 1)
    assert 2 * 3600 < lead["median"] < 5 * 3600
    assert found["deployment_frequency"]["n"] == 2


def test_lead_time_from_the_ledger(tmp_path: Path, history: list[str]) -> None:
    """A machine without the repository counts from what was recorded when it was deployed."""
    deploy(tmp_path, "1.0.0", history[0])
    (tmp_path / ".git").rename(tmp_path / "elsewhere")
    lead = measure(tmp_path)["lead_time"]
    assert (lead["n"], lead["with_all_commits"]) == (1, 0)


def test_a_release_that_was_live_before_brings_nothing_new(tmp_path: Path, history: list[str]) -> None:
    """It is a deployment, and no change."""
    deploy(tmp_path, "1.0.0", history[0])
    deploy(tmp_path, "1.1.0", history[1])
    deploy(tmp_path, "1.0.0", history[0])
    found = measure(tmp_path)
    assert (found["deployment_frequency"]["n"], found["lead_time"]["n"]) == (3, 2)


def test_a_commit_that_nobody_knows(tmp_path: Path) -> None:
    """It is counted as unknown, never as nothing."""
    stories.deploy(stories.world(tmp_path), "1.0.0")
    lead = measure(tmp_path)["lead_time"]
    assert (lead["n"], lead["without_commits"]) == (0, 1)


def test_times_of_commits(tmp_path: Path, history: list[str]) -> None:
    """The committer's date counts, not the author's; what is no commit's name is not even asked for."""
    assert AT + timedelta(hours=2) == committed(tmp_path, history[2])
    assert [AT + timedelta(hours=2), AT + timedelta(hours=1)] == between(tmp_path, history[0], history[2])
    assert [] == between(tmp_path, history[2], history[0])
    assert None is committed(tmp_path, "f" * 40)
    assert None is between(tmp_path, "f" * 40, history[0])
    assert None is committed(tmp_path, "--output=here")


def test_what_a_rollback_makes_of_it(tmp_path: Path) -> None:
    """Rolled back by hand, a deployment failed, and was restored when traffic was home."""
    world = stories.world(tmp_path)
    stories.deploy(world, "1.0.0")
    stories.deploy(stories.world(tmp_path), "1.1.0")
    world.clock.sleep(600)
    world.spool.put(
        "rolled-back", {"from": ON_GREEN, "to": ON_BLUE, "reason": "slow", "by": "bob"}, world.clock.now(), "bob"
    )
    found = measure(tmp_path)
    assert (found["change_failure_rate"]["failed"], found["change_failure_rate"]["rolled_back"]) == (1, 1)
    assert found["time_to_restore"]["median"] > 600


def test_of_which_environment(tmp_path: Path) -> None:
    """The protected one, else the only one; of several, none is guessed."""

    class C:
        def __init__(self, **environments: Any) -> None:
            self.config = {"deploy": {"environments": environments}}

    assert "live" == measuring.usual(C(live={"protected": True}, test={}))  # type: ignore[arg-type]
    assert "test" == measuring.usual(C(test={}))  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="which environment"):
        measuring.usual(C(a={"protected": True}, b={"protected": True}))  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="which environment"):
        measuring.usual(C(a={}, b={}))  # type: ignore[arg-type]
