"""The page about releases, typed from its beginning to its end, in a repository with a remote and a GitHub."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

import pytest
from journeys.environment import Done, Environment
from journeys.shown import typed
from lab.github import GitHub, github


class Repository(Environment):
    """A project that is released, and that nobody deploys here."""

    hub: GitHub
    ends: ClassVar = ()

    @property
    def general(self) -> dict[str, Any]:  # type: ignore[override]
        """Where the page of a release is made."""
        return {"release": {"page": {"url": self.hub.url, "repository": self.hub.repository}}}

    @property
    def variables(self) -> dict[str, str]:
        return {**super().variables, "GITHUB_TOKEN": self.hub.token}

    def write_down(self, line: str) -> None:
        """A line under Unreleased, committed and pushed."""
        file = self.root / "CHANGELOG.md"
        text = file.read_text()
        file.write_text(text.replace("## [Unreleased]\n", f"## [Unreleased]\n\n### Added\n\n- {line}\n", 1))
        self.git("add", "CHANGELOG.md")
        self.git("commit", "--quiet", "--message", line)
        self.git("push", "--quiet", "origin", "HEAD")

    def cut(self, *words: str) -> Done:
        """A release of something."""
        if "--allow-empty" not in words:
            self.write_down("One thing more.")
        return self.inv(*words)


@contextmanager
def repository(folder: Path) -> Iterator[Repository]:
    """With 1.3.2 released, and everything pushed."""
    with github() as hub:
        Repository.hub = hub
        made = Repository(folder / "library")
        try:
            subprocess.run(
                ["git", "init", "--quiet", "--bare", "--initial-branch=main", folder / "origin.git"], check=True
            )
            made.git("remote", "add", "origin", str(folder / "origin.git"))
            made.git("config", "user.name", "Ann")
            made.git("config", "user.email", "ann@example.org")
            (made.root / "CHANGELOG.md").write_text(
                "# Changelog\n\n## [Unreleased]\n\n## [1.3.2] - 2026-01-02\n\n- It.\n"
            )
            made.commit()
            made.git("tag", "--annotate", "v1.3.2", "--message", "1.3.2")
            made.git("push", "--quiet", "--tags", "--set-upstream", "origin", "main")
            yield made
        finally:
            made.end()


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Repository]:
    with repository(tmp_path) as made:
        yield made


def tags(project: Repository) -> set[str]:
    return set(project.git("tag").split())


def test_versions_are_cut_pushed_and_shown(project: Repository) -> None:
    """A minor one by hand; two patches that are pushed, one with a page; candidates and what they became; notes."""
    hands = {"inv create-release": project.cut}
    typed(project, "docs/releases.md", "Releases", hands=hands)
    assert "v1.4.0" in project.git("ls-remote", "--tags", "origin")
    typed(project, "docs/releases.md", "Notes")
    typed(project, "docs/releases.md", "Pushing, and the page at GitHub", hands=hands)
    assert ["v1.4.2"] == [one["tag_name"] for one in project.hub.releases]
    typed(project, "docs/releases.md", "Pre-releases", hands=hands)
    assert tags(project) == {"v1.3.2", "v1.4.0", "v1.4.1", "v1.4.2", "v1.5.0-rc.1", "v1.5.0-rc.2", "v1.5.0"}


def test_an_older_version_is_mended(project: Repository) -> None:
    """A branch at its tag, the fix on it, and a version of its own."""
    project.write_down("Something else.")
    assert project.inv("create-release", "minor", "Something else").code == 0
    project.commit()
    fix = project.git("rev-parse", "HEAD").strip()
    project.git("push", "--quiet", "--tags", "origin", "HEAD:main")
    times = iter(range(2))

    def cut(*words: str) -> Done:
        if next(times):
            project.write_down("Checkout works again.")
        return project.inv(*words)

    typed(
        project, "docs/releases.md", "A hotfix of an older version",
        instead={"1f3c9a2": f"--strategy-option=theirs {fix}"}, hands={"inv create-release": cut},
    )  # fmt: skip
    assert {"v1.3.3", "v1.4.0"} <= tags(project)
