"""Repositories in which releases are cut: with a changelog, a remote, hooks, and everything that must stay as it is."""

from __future__ import annotations

import os
import stat
import subprocess
from pathlib import Path
from typing import NamedTuple

import pytest

from .conftest import Repository

CHANGELOG = b"# Changelog\n\n## [Unreleased]\n\n### Added\n\n- A thing.\n"
ALONE = {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null"}


class State(NamedTuple):
    """All that a release that failed must leave as it was."""

    head: str
    branch: str
    refs: str
    index: str
    status: str
    files: dict[str, tuple[int, bytes]]


class Ground(Repository):
    """A repository with a changelog, a version file, and a bare remote that has all of it."""

    def __init__(self, path: Path, changelog: bytes = CHANGELOG) -> None:
        super().__init__(path)
        self.git("config", "user.name", "Ann")
        self.git("config", "user.email", "ann@example.org")
        self.write("app.py", "print('hello')\n")
        self.write(
            "pyproject.toml", '[project]\nname = "app"\nversion = "0.0.1"\n\n[tool.x]\ntarget-version = "py311"\n'
        )
        (path / "CHANGELOG.md").write_bytes(changelog)
        self.commit()
        self.remote = path.with_name(f"{path.name}.git")
        self.git("init", "--quiet", "--bare", "--initial-branch=main", str(self.remote))
        self.git("remote", "add", "origin", str(self.remote))
        self.push()

    def push(self) -> None:
        """Everything to the remote."""
        self.git("push", "--quiet", "origin", "main")
        self.git("push", "--quiet", "--tags", "origin")

    def entry(self, text: str = "- Another thing.") -> str:
        """A commit with a line in the changelog."""
        file = self.path / "CHANGELOG.md"
        head, mark, rest = file.read_bytes().partition(b"## [Unreleased]\n")
        file.write_bytes(head + mark + f"\n### Fixed\n\n{text}\n".encode() + rest)
        return self.commit()

    def hook(self, name: str, script: str) -> Path:
        """A hook in sh."""
        file = self.path / ".git" / "hooks" / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(f"#!/bin/sh\n{script}\n")
        file.chmod(file.stat().st_mode | stat.S_IXUSR)
        return file

    def refs(self, folder: Path | None = None) -> str:
        """Every reference with its object."""
        return subprocess.run(
            ["git", "for-each-ref", "--format=%(refname) %(objectname)"],
            cwd=folder or self.path, capture_output=True, text=True, check=True, env={**os.environ, **ALONE},
        ).stdout  # fmt: skip

    def state(self) -> State:
        """What must stay."""
        files = (file for file in self.path.rglob("*") if file.is_file() and ".git" not in file.parts)
        return State(
            self.git("rev-parse", "HEAD"),
            self.git("symbolic-ref", "HEAD"),
            self.refs(),
            self.git("ls-files", "--stage"),
            self.git("status", "--porcelain=v2", "--untracked-files=all"),
            {str(file): (file.stat().st_mode, file.read_bytes()) for file in files},
        )

    def text(self, name: str = "CHANGELOG.md") -> bytes:
        """A file in the work tree."""
        return (self.path / name).read_bytes()

    def leftovers(self) -> list[str]:
        """What of ours, or of a killed git, is left in the git folder."""
        found = (self.path / ".git").rglob("*")
        names = [file.name for file in found if file.name.endswith(".lock") or "deploytasks-release" in file.name]
        return sorted(set(names) - {"deploytasks-release.lock"})


@pytest.fixture
def ground(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ground:
    """Such a repository, in a folder with a blank in its name; nobody's own configuration of git counts."""
    for name, value in ALONE.items():
        monkeypatch.setenv(name, value)
    return Ground(tmp_path / "my project")
