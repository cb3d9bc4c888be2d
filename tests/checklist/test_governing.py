"""The gates are those that were committed; a commit that changes them is not let in by its own word."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from invoke import Config, Context
from lab import keys
from lab.house import House

from deploytasks.checklist import Found, Subject, item_of
from deploytasks.checklist.governing import CONFIGURED, differences
from deploytasks.checklist.signatures import answered
from deploytasks.operations.signing import record
from deploytasks.ports import Release
from deploytasks.world import World

GATES: dict[str, Any] = {"approvals": 2, "branches": ["main"]}


class Place:
    """A repository whose configuration is committed, and whoever deploys from it."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.live = self.commit(GATES)

    def commit(self, gates: dict[str, Any], *, people: tuple[str, ...] = ("ann", "ben"), **own: Any) -> str:
        """Commit a configuration with these gates, and these people as signers."""
        files = {"invoke.yaml": written(gates, **own), "allowed_signers": "".join(map(self.house.line, people))}
        return keys.commit(self.house.root, files)

    def world(self, who: str = "ann", **changes: Any) -> World:
        """As Invoke reads the configuration that lies there now."""
        world = self.house.world(who, **changes)
        config = Config(project_location=str(self.house.root), lazy=True)
        config.load_project()
        config.load_shell_env()
        world.site = world.site._replace(context=Context(config))
        return world

    def goes_live(self) -> None:
        """The ledger hears of it."""
        facts = {"version": "1.0.0", "commit": self.live, "digest": "d" * 64, "color": "blue", "deployment": "d-1"}
        self.world().note("settled", **facts)

    def subject(self, commit: str, who: str = "ann", **changes: Any) -> Subject:
        return Subject(self.world(who, **changes), Release("1.1.0", commit, "e" * 64, ""))

    def found(self, commit: str, **changes: Any) -> Found:
        """What the item says, as people's signatures change it."""
        of = self.subject(commit, **changes)
        return answered(CONFIGURED, CONFIGURED.look(of), of)


def written(gates: dict[str, Any], **own: Any) -> str:
    environments = {"test": {"protected": True, "gates": gates, **own}, "other": {"warm_up": {"requests": 1}}}
    return json.dumps({"deploy": {"application": "library", "environments": environments}})


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    return Place(House(tmp_path / "house", monkeypatch))


def test_what_is_committed_passes(place: Place) -> None:
    """Before anything is live, and after; elsewhere than in a protected environment nobody asks."""
    assert "pass" == place.found(place.live).answer
    place.goes_live()
    assert "pass" == place.found(place.live).answer
    assert "not applicable" == place.found(place.live, protected=False).answer
    assert CONFIGURED is item_of("code.configuration")


@pytest.mark.parametrize(
    ("gates", "own", "named"),
    [
        ({**GATES, "approvals": 0}, {}, "environments.test.gates.approvals"),
        ({**GATES, "level": "development"}, {}, "environments.test.gates.level"),
        (GATES, {"reviews": {"kind": "github", "url": "http://localhost:1"}}, "environments.test.reviews"),
        (GATES, {"signers": {"file": "/tmp/mine"}}, "environments.test.signers"),
        (GATES, {"dirty": True}, "environments.test.dirty"),
    ],
    ids=["approvals", "level", "reviews", "signers", "dirty"],
)
def test_an_edit_that_no_commit_has_is_refused(
    place: Place, gates: dict[str, Any], own: dict[str, Any], named: str
) -> None:
    """Whatever it is, and although the rest of the gates would believe it. It is named."""
    (place.house.root / "invoke.yaml").write_text(written(gates, **own))
    seen = place.found(place.live)
    assert ("fail", True) == (seen.answer, seen.evidence.startswith(f"{named} is not what commit")), seen


def test_neither_git_nor_a_variable_hides_it(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Git can be told to overlook an edit, and Invoke to take another value: what counts is compared."""
    keys.git(place.house.root, "update-index", "--assume-unchanged", "invoke.yaml")
    (place.house.root / "invoke.yaml").write_text(written({**GATES, "approvals": 0}))
    assert "fail" == place.found(place.live).answer
    (place.house.root / "invoke.yaml").write_text(written(GATES))
    assert "pass" == place.found(place.live).answer
    monkeypatch.setenv("INVOKE_DEPLOY_ENVIRONMENTS_TEST_GATES_APPROVALS", "0")
    assert "fail" == place.found(place.live).answer


def test_what_concerns_another_environment_alone_does_not_matter(place: Place) -> None:
    """But where it remembers does: order is looked up there."""
    document = json.loads(written(GATES))
    document["deploy"]["environments"]["other"] = {"warm_up": {"requests": 2}}
    (place.house.root / "invoke.yaml").write_text(json.dumps(document))
    assert "pass" == place.found(place.live).answer
    document["deploy"]["environments"]["other"]["store"] = {"kind": "directory", "path": "/tmp/forged"}
    (place.house.root / "invoke.yaml").write_text(json.dumps(document))
    assert "environments.other.store" in place.found(place.live).evidence


def test_a_newer_configuration_counts_once_a_remote_has_it(place: Place, tmp_path: Path) -> None:
    """An older version goes out by the gates of today; a commit that nobody else can see is no such thing."""
    newer = place.commit({**GATES, "approvals": 3})
    assert "fail" == place.found(place.live).answer
    assert "pass" == place.found(newer).answer
    keys.git(place.house.root, "init", "-q", "--bare", str(tmp_path / "remote.git"))
    keys.git(place.house.root, "remote", "add", "origin", str(tmp_path / "remote.git"))
    keys.git(place.house.root, "push", "-q", "origin", "HEAD:refs/heads/main")
    assert "pass" == place.found(place.live).answer


def test_a_commit_that_changes_the_gates_needs_the_word_of_somebody_before_it(place: Place) -> None:
    """Of one whose key counted in what is live; then it passes, and is signed."""
    place.goes_live()
    weaker = place.commit({**GATES, "approvals": 0})
    seen = place.found(weaker)
    assert ("needs a signature", True) == (seen.answer, "test.gates.approvals is not what" in seen.evidence), seen
    record(place.world("ben"), "sign", CONFIGURED.id, weaker, "agreed on Monday", commit=weaker)
    assert "pass" == place.found(weaker).answer


@pytest.mark.parametrize("act", ["sign", "override"])
def test_nobody_lets_himself_in_by_a_commit_of_his_own(place: Place, act: str) -> None:
    """Cay's key came with the commit that it is to let in: it counts once that is live, and not before."""
    place.goes_live()
    own = place.commit(GATES, people=("ann", "ben", "cay"))
    assert "the allowed signers" in place.found(own).evidence
    record(place.world("cay"), act, CONFIGURED.id, own, "trust me", commit=own)
    seen = place.found(own)
    assert ("needs a signature", True) == (seen.answer, "is not in allowed_signers" in seen.evidence), seen


def test_other_files_of_signers_let_nobody_in_either(place: Place) -> None:
    """A commit that names a file of its own; and a clone that does not have what is live, so that nobody could tell."""
    place.goes_live()
    keys.commit(place.house.root, {"mine": place.house.line("cay")})
    files = {"file": "mine", "key": str(place.house.keys["cay"])}
    own = place.commit(GATES, signers={"file": "mine"})
    changes = {"signers": files}
    for act in ("sign", "override"):
        record(place.world("cay", **changes), act, CONFIGURED.id, own, "trust me", commit=own)
    seen = place.found(own, **changes)
    assert ("needs a signature", True) == (seen.answer, "test.signers" in seen.evidence), seen
    assert "its key" in seen.evidence


def test_without_what_is_live_nobody_signs_for_it(place: Place) -> None:
    """A shallow clone must not be a way in."""
    facts = {"version": "1.0.0", "commit": "e" * 40, "digest": "d" * 64, "color": "blue", "deployment": "d-1"}
    place.world().note("settled", **facts)
    own = place.commit(GATES, people=("cay",))
    record(place.world("cay"), "override", CONFIGURED.id, own, "trust me", commit=own)
    seen = place.found(own)
    assert ("fail", True) == (seen.answer, "whose key counts for this is not known" in seen.evidence), seen


def test_where_what_is_live_had_no_gates_its_own_signers_sign(place: Place) -> None:
    """Somebody has to begin."""
    files = {"something": "else"}
    keys.git(place.house.root, "rm", "-q", "-r", "--cached", ".")
    place.live = keys.commit(place.house.root, files)
    place.goes_live()
    first = place.commit(GATES)
    assert "needs a signature" == place.found(first).answer
    record(place.world("ben"), "sign", CONFIGURED.id, first, "let us begin", commit=first)
    assert "pass" == place.found(first).answer


@pytest.mark.parametrize("commit", ["", "HEAD", "--help", "e" * 40])
def test_what_cannot_be_compared_fails(place: Place, commit: str) -> None:
    """A commit that nobody knows, or that is none."""
    assert "fail" == place.found(commit).answer


def test_without_a_committed_configuration_it_fails(place: Place) -> None:
    """Nobody can have reviewed it."""
    keys.git(place.house.root, "rm", "-q", "--cached", "invoke.yaml")
    keys.git(place.house.root, "commit", "-q", "-m", "Forget it")
    commit = keys.git(place.house.root, "rev-parse", "HEAD").strip()
    seen = place.found(commit)
    assert ("fail", True) == (seen.answer, "there is no invoke.yaml" in seen.evidence)


def test_differences_are_told_by_their_paths() -> None:
    """Lists and values as a whole, missing keys too."""
    before = {"a": {"b": 1, "c": [1, 2]}, "d": None}
    assert ["a.c", "d", "e"] == differences(before, {"a": {"b": 1, "c": [1]}, "e": 2})
    assert [] == differences(before, before)
