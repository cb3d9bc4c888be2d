"""This repository itself, released: cloned, cut, checked, pushed."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from semver import Version

ROOT = Path(__file__).parents[2]
ALONE = {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null", "PYTHONPATH": str(ROOT), "NO_COLOR": "1"}


def git(folder: Path, *arguments: str) -> str:
    """What git prints."""
    own = {**os.environ, **ALONE}
    done = subprocess.run(["git", *arguments], cwd=folder, env=own, capture_output=True, check=True, timeout=120)
    return done.stdout.decode().rstrip("\n")


def inv(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a task there, with the code of this checkout."""
    command = [sys.executable, "-m", "invoke", *arguments]
    own = {**os.environ, **ALONE}
    return subprocess.run(command, cwd=folder, env=own, capture_output=True, text=True, timeout=120, check=False)


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clone of this repository, with a bare remote of its own, and a line under Unreleased."""
    bare, made = tmp_path / "origin.git", tmp_path / "a clone"
    if not (ROOT / ".git").exists():
        pytest.skip("this is no checkout, but what was unpacked of one")
    git(tmp_path, "clone", "--quiet", "--bare", str(ROOT), str(bare))
    git(tmp_path, "clone", "--quiet", str(bare), str(made))
    if git(made, "rev-parse", "--is-shallow-repository") == "true":
        pytest.skip("this checkout is shallow, and no release is cut from a shallow clone")
    git(made, "switch", "--quiet", "--force-create", "main")
    git(made, "config", "user.name", "Ann")
    git(made, "config", "user.email", "ann@example.org")
    changelog = made / "CHANGELOG.md"
    text = changelog.read_bytes()
    changelog.write_bytes(text.replace(b"## [Unreleased]\n", b"## [Unreleased]\n\n### Security\n\n- Tried out.\n", 1))
    git(made, "commit", "--quiet", "--message", "Try out", "CHANGELOG.md")
    git(made, "push", "--quiet", "--force", "origin", "main")
    return made


def test_this_repository_cuts_a_release(clone: Path) -> None:
    """One more version: the changelog differs by its heading (and link), the version file by its number, the tree is
    clean, and one push brings commit and tag."""
    before, head = (clone / "CHANGELOG.md").read_bytes(), git(clone, "rev-parse", "HEAD")
    tags = [Version.parse(tag[1:]) for tag in git(clone, "tag", "--merged").split() if Version.is_valid(tag[1:])]
    wanted = str(max(tags).next_version("patch")) if tags else "0.1.0"

    plan = inv(clone, "create-release", "patch", "Tried out", "--plan")
    assert plan.returncode == 0, plan.stderr
    assert f"+## [{wanted}] - " in plan.stdout
    assert (git(clone, "rev-parse", "HEAD"), git(clone, "status", "--porcelain")) == (head, "")

    done = inv(clone, "create-release", "patch", "Tried out", "--yes")
    assert done.returncode == 0, done.stderr
    assert git(clone, "rev-parse", "HEAD^") == head
    assert git(clone, "rev-parse", f"v{wanted}^{{commit}}") == git(clone, "rev-parse", "HEAD")
    assert git(clone, "cat-file", "-t", f"v{wanted}") == "tag"
    assert git(clone, "status", "--porcelain") == ""
    assert tomllib.loads((clone / "pyproject.toml").read_text())["project"]["version"] == wanted

    removed, added = _difference(clone, "CHANGELOG.md")
    assert [line for line in removed if not line.startswith("[")] == []
    assert re.fullmatch(rf"## \[{re.escape(wanted)}\] - \d{{4}}-\d{{2}}-\d{{2}}", added[0])
    assert [line for line in added[1:] if line and not line.startswith("[")] == []
    assert b"- Tried out." in before
    notes = inv(clone, "release-notes", wanted)
    assert notes.stdout.startswith("Security\n\n- Tried out.\n")

    push = next(line for line in done.stdout.splitlines() if "to push it:" in line).partition("git ")[2]
    assert push == f"push --atomic origin main v{wanted}"
    git(clone, *push.split())
    there = git(clone, "ls-remote", "origin", "refs/heads/main", f"refs/tags/v{wanted}^{{}}")
    assert {line.split()[0] for line in there.splitlines()} == {git(clone, "rev-parse", "HEAD")}

    (clone / "pyproject.toml").write_bytes((clone / "pyproject.toml").read_bytes() + b"\n# the end\n")
    git(clone, "commit", "--quiet", "--all", "--message", "Go on")
    again = inv(clone, "create-release", "minor", "Tried again", "--allow-empty", "--push", "--json")
    assert again.returncode == 0, again.stderr
    answer = json.loads(again.stdout)
    minor = str(Version.parse(wanted).bump_minor())
    assert (answer["version"], answer["previous"], answer["pushed"]) == (minor, wanted, True)
    assert _difference(clone, "pyproject.toml") == ([f'version = "{wanted}"'], [f'version = "{minor}"'])
    assert git(clone, "show", "--format=", "--name-only", "HEAD").split() == ["CHANGELOG.md", "pyproject.toml"]
    history = inv(clone, "history", "--env", "development").stdout
    assert [f"released: {version}" in history for version in (wanted, minor)] == [True, True]


def _difference(clone: Path, name: str) -> tuple[list[str], list[str]]:
    """The lines that the last commit took out of a file, and those that it put in."""
    lines = git(clone, "show", "--format=", "--unified=0", "HEAD", "--", name).split("\n")
    body = [line for line in lines if not line.startswith(("---", "+++", "@@", "diff", "index"))]
    return [line[1:] for line in body if line[:1] == "-"], [line[1:] for line in body if line[:1] == "+"]
