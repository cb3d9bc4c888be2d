"""``inv create-release`` and ``inv release-notes``, as they are typed."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from release.ground import ALONE, CHANGELOG

from .project import Project

NAMES = {f"GIT_{who}_NAME": "Ann" for who in ("AUTHOR", "COMMITTER")}
OWN = {**ALONE, **NAMES, "EMAIL": "ann@example.org"}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project in git, with a changelog and two environments' worth of configuration."""
    for name, value in OWN.items():
        monkeypatch.setenv(name, value)
    made = Project(tmp_path / "my project")
    made.configure()
    (made.root / ".gitignore").write_text("__pycache__/\n.deploy/\n")
    (made.root / "CHANGELOG.md").write_bytes(CHANGELOG)
    git(made, "init", "--quiet", "--initial-branch=main")
    commit(made)
    return made


def git(project: Project, *arguments: str) -> str:
    """What git prints."""
    return subprocess.run(
        ["git", *arguments], cwd=project.root, capture_output=True, text=True, check=True
    ).stdout.strip()


def commit(project: Project) -> None:
    """Everything."""
    git(project, "add", "--all")
    git(project, "commit", "--quiet", "--allow-empty", "-m", "change")


def test_a_release_and_its_notes(project: Project) -> None:
    """People read the diff first, then what was made and what comes next; then the notes."""
    plan = project.inv("create-release", "minor", "Something new", "--plan")
    assert plan.code == 0
    assert "+## [0.1.0] - 20" in plan.out
    assert "git tag --annotate --cleanup=whitespace --file=- v0.1.0 COMMIT" in plan.out
    assert git(project, "tag") == ""
    done = project.inv("create-release", "minor", "Something new")
    assert (done.code, "✓ released 0.1.0: v0.1.0 at " in done.out) == (0, True)
    assert "to undo it:  git tag --delete v0.1.0 && git reset --keep" in done.out
    assert project.inv("release-notes", "0.1.0").out == "Added\n\n- A thing.\n"
    assert "released: 0.1.0 as v0.1.0" in project.inv("history").out


@pytest.mark.parametrize(
    "words",
    [
        ["patch", "--message-file", "message"],
        ["--message-file", "message", "patch"],
        ["--bump", "patch", "--message-file=message"],
        ["patch", "--message=-- it's $HOME; `x`"],
    ],
)
def test_messages_of_all_kinds(project: Project, words: list[str]) -> None:
    """From a file, as an option, before or after what is raised; no shell sees it."""
    (project.root / "message").write_text("-- it's $HOME; `x`\n")
    commit(project)
    done = project.inv("create-release", *words)
    assert (done.code, done.err.count("\n")) == (0, 2)
    assert git(project, "log", "-1", "--format=%B") == "Release 0.1.0\n\n-- it's $HOME; `x`"


def test_the_message_of_one_call_is_not_that_of_another(project: Project) -> None:
    """Twice in one chain, each with a message of its own; the second finds nothing new."""
    (project.root / "message").write_text("from a file")
    commit(project)
    done = project.inv("create-release", "patch", "--message-file", "message", "create-release", "patch", "typed")
    assert (done.code, "there is nothing since v0.1.0" in done.err) == (3, True)
    assert git(project, "log", "-1", "--format=%b") == "from a file"


@pytest.mark.parametrize(
    ("words", "code", "why"),
    [
        (["patch"], 1, "did not receive required positional arguments: 'message'"),
        (["fix", "words"], 2, "major, minor, patch or final, not 'fix'"),
        (["patch", ""], 2, "the message is empty"),
        (["patch", "words", "--message-file", "CHANGELOG.md"], 2, "which one?"),
        (["patch", "words", "--pre", "rc.1"], 2, "--pre rc.1"),
        (["final", "words"], 3, "none to finish"),
        (["patch", "words", "--push"], 3, "there is no remote origin"),
        (["patch", "words", "--github"], 2, "say --push"),
        (["patch", "words", "--from-tag", "main"], 2, "a version tag such as v1.2.3"),
    ],
)
def test_wrong_usage(project: Project, words: list[str], code: int, why: str) -> None:
    """Each mistake has its words, and changes nothing."""
    done = project.inv("create-release", *words)
    assert (done.code, why in done.err) == (code, True), done.err
    assert git(project, "tag") == ""


def test_a_failing_hook(project: Project) -> None:
    """Code 4, what the hook said, and that all is as it was."""
    hook = project.root / ".git" / "hooks" / "pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho no >&2; exit 1\n")
    hook.chmod(0o755)
    done = project.inv("create-release", "patch", "words")
    assert done.code == 4
    assert "git commit failed: no\n  state: taken back: branch, index, files and tags are as they were" in done.err
    assert git(project, "status", "--porcelain") == ""
