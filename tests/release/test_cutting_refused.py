"""Where no release can be cut: each refusal says what is, what to do, and changes nothing."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from deploytasks.errors import DeployError, GateRefused, LeaseHeld
from deploytasks.release import journal
from deploytasks.release.cut import Cut

from .cutter import cut, decide
from .ground import ALONE, Ground, ground

__all__ = ["ground"]


def refusal(ground: Ground, **given: object) -> GateRefused:
    """The refusal of a release; nothing has changed then."""
    before = ground.snapshot()
    with pytest.raises(GateRefused) as found:
        cut(ground.path, **given)  # type: ignore[arg-type]  # bump and message are texts
    after = ground.snapshot()
    after.pop(str(ground.path / ".git" / journal.LOCK), None)
    before.pop(str(ground.path / ".git" / journal.LOCK), None)
    assert after == before
    assert found.value.exit_code == 3
    assert found.value.state == "nothing was changed"
    assert found.value.do
    return found.value


@pytest.mark.parametrize(
    ("soil", "named"),
    [
        (lambda ground: ground.write("new.py"), "new.py"),
        (lambda ground: ground.write("app.py", "other"), "app.py"),
        (lambda ground: (ground.path / "app.py").unlink(), "app.py"),
        (lambda ground: (ground.write("app.py", "other"), ground.git("add", "app.py")), "app.py"),
        (lambda ground: ground.git("mv", "app.py", "ä b.py"), "app.py, ä b.py"),
        (lambda ground: [ground.write(f"{nth}.py") for nth in range(8)], "0.py, 1.py, 2.py, 3.py, 4.py and 3 more"),
    ],
)
def test_a_dirty_tree(ground: Ground, soil: Callable[[Ground], object], named: str) -> None:
    """Whatever no commit has, staged or not, tracked or not, is named."""
    soil(ground)
    assert refusal(ground).what == f"the work tree has changes that no commit has: {named}"


def test_our_own_state_is_not_dirt(ground: Ground) -> None:
    """The state folder may lie in the work tree without being ignored."""
    from datetime import UTC, datetime

    from deploytasks.release import cutting
    from deploytasks.settings.release import Release

    ground.write(".deploy/development/x")
    wanted = cutting.Wanted("minor", "Words")
    found = cutting.decide(ground.path, Release(), "v", wanted, datetime.now(UTC), [ground.path / ".deploy"])
    assert isinstance(found, Cut)


def test_hidden_changes(ground: Ground) -> None:
    """A changelog that git was told not to look at is not committed by accident."""
    ground.git("update-index", "--assume-unchanged", "CHANGELOG.md")
    (ground.path / "CHANGELOG.md").write_bytes(ground.text() + b"- Hidden.\n")
    assert "git was told not to look" in refusal(ground).what


def test_no_branch(ground: Ground) -> None:
    """A detached HEAD has no branch to commit to."""
    ground.git("switch", "--quiet", "--detach")
    assert refusal(ground).what == "no branch is checked out (detached HEAD)"


@pytest.mark.parametrize("what", ["merge", "rebase", "cherry-pick", "revert"])
def test_in_the_middle_of_something(ground: Ground, what: str) -> None:
    """Merge, rebase, cherry-pick and revert are to be ended first."""
    ground.write("app.py", "one")
    ground.commit()
    ground.git("switch", "--quiet", "-c", "other", "HEAD^")
    ground.write("app.py", "two")
    ground.commit()
    command = {"revert": ["revert", "--no-edit", "main"]}.get(what, [what, "main"])
    with pytest.raises(subprocess.CalledProcessError):
        ground.git(*command)
    assert f"a {what} is in progress" in refusal(ground).what


def test_a_branch_that_is_not_allowed(ground: Ground) -> None:
    """Only the branches that are configured, as patterns."""
    assert "allowed are release/*, stable" in refusal(ground, branch=["release/*", "stable"]).what
    ground.git("switch", "--quiet", "-c", "release/1")
    assert isinstance(decide(ground.path, branch=["release/*", "stable"]), Cut)


def test_a_shallow_clone(ground: Ground, tmp_path: Path) -> None:
    """A clone without history shows no tags, and looks as if nothing had ever been released."""
    cut(ground.path)
    ground.entry()
    ground.push()
    shallow = tmp_path / "shallow"
    ground.git("clone", "--quiet", "--depth=1", "--no-tags", f"file://{ground.remote}", str(shallow))
    with pytest.raises(GateRefused, match="shallow") as found:
        decide(shallow)
    assert found.value.do == "git fetch --unshallow --tags"


def test_a_clone_without_tags(ground: Ground, tmp_path: Path) -> None:
    """Whole history, and no tags: the remote tells that there is a version."""
    cut(ground.path)
    ground.entry()
    ground.push()
    plain = tmp_path / "plain"
    ground.git("clone", "--quiet", "--no-tags", str(ground.remote), str(plain))
    with pytest.raises(GateRefused, match=r"v0\.1\.0 is known") as found:
        decide(plain)
    assert "git fetch --tags" in found.value.do


def test_the_tag_exists(ground: Ground) -> None:
    """On another branch, or only at the remote: a tag is never moved."""
    ground.git("switch", "--quiet", "-c", "elsewhere")
    ground.commit("v0.1.0")
    ground.git("switch", "--quiet", "main")
    assert refusal(ground, first=True).what == "the tag v0.1.0 exists already"
    ground.git("push", "--quiet", "origin", "v0.1.0")
    ground.git("tag", "--delete", "v0.1.0")
    assert refusal(ground, first=True).what == "the tag v0.1.0 exists at origin"


def test_behind_the_remote(ground: Ground, tmp_path: Path) -> None:
    """Somebody pushed meanwhile: nothing is fetched, and the missing commit is named."""
    other = tmp_path / "other"
    ground.git("clone", "--quiet", str(ground.remote), str(other))
    ground.git("-C", str(other), "commit", "--quiet", "--allow-empty", "-m", "theirs")
    ground.git("-C", str(other), "push", "--quiet")
    found = refusal(ground)
    assert found.what.startswith("main does not have all that origin has")
    assert found.do == "git pull --rebase origin main"


def test_ahead_of_the_remote_is_fine(ground: Ground) -> None:
    """Commits that are not pushed yet are what is released."""
    ground.entry()
    assert isinstance(decide(ground.path), Cut)


def test_a_remote_that_does_not_answer(ground: Ground) -> None:
    """Offline, a release can be cut, and says what it does not know; it cannot be pushed, and is no first one."""
    cut(ground.path)
    ground.entry()
    ground.git("remote", "set-url", "origin", str(ground.path / "gone"))
    found = decide(ground.path)
    assert isinstance(found, Cut)
    assert found.warnings[0].startswith("the remote origin cannot be read: fatal: ")
    assert "nothing can be pushed: the remote origin cannot be read" in refusal(ground, push=True).what
    ground.git("tag", "--delete", "v0.1.0")
    assert "there is no version yet, and the remote origin cannot be read" in refusal(ground).what
    assert isinstance(decide(ground.path, first=True, bump="major"), Cut)


def test_no_remote(ground: Ground) -> None:
    """Without one there is nothing to compare with, and nothing to push to."""
    ground.git("remote", "remove", "origin")
    assert isinstance(decide(ground.path), Cut)
    assert refusal(ground, push=True).what == "nothing can be pushed: there is no remote origin"


def test_nothing_since(ground: Ground) -> None:
    """A release of nothing is refused; and so is one about which the changelog says nothing."""
    cut(ground.path)
    assert refusal(ground, bump="patch").what == "there is nothing since v0.1.0: no commit after it on main"
    ground.commit()
    assert "nothing stands under" in refusal(ground, bump="patch").what
    assert cut(ground.path, "patch", allow_empty=True)[0].version == "0.1.1"


def test_no_changelog(ground: Ground) -> None:
    """None, or one that git does not follow."""
    assert refusal(ground, changelog="NEWS.md").what == "there is no NEWS.md"
    ground.write(".gitignore", "NEWS.md\n")
    ground.write("NEWS.md", "## [Unreleased]\n- x\n")
    ground.commit()
    assert refusal(ground, changelog="NEWS.md").what == "NEWS.md is not tracked by git"


def test_a_link_out_of_the_repository(ground: Ground, tmp_path: Path) -> None:
    """What lies elsewhere is not committed here."""
    (tmp_path / "elsewhere.md").write_bytes(ground.text())
    ground.git("rm", "--quiet", "CHANGELOG.md")
    (ground.path / "CHANGELOG.md").symlink_to(tmp_path / "elsewhere.md")
    ground.commit()
    assert "leads out of the repository" in refusal(ground).what


def test_two_at_once(ground: Ground) -> None:
    """One at a time in a work tree."""
    with journal.alone(ground.path / ".git"), pytest.raises(LeaseHeld) as found:
        cut(ground.path)
    assert found.value.exit_code == 5


def test_no_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Outside of git there is nothing to release."""
    for name, value in ALONE.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(DeployError) as found:
        decide(tmp_path)
    assert found.value.exit_code == 2


def test_before_the_first_commit(tmp_path: Path) -> None:
    """A repository without a commit has nothing, either."""
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
    with pytest.raises(DeployError) as found:
        decide(tmp_path)
    assert found.value.exit_code == 2
