"""``inv history --export`` and ``--import``, as they are typed."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from lab import stores

from deploytasks.engine.clock import SystemClock
from deploytasks.ledger import Ledger
from deploytasks.providers.directory import DirectoryStore
from deploytasks.settings.directory import DirectorySettings

from .project import Project

if TYPE_CHECKING:
    from lab.postgres import Server

SCOPE = "library/production"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project whose ledger, in a folder, has three events."""
    made = Project(tmp_path / "project")
    made.configure(store={"kind": "directory", "path": "first"})
    for nth in range(3):
        ledger(made, "first").append("note", {"text": f"number {nth}"})
    return made


def ledger(project: Project, folder: str) -> Ledger:
    """The ledger in a folder of the project."""
    store = DirectoryStore(DirectorySettings(path=folder), stores.site(project.root))
    return Ledger(store, SCOPE, "ann@desk", SystemClock().now)


def kinds(answer: dict[str, Any]) -> list[str]:
    return [event["kind"] for event in answer["events"]]


def test_from_a_folder_to_postgres_and_back(project: Project, ledgers: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """A ledger moves to the team's database and back; each import is recorded, and everything verifies."""
    assert project.inv("history", "--export", "out.jsonl").code == 0
    assert stat.S_IMODE((project.root / "out.jsonl").stat().st_mode) == 0o600
    with stores.on_postgres(ledgers, monkeypatch.setenv) as table:
        project.configure(store={"kind": "postgres", "url_from": stores.URL, "table": table}, protected=True)
        moved = project.inv("history", "--import", "out.jsonl", "--yes", "--json")
        assert (moved.code, moved.answer["added"], moved.answer["events"]) == (0, 3, 3)
        assert project.inv("history", "--verify").code == 0
        there = project.inv("history", "--json").answer
        assert kinds(there) == ["note", "note", "note", "imported"]
        facts = there["events"][3]["facts"]
        assert (facts["count"], facts["store"], facts["file"]) == (3, "directory", "out.jsonl")
        assert project.inv("history", "--export", "back.jsonl").code == 0
    project.configure(store={"kind": "directory", "path": "second"})
    assert project.inv("history", "--import", "back.jsonl").code == 0
    verified = project.inv("history", "--verify", "--expect", moved.answer["head"], "--json").answer
    assert (verified["ok"], verified["count"]) == (True, 5)
    assert "imported: 4 of 4 events from back.jsonl" in project.inv("history").out


def test_plan_says_what_would_move_and_moves_nothing(project: Project) -> None:
    """``--plan`` counts, on the way out and on the way in."""
    assert (
        "would write 3 events"
        in (planned := project.inv("history", "--export", "out.jsonl", "--plan")).out + planned.err
    )
    assert not (project.root / "out.jsonl").exists()
    project.inv("history", "--export", "out.jsonl")
    project.configure(store={"kind": "directory", "path": "second"})
    planned = project.inv("history", "--import", "out.jsonl", "--plan")
    assert "would add 3 of 3 events" in planned.out + planned.err
    assert not (project.root / "second").exists()


def test_refusals_change_nothing(project: Project) -> None:
    """A file that is there, another environment's, a broken one, another story: code 2 or 3, and why."""
    file = project.root / "out.jsonl"
    project.inv("history", "--export", "out.jsonl")
    again = project.inv("history", "--export", "out.jsonl")
    assert (again.code, "there already" in again.err) == (2, True)
    whole = file.read_bytes()
    file.write_bytes(whole.replace(b"library/production", b"library/staging"))
    other = project.inv("history", "--import", "out.jsonl")
    assert (other.code, "is the ledger of library/staging" in other.err) == (2, True)
    file.write_bytes(
        file.read_bytes().replace(b"library/staging", b"library/production").replace(b"number 1", b"number 7")
    )
    broken = project.inv("history", "--import", "out.jsonl")
    assert (broken.code, "line 3: event 2 was changed" in broken.err) == (2, True)
    file.write_bytes(whole)
    project.configure(store={"kind": "directory", "path": "second"})
    ledger(project, "second").append("note", {"text": "another story"})
    parted = project.inv("history", "--import", "out.jsonl")
    assert (parted.code, "not those of out.jsonl" in parted.err) == (3, True)
    assert ledger(project, "second").head().number == 1


def test_import_waits_for_no_consent_that_nobody_can_give(project: Project) -> None:
    """Into a protected environment it is imported by somebody who says so."""
    project.inv("history", "--export", "out.jsonl")
    project.configure(store={"kind": "directory", "path": "second", "shared": True}, protected=True)
    refused = project.inv("history", "--import", "out.jsonl")
    assert (refused.code, "--yes" in refused.err) == (2, True)
    assert project.inv("history", "--import", "out.jsonl", "--yes").code == 0


def test_import_of_a_killed_deployers_store(project: Project) -> None:
    """A lease that an import of before left behind, killed, does not come into the ledger's way."""
    project.inv("history", "--export", "out.jsonl")
    lines = (project.root / "out.jsonl").read_bytes().splitlines(keepends=True)
    project.configure(store={"kind": "directory", "path": "second"})
    begun = ledger(project, "second")
    begun.store.put(f"{SCOPE}/events/{1:012}.json", lines[1].removesuffix(b"\n"), None)
    dead = {
        "token": 1, "holder": "ann@desk", "host": "desk", "pid": 1, "identity": "1:1:x", "place": "x",
        "doing": "import the ledger", "since": "2026-11-23T10:15:00.000000+00:00", "beat": 0,
        "beat_at": "2026-11-23T10:15:00.000000+00:00", "ttl": 0.5, "released": False,
    }  # fmt: skip
    begun.store.put(f"{SCOPE}/lease.json", json.dumps(dead).encode(), None)
    assert project.inv("history", "--import", "out.jsonl").code == 0
    assert [event.kind for event in begun.events()] == ["note", "note", "note", "imported"]
