"""What is deployed is what the commit has: neither an archive's note nor the ledger is believed about that."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import memory
import pytest
from checklist.release_of import Project

from deploytasks.checklist import Subject
from deploytasks.checklist.committed import content_committed
from deploytasks.checklist.item import Found
from deploytasks.ports import Release
from deploytasks.release import artifact


@pytest.fixture
def project(tmp_path: Path) -> Project:
    made = Project(tmp_path)
    made.world.settings = memory.settings(protected=True)
    made.commit({"app.py": "print('reviewed')\n"})
    return made


def described(project: Project) -> Release:
    return artifact.describe(project.root, ".", artifacts=project.root / ".deploy/artifacts")


def found(project: Project, release: Release, **changes: Any) -> Found:
    project.world.settings = replace(project.world.settings, **changes)
    return content_committed(Subject(project.world, release))


def test_the_content_of_the_commit_passes(project: Project) -> None:
    """It is made anew from the commit, and has the digest of what is deployed."""
    release = described(project)
    assert Found("pass", f"commit {release.commit[:12]} has exactly this content") == found(project, release)


def test_content_that_only_claims_a_commit_is_refused(project: Project) -> None:
    """An archive with a note that names a reviewed commit; a dirty tree that was installed, and is shifted to."""
    forged = described(project)._replace(digest="f" * 64)
    seen = found(project, forged)
    assert ("fail", True) == (seen.answer, "another content" in seen.evidence)


def test_content_of_a_commit_that_nobody_has_here_is_refused(project: Project) -> None:
    """What cannot be compared does not pass; nor what names no commit."""
    release = described(project)
    for commit, why in (("e" * 40, "cannot be compared"), ("", "nobody knows"), ("HEAD", "nobody knows")):
        seen = found(project, release._replace(commit=commit))
        assert ("fail", True) == (seen.answer, why in seen.evidence)


def test_a_replaced_commit_is_not_taken_for_the_real_one(project: Project) -> None:
    """`git replace` lets a commit say something else, on this machine only."""
    reviewed = project.git("rev-parse", "HEAD")
    evil = project.commit({"app.py": "print('evil')\n"})
    release = described(project)._replace(commit=reviewed)
    project.git("replace", reviewed, evil)
    assert "fail" == found(project, release).answer


def test_changes_that_no_commit_has_pass_in_no_production(project: Project) -> None:
    """`dirty: true` is for those who try things out: who has reviewed a commit has not seen them."""
    release = described(project)._replace(dirty=True)
    assert "fail" == found(project, release, dirty=True).answer
    assert "warn" == found(project, release, dirty=True, protected=False).answer
    assert "fail" == found(project, release, dirty=False, protected=False).answer
