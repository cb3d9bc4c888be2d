"""Real git repositories."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

IDENTITY = ("-c", "user.name=Ann", "-c", "user.email=ann@example.org", "-c", "commit.gpgSign=false")


class Repository:
    """A git repository with an application in ``src``."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.commits = 0
        self.artifacts = path / ".deploy" / "artifacts"
        path.mkdir(parents=True)
        self.git("init", "--quiet", "--initial-branch=main")

    def git(self, *arguments: str) -> str:
        """What git prints."""
        env = {**os.environ, "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null"}
        done = subprocess.run(["git", *IDENTITY, *arguments], cwd=self.path, env=env, capture_output=True, check=True)
        return done.stdout.decode().strip()

    def write(self, name: str, text: str = "x") -> Path:
        """Write a file below the top."""
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return file

    def commit(self, tag: str | None = None) -> str:
        """Commit everything, tag it, and return the commit."""
        self.commits += 1  # two equal commits within a second are one
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "-m", f"change {self.commits}")
        if tag:
            self.git("tag", tag)
        return self.git("rev-parse", "HEAD")

    def snapshot(self) -> dict[str, tuple[int, bytes]]:
        """Every file below, ``.git`` included, with its time of change and content."""
        files = (file for file in self.path.rglob("*") if file.is_file())
        return {str(file): (file.stat().st_mtime_ns, file.read_bytes()) for file in files}


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """A repository with one commit."""
    made = Repository(tmp_path / "repository")
    made.write("src/app.py", "print('hello')\n")
    made.write(".gitignore", ".deploy/\n*.pyc\n")
    made.commit()
    return made
