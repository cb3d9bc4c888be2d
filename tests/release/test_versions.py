"""Which version a commit has."""

from __future__ import annotations

import pytest
from semver import Version

from deploytasks.release import versions
from deploytasks.release.versions import Position

from .conftest import Repository

COMMIT = "0123456789" * 4


def version_of(repository: Repository, prefix: str = "v") -> str:
    commit = repository.git("rev-parse", "HEAD")
    return versions.version(versions.position(repository.path, commit, prefix))


@pytest.mark.parametrize(
    ("newest", "distance", "changed", "expected"),
    [
        ("1.2.3", 0, None, "1.2.3"),
        ("1.2.3", 4, None, "1.2.4-dev.4+g0123456"),
        ("1.2.3", 0, "abcdef0123", "1.2.4-dev.0+g0123456.dirty.abcdef01"),
        ("1.3.0-rc.1", 0, None, "1.3.0-rc.1"),
        ("1.3.0-rc.1", 2, None, "1.3.0-rc.1.dev.2+g0123456"),
        (None, 7, None, "0.0.0-dev.7+g0123456"),
        (None, 7, "abcdef0123", "0.0.0-dev.7+g0123456.dirty.abcdef01"),
    ],
)
def test_version_at_a_position(newest: str | None, distance: int, changed: str | None, expected: str) -> None:
    """The tag itself on the tag; a development version, above it and valid, everywhere else."""
    at = Position(Version.parse(newest) if newest else None, distance, COMMIT)
    found = versions.version(at, changed)
    assert found == expected
    assert Version.is_valid(found)
    if newest and (distance or changed):
        assert Version.parse(newest) < Version.parse(found)


@pytest.mark.parametrize("tag", ["deploy-2024-01-01", "v2", "v1.2.3.4", "1.2.3", "vv1.2.3", "v1.2.3+build", "v01.2.3"])
def test_other_tags_are_no_versions(tag: str) -> None:
    """The prefix comes off exactly once; what is then not semver, or has build metadata, is no version."""
    assert versions.parse(tag, "v") is None


def test_without_tags(repository: Repository) -> None:
    """No version yet: 0.0.0 and the number of commits."""
    repository.commit()
    assert version_of(repository) == f"0.0.0-dev.2+g{repository.git('rev-parse', 'HEAD')[:7]}"


def test_newest_by_precedence(repository: Repository) -> None:
    """Of several tags, on one commit or on several, the greatest counts; a final one is above its candidates."""
    repository.commit("v0.2.1")
    repository.commit("v1.0.0-rc.10")
    repository.git("tag", "v1.0.0-rc.9")
    repository.git("tag", "v1.0.0")
    repository.git("tag", "v0.3.0")
    repository.git("tag", "nightly")
    assert version_of(repository) == "1.0.0"


def test_only_history_counts(repository: Repository) -> None:
    """A hotfix on an older release follows the older release."""
    repository.commit("v1.1.0")
    repository.git("branch", "hotfix")
    repository.commit("v2.0.0")
    repository.git("switch", "--quiet", "hotfix")
    commit = repository.commit()
    assert version_of(repository) == f"1.1.1-dev.1+g{commit[:7]}"


def test_own_prefix(repository: Repository) -> None:
    """Tags of another prefix belong to someone else; an empty prefix is one too."""
    repository.commit("app-1.0.0")
    repository.git("tag", "9.0.0")
    assert (version_of(repository, "app-"), version_of(repository, "")) == ("1.0.0", "9.0.0")


def test_annotated_tags_and_column_settings(repository: Repository) -> None:
    """An annotated tag counts, and the user's taste in columns does not."""
    repository.git("config", "column.ui", "always")
    repository.commit()
    repository.git("tag", "-a", "-m", "one", "v1.0.0")
    repository.git("tag", "-a", "-m", "two", "v1.0.1")
    assert version_of(repository) == "1.0.1"
