"""Single tasks and chains of them, as hotfix engineers and CI use them."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from journeys.traffic import users

from deploytasks import web
from deploytasks.ports import other

if TYPE_CHECKING:
    from journeys.conftest import Pool
    from journeys.environment import Environment


def snapshot(environment: Environment) -> dict[str, str]:
    """Every file of the project with its content, but for what servers write into their logs and databases."""
    busy = (".log", ".sqlite3-wal", ".sqlite3-shm", ".sock")
    found = {}
    for path in sorted(environment.root.rglob("*")):
        name = str(path.relative_to(environment.root))
        if path.is_symlink():
            found[name] = str(path.readlink())
        elif path.is_file() and not name.endswith(busy) and "/shared/cache/" not in name:
            found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


PLANS = [
    ("deploy",),
    ("deploy", "--redeploy"),
    ("rollback",),
    ("migrate",),
    ("shift", "--to", "50"),
    ("retire", "--force"),
    ("backup-database",),
    ("maintenance-mode", "enable"),
    ("down",),
    ("warmup",),
    ("smoke",),
    ("test",),
    ("build",),
]


@pytest.fixture(scope="module")
def quiet(pool: Pool) -> Iterator[Environment]:
    """An environment with two releases, the way back open and a new commit: for reading alone."""
    environment = pool.take()
    try:
        environment.commit(faults={"latency": 0.02})  # not by itself faster than any limit
        done = environment.inv("deploy")
        assert done.code == 0, done.said
        environment.commit()
        yield environment
    finally:
        pool.give_back(environment, passed=True)


@pytest.mark.parametrize("command", PLANS, ids=" ".join)
def test_a_plan_changes_nothing_at_all(quiet: Environment, command: tuple[str, ...]) -> None:
    """Not a file, not the ledger, not the split, not a process; nor do its pre-tasks. It says what it would do."""
    files, processes, split = snapshot(quiet), quiet.processes(), quiet.split()
    done = quiet.inv(*command, "--plan")
    assert done.code == 0, done.said
    assert done.said.strip()
    assert snapshot(quiet) == files
    assert (quiet.processes().keys(), quiet.split()) == (processes.keys(), split)


def test_a_plan_before_anything_was_done_changes_nothing_and_starts_nothing(fresh: Environment) -> None:
    """Not even the state folder is made."""
    files = snapshot(fresh)
    done = fresh.inv("deploy", "--plan")
    assert done.code == 0, done.said
    assert "install 0.0.0" in done.said
    assert (snapshot(fresh), fresh.processes()) == (files, {})
    assert not (fresh.root / ".deploy").exists()


@pytest.mark.parametrize("task", ["status", "history", "report", "validate", "doctor", "checklist", "smoke"])
def test_json_is_one_object_on_stdout(quiet: Environment, task: str) -> None:
    """For machines; people's text is on stderr."""
    done = quiet.inv(task, "--json")
    expected = 3 if task == "checklist" and "refused" in done.said else 0
    assert done.code == expected, done.said
    assert isinstance(json.loads(done.out), dict)
    assert len(done.out.strip().splitlines()) == 1


def test_status_says_what_is_live_idle_and_where_the_way_back_leads(quiet: Environment) -> None:
    """In JSON with names, and as text."""
    status = quiet.inv("status", "--json").answer
    home = quiet.split().way_back
    assert home is not None
    assert (status["traffic"]["live"], status["traffic"]["way_back"]) == (other(home), home)
    assert all(status["colors"][color]["healthy"] for color in ("blue", "green"))
    assert (status["deadman"]["armed"], status["lease"], status["ledger"]["open"]) == (False, None, None)
    text = quiet.inv("status")
    assert text.code == 0
    assert other(home) in text.out


def test_history_verifies_and_knows_its_head(quiet: Environment) -> None:
    """The head that a deployment printed is found again; another one is not."""
    head = quiet.inv("history", "--json").answer["head"]
    assert quiet.inv("history", "--verify", "--expect", head).code == 0
    assert quiet.inv("history", "--verify", "--expect", "f" * 64).code == 9


def test_a_report_tells_the_last_deployment(quiet: Environment) -> None:
    """With its readings' outcome and its end."""
    report = quiet.inv("report", "--json").answer
    assert report["deployment"] == quiet.events("began")[-1].facts["deployment"]
    assert report["events"][-1]["kind"] == "ended"


def test_doctor_finds_nothing_wrong(quiet: Environment) -> None:
    """Everything is configured and reachable."""
    done = quiet.inv("doctor", "--json")
    assert done.code == 0, done.said
    assert [finding for finding in done.answer["findings"] if finding["state"] == "fail"] == []


def test_two_environments_in_one_chain_are_refused(quiet: Environment) -> None:
    """Code 2, unless each task has its own."""
    done = quiet.inv("status", "--env", "development", "history", "--env", "staging", "doctor")
    assert done.code == 2, done.said


def test_retire_is_refused_while_the_way_back_is_open(quiet: Environment) -> None:
    """Code 3; the old color goes on running."""
    done = quiet.inv("retire")
    assert (done.code, quiet.servers()) == (3, {"blue", "green"}), done.said
    assert "--force" in done.said


def test_warm_up_asks_the_idle_color(quiet: Environment) -> None:
    """Code 0, and it says which pages."""
    done = quiet.inv("warmup")
    assert done.code == 0, done.said
    idle = quiet.blue if quiet.live() == "green" else quiet.green
    assert f":{idle}/api/books/" in done.said


def test_checks_of_a_quiet_color_have_too_little_to_judge_by(quiet: Environment) -> None:
    """Code 6."""
    done = quiet.inv("check-error-rate", "--window", "1s")
    assert done.code == 6, done.said


def test_checks_judge_what_users_get(quiet: Environment) -> None:
    """Code 0 while all is well; 9 when the limit is below what they get."""
    with users(quiet):
        assert quiet.inv("check-error-rate", "--window", "1s").code == 0
        assert quiet.inv("check-latency", "--window", "1s").code == 0
        quiet.configure(rollback_when={"p99": "10ms"}, warn_when={"p95": "5ms", "p99": "5ms"})
        slow = quiet.inv("check-latency", "--window", "1s")
        quiet.configure()
    assert slow.code == 9, slow.said


def test_smoke_that_fails(quiet: Environment) -> None:
    """Code 9, naming the check."""
    quiet.configure(smoke={"checks": [{"name": "the moon", "path": "/moon"}]})
    done = quiet.inv("smoke")
    quiet.configure()
    assert done.code == 9, done.said
    assert "the moon" in done.err


def test_a_chain_that_tries_half_of_the_traffic_goes_home_afterwards(live: Environment) -> None:
    """`inv install shift --to 50 --for 2s --env development`: watched, then home; the switch was armed and is off."""
    home = live.live()
    assert live.inv("build").code == 0
    done = live.inv("install", "shift", "--to", "50", "--for", "2s")
    assert done.code == 0, done.said
    shifted = [event.facts["split"] for event in live.events("shifted")[-2:]]
    assert [split[:2] for split in shifted] == [[50, 50], [100, 0] if home == "blue" else [0, 100]]
    live.assert_at_rest(home, running={"blue", "green"})


def test_a_chain_by_hand_deploys_as_well(live: Environment) -> None:
    """`inv build install migrate shift --to 50 --to 100`: each piece a task; it settles like a deployment."""
    home = live.live()
    done = live.inv("build", "install", "migrate", "shift", "--to", "50", "--to", "100", "--for", "2s")
    assert done.code == 0, done.said
    live.assert_at_rest(other(home), running={"blue", "green"})
    assert live.split().way_back == home


def test_the_maintenance_page_stands_while_users_come(settled: Environment) -> None:
    """503 with a page and Retry-After, from the balancer, at once; then the application again."""
    assert settled.inv("maintenance-mode", "enable", "--message", "Back at noon.", "--retry-after", "120").code == 0
    closed = web.fetch(f"{settled.url}/", timeout=5)
    assert (closed.status, closed.headers.get("retry-after")) == (503, "120")
    assert b"Back at noon." in closed.body
    assert settled.inv("maintenance-mode", "status", "--json").answer["notice"]["message"] == "Back at noon."
    with users(settled) as tally:
        assert settled.inv("maintenance-mode", "disable").code == 0
    assert web.fetch(f"{settled.url}/", timeout=5).status == 200
    assert not tally.unanswered, tally.summary()
    assert set(tally.statuses) >= {"GET 503", "GET 200"}, tally.summary()


def test_a_backup_brings_the_database_back(settled: Environment) -> None:
    """`backup-database`, a change, `restore-database` with typed consent; without it: refused, untouched."""

    def loans() -> int:
        return int(json.loads(web.fetch(f"{settled.url}/api/loans/duplicates/", timeout=5).body)["total"])

    before = loans()
    done = settled.inv("backup-database")
    assert done.code == 0, done.said
    body = json.dumps({"id": str(uuid.uuid4()), "book": 1}).encode()
    kind = {"Content-Type": "application/json"}
    assert web.fetch(f"{settled.url}/api/loans/", method="POST", body=body, headers=kind, timeout=5).status == 201
    assert loans() == before + 1
    refused = settled.inv("restore-database")
    assert (refused.code, loans()) == (2, before + 1), refused.said
    wrong = settled.inv("restore-database", "--consent", "production")
    assert (wrong.code, loans()) == (3, before + 1), wrong.said
    restored = settled.inv("restore-database", "--consent", "development")
    assert (restored.code, loans()) == (0, before), restored.said
    settled.assert_at_rest(settled.live())


def test_migrate_backs_up_first(live: Environment) -> None:
    """On the idle color that was installed; a backup and a migration are in the ledger."""
    assert live.inv("build", "install").code == 0
    backups = len(live.events("backup"))
    done = live.inv("migrate")
    assert done.code == 0, done.said
    assert len(live.events("backup")) == backups + 1
    live.assert_at_rest(live.live(), running={"blue", "green"})
