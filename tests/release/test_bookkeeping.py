"""A release commit hands on what it stands on; a commit that brings anything else stands for itself."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from deploytasks.release.bookkeeping import released
from deploytasks.settings.release import Release as Rules, VersionFile

if TYPE_CHECKING:
    from release.conftest import Repository

RULES = Rules(version_files=(VersionFile(file="pyproject.toml", pattern='version = "{version}"'),))
PROJECT = 'name = "library"\nversion = "1.0.0"\n'


@pytest.fixture
def change(repository: Repository) -> str:
    """A commit with a change, a changelog and a file that says the version."""
    repository.write("CHANGELOG.md", "## [Unreleased]\n- Lend books.\n")
    repository.write("pyproject.toml", PROJECT)
    repository.write("src/CHANGELOG.md", "of another project")
    return repository.commit()


def release(of: Repository, version: str) -> str:
    """As `create-release` does it."""
    of.write("CHANGELOG.md", f"## [Unreleased]\n\n## [{version}]\n- Lend books.\n")
    of.write("pyproject.toml", PROJECT.replace("1.0.0", version))
    return of.commit(f"v{version}")


def test_a_release_commit_stands_for_what_it_stands_on(repository: Repository, change: str) -> None:
    """One, or several: a candidate and what became of it."""
    assert change == released(repository.path, change, RULES)
    assert change == released(repository.path, release(repository, "1.1.0-rc.1"), RULES)
    assert change == released(repository.path, release(repository, "1.1.0"), RULES)


def test_a_commit_that_is_known_by_its_tag(repository: Repository, change: str) -> None:
    """An annotated tag is its commit."""
    release(repository, "1.1.0")
    repository.git("tag", "--annotate", "--message", "it", "annotated")
    assert change == released(repository.path, "annotated", RULES)


@pytest.mark.parametrize(
    "also",
    [
        pytest.param(lambda r: r.write("src/app.py", "print('more')\n"), id="code"),
        pytest.param(lambda r: r.write("pyproject.toml", PROJECT + 'scripts = "evil"\n'), id="another-line"),
        pytest.param(lambda r: r.write("pyproject.toml", 'name = "library"\n'), id="no-version"),
        pytest.param(lambda r: r.write("src/CHANGELOG.md", "x"), id="a-changelog-elsewhere"),
        pytest.param(lambda r: r.write("new.txt"), id="a-new-file"),
        pytest.param(lambda r: (r.path / "CHANGELOG.md").unlink(), id="the-changelog-is-gone"),
        pytest.param(lambda r: (r.path / "CHANGELOG.md").chmod(0o755), id="another-mode"),
        pytest.param(lambda r: _linked(r.path / "CHANGELOG.md"), id="a-link"),
    ],
)
def test_whatever_brings_more_stands_for_itself(
    repository: Repository, change: str, also: Callable[[Repository], object]
) -> None:
    """Whatever its message says."""
    release(repository, "1.1.0")
    also(repository)
    repository.git("add", "--all")
    repository.git("commit", "--quiet", "--message", "Release 1.2.0")
    commit = repository.git("rev-parse", "HEAD")
    assert commit == released(repository.path, commit, RULES)


def _linked(file: Path) -> None:
    file.unlink()
    file.symlink_to("src/app.py")


def test_an_empty_commit_and_a_merge_stand_for_themselves(repository: Repository, change: str) -> None:
    """Nothing says that they are releases."""
    empty = repository.commit()
    assert empty == released(repository.path, empty, RULES)
    repository.git("switch", "--quiet", "--create", "side", change)
    repository.write("src/side.py")
    repository.commit()
    repository.git("switch", "--quiet", "main")
    repository.git("merge", "--quiet", "--no-ff", "--message", "Release 1.1.0", "side")
    merged = repository.git("rev-parse", "HEAD")
    assert merged == released(repository.path, merged, RULES)


def test_a_project_in_a_folder_of_its_repository(repository: Repository, change: str) -> None:
    """Its own changelog counts, and the one at the top does not."""
    inner = repository.path / "src"
    repository.write("CHANGELOG.md", "more")
    above = repository.commit()
    assert above == released(inner, above, RULES)
    repository.write("src/CHANGELOG.md", "more")
    assert above == released(inner, repository.commit(), RULES)


def test_a_history_that_is_not_here(repository: Repository, change: str, tmp_path: Path) -> None:
    """A commit of another clone, a clone that is cut off, no repository: the commit itself."""
    assert "0" * 40 == released(repository.path, "0" * 40, RULES)
    last = release(repository, "1.1.0")
    shallow = tmp_path / "shallow"
    repository.git("clone", "--quiet", "--depth", "1", f"file://{repository.path}", str(shallow))
    assert last == released(shallow, last, RULES)
    assert last == released(tmp_path, last, RULES)


def test_a_first_commit(repository: Repository) -> None:
    """It has nothing to stand on."""
    first = repository.git("rev-list", "--max-parents=0", "HEAD")
    assert first == released(repository.path, first, RULES)
