"""``inv sign``, ``override``, ``note``, ``plan`` and ``approve``, as they are typed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from lab import keys, stores

from deploytasks.checklist import ITEMS
from deploytasks.engine.clock import SystemClock
from deploytasks.engine.plan import digest_of
from deploytasks.ledger import Ledger
from deploytasks.providers.directory import DirectoryStore
from deploytasks.settings.directory import DirectorySettings

from .project import PACKAGE, Done, Project

PEOPLE = ("ann", "ben")


class Signed(Project):
    """A protected environment in a repository where two people sign."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.homes = root.parent / "homes"
        lines = []
        for name in PEOPLE:
            key = keys.make(self.homes / name / ".ssh", "id_ed25519")
            lines.append(f"{name}@example.org {keys.public(key)}\n")
        self.configure()
        (root / ".gitignore").write_text(".deploy/\n__pycache__/\n")
        keys.commit(root, {"allowed_signers": "".join(lines), ".gitignore": ".deploy/\n__pycache__/\n"})
        self.commit()

    def configure(self, **sections: Any) -> None:
        store = {"kind": "directory", "shared": True}
        super().configure(**{"protected": True, "store": store, **sections})

    def commit(self) -> str:
        """Commit what is there."""
        names = ("tasks.py", "invoke.yaml")
        return keys.commit(self.root, {name: (self.root / name).read_text() for name in names}, "Configure")

    def by(self, who: str, *arguments: str, **variables: str) -> Done:
        """``inv …`` with somebody at the keyboard."""
        own = {**keys.GIT, "HOME": str(self.homes / who), "DEPLOY_WHO": f"{who}@desk", "SSH_AUTH_SOCK": ""}
        return self.inv(*arguments, variables={**own, **variables})

    def told(self) -> list[dict[str, Any]]:
        events: list[dict[str, Any]] = self.by("ann", "history", "--json").answer["events"]
        return events

    def raw(self) -> list[dict[str, Any]]:
        """The events as they are stored."""
        files = sorted((self.root / ".deploy/production/store").rglob("events/**/*.json"))
        return [json.loads(file.read_bytes()) for file in files]


@pytest.fixture
def project(tmp_path: Path) -> Signed:
    return Signed(tmp_path / "project")


def test_sign_and_override(project: Signed) -> None:
    """Several items at once; with the key from ``~/.ssh``; in the ledger with note, name, key and signature."""
    note = 'phone of Ben tested; he\'s "ready"'
    done = project.by("ann", "sign", "people.oncall,people.announced", "--note", note)
    assert (done.code, "signed people.oncall, people.announced for " in done.out) == (0, True), done.err
    assert "with the key of ann@example.org (SHA256:" in done.out
    aside = project.by("ben", "override", "code.tests", "--reason", "ticket 4711", "--json")
    assert aside.code == 0
    assert ("override", ["code.tests"], "ben@example.org", "ticket 4711") == tuple(
        aside.answer[name] for name in ("act", "items", "signer", "note")
    )
    facts = [event["facts"] for event in project.told()]
    assert [("sign", "people.oncall"), ("sign", "people.announced"), ("override", "code.tests")] == [
        (each["act"], each["item"]) for each in facts
    ]
    assert {keys.git(project.root, "rev-parse", "HEAD")} == {each["about"] for each in facts}
    assert all(each["signature"].startswith("-----BEGIN SSH SIGNATURE-----") for each in facts)
    shown = project.by("ann", "history").out
    assert f"signed: people.oncall for {facts[0]['about'][:12]}, with the key of ann@example.org: {note}" in shown
    assert "set aside: code.tests for " in shown


def test_the_checklist_knows_who_signed(project: Signed) -> None:
    """What is signed passes, what is set aside is said to be, the rest stays open: code 3."""
    project.by("ann", "sign", "people.oncall", "--note", "Ben")
    project.by("ben", "override", "people.announced", "--reason", "nobody is awake")
    done = project.by("ann", "checklist", "--json")
    found = {each["item"]: (each["answer"], each["evidence"]) for each in done.answer["items"]}
    assert done.code == 3
    assert "pass" == found["people.oncall"][0]
    assert found["people.oncall"][1].startswith("signed by ann@example.org ")
    assert "overridden" == found["people.announced"][0]
    assert "needs a signature" == found["people.runbook"][0]
    assert "people.runbook" in done.err


def test_only_what_people_know_is_signed(project: Signed) -> None:
    """A machine's item, an unknown one, none, without a word, without a commit: code 2, and what to do."""
    for arguments, why in (
        (("sign", "code.committed", "--note", "x"), "code.committed is not signed, a machine checks it: pass"),
        (("sign", "people.oncal", "--note", "x"), "there is no item people.oncal; did you mean `people.oncall`?"),
        (("sign", "people.oncall"), "say --note"),
        (("override", "people.oncall"), "say --reason"),
        (("sign", "people.oncall", "--note", "\x1b\x07 \u200b"), "say --note"),
        (("override", "people.oncall", "--reason", "\u202e"), "say --reason"),
        (("pause", "--reason", "\x1b \u200b\t"), "say --reason"),
        (("override", ",", "--reason", "x"), "which item?"),
        (("sign", "people.oncall", "--note", "x", "--commit", "abc", "--version", "1.0.0"), "say one of them"),
        (("sign", "people.oncall", "--note", "x", "--commit", "0123abc"), "there is no commit 0123abc"),
        (("sign", "people.oncall", "--note", "x", "--version", "7.0.0"), "there is no version 7.0.0"),
        (("note", " "), "what was learned?"),
        (("note", "x", "--deployment", "d-1"), "there is no deployment d-1"),
    ):
        done = project.by("ann", *arguments)
        assert (2, True) == (done.code, why in done.err), (arguments, done)
    assert [] == project.told()


def test_a_version_and_a_commit_are_signed_for(project: Signed) -> None:
    """What is not checked out, too."""
    first = keys.git(project.root, "rev-parse", "HEAD")
    keys.git(project.root, "tag", "v1.0.0")
    keys.commit(project.root, {"page.html": "new"})
    assert project.by("ann", "sign", "people.oncall", "--note", "x", "--version", "1.0.0").code == 0
    assert project.by("ann", "sign", "people.announced", "--note", "x", "--commit", first[:9]).code == 0
    assert {first} == {event["facts"]["about"] for event in project.told()}


def test_a_key_that_is_not_there(project: Signed) -> None:
    """Nobody's home, a stranger's, a locked one: code 2, at once, with what to do; nothing is recorded."""
    done = project.by("nobody", "sign", "people.oncall", "--note", "x")
    assert (2, True) == (done.code, "no SSH key of yours was found to sign with" in done.err)
    keys.make(project.homes / "eve" / ".ssh", "id_ed25519")
    done = project.by("eve", "sign", "people.oncall", "--note", "x")
    assert (2, True) == (done.code, "none of your keys is in allowed_signers: ~/.ssh/id_ed25519 (SHA256:" in done.err)
    locked = keys.make(project.homes / "cay" / ".ssh", "id_ed25519", passphrase="correct horse")
    signers = (project.root / "allowed_signers").read_text() + f"cay@example.org {keys.public(locked)}\n"
    keys.commit(project.root, {"allowed_signers": signers})
    done = project.by("cay", "sign", "people.oncall", "--note", "x")
    assert (2, True) == (done.code, "wants its passphrase, and nobody is at a terminal" in done.err)
    assert "ssh-add" in done.err
    assert [] == project.told()


def test_an_edit_that_nobody_reviewed_lets_nobody_in(project: Signed) -> None:
    """The file counts as it is committed."""
    eve = keys.make(project.homes / "eve" / ".ssh", "id_ed25519")
    with (project.root / "allowed_signers").open("a") as file:
        file.write(f"eve@example.org {keys.public(eve)}\n")
    assert project.by("eve", "override", "code.tests", "--reason", "x").code == 2
    assert [] == project.told()


def test_plan_says_what_would_be_recorded(project: Signed) -> None:
    done = project.by("ann", "sign", "people.oncall", "--note", "x", "--plan")
    assert (0, True) == (done.code, "would record in production, with a signature by ~/.ssh/id_ed25519" in done.err)
    done = project.by("ann", "note", "x", "--plan")
    assert (0, True) == (done.code, "would note without a deployment: x" in done.err)
    assert [] == project.told()


def test_a_secret_in_a_note_is_hidden(project: Signed) -> None:
    """On the screen, in the ledger, and in what is signed: the signature still counts."""
    secret = "h0rse-battery-staple"
    done = project.by("ann", "sign", "people.oncall", "--note", f"used {secret}", APP_PASSWORD=secret)
    assert (0, "used ***" in done.out) == (done.code, True)
    found = project.by("ann", "checklist", "--json")
    item = next(each for each in found.answer["items"] if each["item"] == "people.oncall")
    assert "pass" == item["answer"]
    everything = done.out + done.err + found.out + found.err
    assert secret not in everything
    store = project.root / ".deploy"
    assert not [path for path in store.rglob("*") if path.is_file() and secret.encode() in path.read_bytes()]


def test_elsewhere_no_key_is_asked_for(project: Signed) -> None:
    """Without protection, whoever ``DEPLOY_WHO`` names."""
    project.configure(protected=False, gates={"level": "production"})
    project.commit()
    done = project.by("nobody", "sign", "people.oncall", "--note", "x")
    assert (0, True) == (done.code, "by nobody@desk, without a key: x" in done.out)


def test_lessons_stay_beside_their_deployment(project: Signed) -> None:
    """In its report, and in the history; several, and of whomever."""
    assert "which has no deployment yet" in project.by("ann", "note", "before anything").out
    place = project.root / ".deploy/production/store"
    store = DirectoryStore(DirectorySettings(path=str(place)), stores.site(project.root))
    ledger = Ledger(store, "library/production", "ann@desk", SystemClock().now)
    for nth in (1, 2):
        ledger.append("began", {"deployment": f"d-{nth}", "task": "deploy", "who": "ann@desk"})
        ledger.append("ended", {"deployment": f"d-{nth}", "outcome": "done", "code": 0})
    done = project.by("ben", "note", "watch the queue", "--json")
    assert {"environment": "production", "deployment": "d-2", "text": "watch the queue"} == done.answer
    assert project.by("ben", "note", "too many at once", "--deployment", "d-1").code == 0
    assert "learned: too many at once" in project.by("ann", "report", "--deployment", "d-1").out
    report = project.by("ann", "report").out
    assert "learned: watch the queue" in report
    assert "too many" not in report
    assert "learned: before anything" in project.by("ann", "history").out


def test_every_item_can_be_named(project: Signed) -> None:
    """Whatever the checklist asks can be set aside, never silently."""
    done = project.by("ann", "override", ",".join(item.id for item in ITEMS), "--reason", "everything burns", "--plan")
    assert 0 == done.code
    assert len(ITEMS) == done.err.count("would record")


def test_approve_reads_a_file_that_is_none(project: Signed) -> None:
    """Code 2; one that was tampered with is code 3, before anybody is asked."""
    done = project.by("ann", "approve", "nothing.json", "--yes")
    assert (2, True) == (done.code, "nothing.json cannot be read" in done.err)
    content = {"application": "library", "environment": "production", "calls": [], "plan": {
        "deployment": "", "task": "deploy", "starts_from": [[0, 0, None, None], None, None, True, 0.0, {}],
        "release": ["1.0.0", "c", "d", "a"], "color": "blue", "notes": [], "steps": [],
    }}  # fmt: skip
    head = {
        "format": 1, "version": "1.0.0", "hotfix": False, "digest": "0" * 64, "author": "x",
        "made_at": "2026-11-23T10:00:00+00:00", "wanted": {},
    }  # fmt: skip
    (project.root / "plan.json").write_text(json.dumps({**head, **content}))
    done = project.by("ann", "approve", "plan.json", "--yes")
    assert (3, True) == (done.code, "was changed after it was planned" in done.err)


def test_a_plan_knows_its_environment(project: Signed) -> None:
    """Where none is named; and a plan of another one is refused."""
    content: dict[str, Any] = {"application": "library", "environment": "production", "calls": [], "plan": {
        "deployment": "", "task": "deploy", "starts_from": [[0, 0, None, None], None, None, True, 0.0, {}],
        "release": ["1.0.0", "c", "d", "a", False], "color": "blue", "notes": [], "steps": [],
    }}  # fmt: skip
    head = {
        "format": 1, "version": "1.0.0", "hotfix": False, "digest": digest_of(content), "author": "x",
        "made_at": "2026-11-23T10:00:00+00:00", "wanted": {},
    }  # fmt: skip
    (project.root / "plan.json").write_text(json.dumps({**head, **content}))
    command = [sys.executable, "-m", "invoke", "validate", "--plan-file", "plan.json", "--json"]
    own = {**os.environ, "PYTHONPATH": str(PACKAGE)}
    done = subprocess.run(command, cwd=project.root, env=own, capture_output=True, text=True, timeout=60, check=True)
    assert "production" == json.loads(done.stdout)["environment"]
    content["environment"] = "staging"
    (project.root / "plan.json").write_text(json.dumps({**head, **content, "digest": digest_of(content)}))
    found = project.by("ann", "approve", "plan.json")
    assert (2, True) == (found.code, "is a plan for library in staging, and this is library in production" in found.err)


def test_people_who_are_recorded_by_ids_sign_as_well(project: Signed) -> None:
    """The ledger has no name of theirs, neither as signer, nor in the statement; and it counts."""
    project.configure(people={"pseudonyms": True, "key_from": "PEOPLE_KEY"})
    project.commit()
    key = {"PEOPLE_KEY": "a long random text that everybody has"}
    done = project.by("ann", "sign", "people.oncall", "--note", "I have the phone", **key)
    assert done.code == 0, done
    found = project.by("ben", "checklist", "--json", **key)
    item = next(each for each in found.answer["items"] if each["item"] == "people.oncall")
    assert "pass" == item["answer"], item
    (facts,) = (event["facts"] for event in project.raw() if event["kind"] == "signed")
    assert facts["signer"].startswith("p-")
    said = {name: value for name, value in facts.items() if name not in ("signature", "key")}
    assert "ann" not in json.dumps(said), said
