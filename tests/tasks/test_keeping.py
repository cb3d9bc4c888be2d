"""``inv people`` and ``inv prune``, as they are typed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from .project import Project

KEY = {"PEOPLE_KEY": "a-long-and-random-text", "DEPLOY_WHO": "annabelle"}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project that records ids, and keeps one report."""
    made = Project(tmp_path / "project")
    made.configure(
        store={"kind": "directory", "path": "store"},
        people={"pseudonyms": True, "key_from": "PEOPLE_KEY"},
        retain={"reports": 1},
    )
    reports = made.root / ".deploy" / "production" / "reports"
    reports.mkdir(parents=True)
    for name in ("a.txt", "b.txt"):
        (reports / name).write_text(name)
    return made


def test_prune_shows_then_deletes_and_records_who(project: Project) -> None:
    """``--plan`` changes nothing; then one report goes, and the ledger has it, under an id."""
    reports = project.root / ".deploy" / "production" / "reports"
    planned = project.inv("prune", "--plan", variables=KEY)
    assert (planned.code, "would: delete 1 report: " in planned.err, len(list(reports.iterdir()))) == (0, True, 2)
    assert not (project.root / "store").exists()
    assert project.inv("prune", variables=KEY).code == 0
    assert len(list(reports.iterdir())) == 1
    (event,) = project.inv("history", "--json", variables={"PEOPLE_KEY": ""}).answer["events"]
    assert (event["kind"], event["who"]) == ("pruned", "annabelle")
    stored = b"".join(file.read_bytes() for file in (project.root / "store").rglob("*") if file.is_file())
    assert b"annabelle" not in stored
    assert "nothing goes" in project.inv("prune", variables=KEY).err


def test_forgetting_as_it_is_typed(project: Project) -> None:
    """Who was forgotten is an id from then on; without the key, changing something is code 2."""
    assert project.inv("prune", variables=KEY).code == 0
    known = project.inv("people", "--json", variables=KEY).answer["people"]
    assert "annabelle" in known.values()
    assert project.inv("people", "--forget", "annabelle", variables=KEY).code == 0
    who = next(key for key, name in known.items() if name == "annabelle")
    shown = project.inv("history", "--json", variables=KEY)
    assert [event["who"] for event in shown.answer["events"]] == [who]
    assert project.inv("history", "--verify", variables=KEY).code == 0
    assert project.inv("people", "--forget", "annabelle", variables=KEY).code == 2
    assert project.inv("prune", variables={"PEOPLE_KEY": ""}).code == 2
    assert "annabelle" not in json.dumps(project.inv("people", "--json", variables=KEY).answer["people"])
