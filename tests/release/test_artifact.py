"""Which release is meant, and its archive."""

from __future__ import annotations

import hashlib
import os
import subprocess
import tarfile
from pathlib import Path
from unittest.mock import patch

import pytest

from deploytasks.errors import GateRefused, Unreachable, UsageError
from deploytasks.ports import Release
from deploytasks.release import artifact

from .conftest import Repository


def describe(repository: Repository, version: str | None = None, source: str = "src") -> Release:
    return artifact.describe(repository.path, source, version, artifacts=repository.artifacts)


def build(repository: Repository, release: Release, source: str = "src") -> Release:
    return artifact.build(repository.path, source, release, repository.artifacts)


def names(release: Release) -> list[str]:
    with tarfile.open(release.archive) as tar:
        return tar.getnames()


def test_describing_writes_nothing(repository: Repository) -> None:
    """Neither the repository, its index nor the state folder changes, with a clean tree and with a dirty one."""
    app = repository.path / "src/app.py"
    os.utime(app, (1, 1))  # git's index is out of date now: a plain `git status` would write it
    before = repository.snapshot()
    clean = describe(repository)
    assert repository.snapshot() == before
    repository.write("src/new.py")
    before = repository.snapshot()
    dirty = describe(repository)
    assert repository.snapshot() == before
    assert (clean.dirty, dirty.dirty) == (False, True)


def test_what_makes_it_dirty_has_names(repository: Repository) -> None:
    """Changed and untracked files of the source, the first five of them; not the state folder, nor a file of ours."""

    def changed() -> str:
        plan = repository.path / "src/plan.json"
        return artifact.changed(repository.path, "src", artifacts=repository.artifacts, beside=plan)

    repository.write("src/plan.json")
    assert "" == changed()
    repository.write("src/app.py", "print('changed')\n")
    assert "src/app.py" == changed()
    for number in range(6):
        repository.write(f"src/new{number}.py")
    assert "src/app.py, src/new0.py, src/new1.py, src/new2.py, src/new3.py and 2 more" == changed()


def test_building_makes_what_was_described(repository: Repository) -> None:
    """The archive stands where the description said, with the digest it said, and nothing beside but its note."""
    described = describe(repository)
    built = build(repository, described)
    assert built == described
    assert hashlib.sha256(Path(built.archive).read_bytes()).hexdigest() == described.digest
    assert names(built) == ["app.py"]
    assert sorted(p.name for p in repository.artifacts.iterdir()) == [f"{built.name}.json", f"{built.name}.tar.gz"]


def test_building_twice_writes_once(repository: Repository) -> None:
    """An archive that is whole is kept; one that is not is made again."""
    built = build(repository, describe(repository))
    first = Path(built.archive).stat().st_mtime_ns
    build(repository, built)
    assert Path(built.archive).stat().st_mtime_ns == first
    Path(built.archive).write_bytes(b"torn")
    build(repository, built)
    assert hashlib.sha256(Path(built.archive).read_bytes()).hexdigest() == built.digest


def test_same_content_same_digest(repository: Repository, tmp_path: Path) -> None:
    """Another clone at another time, with other modes of the files' owner and another umask, has the same digest."""
    repository.write("src/bin/run", "#!/bin/sh\n").chmod(0o755)
    repository.commit("v1.0.0")
    subprocess.run(["git", "clone", "--quiet", str(repository.path), str(tmp_path / "clone")], check=True)
    clone = Repository.__new__(Repository)
    clone.path, clone.artifacts = tmp_path / "clone", tmp_path / "elsewhere" / "artifacts"
    (clone.path / "src/app.py").chmod(0o600)
    (clone.path / "src/bin/run").chmod(0o711)
    assert describe(clone)[:3] == describe(repository)[:3]


def test_dirty_and_committed_content_agree(repository: Repository) -> None:
    """The digest is about the content: committing what lay there does not change it."""
    repository.write("src/bin/run", "#!/bin/sh\n").chmod(0o755)
    (repository.path / "src" / "link").symlink_to("./app.py")
    dirty = describe(repository)
    repository.commit()
    clean = describe(repository)
    assert (dirty.dirty, clean.dirty, dirty.digest) == (True, False, clean.digest)
    assert f".dirty.{dirty.digest[:8]}" in dirty.version


def test_dirty_tree_has_what_git_does_not_ignore(repository: Repository) -> None:
    """Untracked files are in, deleted and ignored ones are out, and what changes outside of the source is nobody's
    business."""
    repository.write("src/old.py")
    repository.commit()
    (repository.path / "src/old.py").unlink()
    repository.write("src/new.py")
    repository.write("src/ignored.pyc")
    assert names(build(repository, describe(repository))) == ["app.py", "new.py"]
    repository.commit()
    repository.write("README.md", "changed")
    assert not describe(repository).dirty


def test_state_folder_is_never_part_of_it(tmp_path: Path) -> None:
    """With the whole project as source and no .gitignore, building does not change what is built next."""
    repository = Repository(tmp_path / "r")
    repository.write("app.py")
    repository.commit()
    repository.write("new.py")
    first = build(repository, describe(repository, source="."), ".")
    assert describe(repository, source=".") == first
    assert names(first) == ["app.py", "new.py"]
    repository.git("add", "new.py")
    repository.git("commit", "--quiet", "-m", "new")
    assert not describe(repository, source=".").dirty


def test_content_of_a_commit_comes_from_git(repository: Repository) -> None:
    """A version's archive has what its tag has, whatever lies in the work tree now."""
    repository.commit("v1.0.0")
    first = describe(repository)
    repository.write("src/app.py", "broken")
    repository.write("src/more.py")
    for asked in ("1.0.0", "v1.0.0"):
        assert describe(repository, asked) == first
    assert names(build(repository, describe(repository, "1.0.0"))) == ["app.py"]


def test_version_of_an_archive_without_a_tag(repository: Repository) -> None:
    """A development version that was built can be deployed again."""
    built = build(repository, describe(repository))
    repository.write("src/app.py", "changed")
    repository.commit()
    assert describe(repository, built.version) == built


@pytest.mark.parametrize("asked", ["1.0.1", "latest", "1.0.0~1", "../x", "--help"])
def test_unknown_version_lists_its_neighbors(repository: Repository, asked: str) -> None:
    """Code 2, and what may have been meant."""
    repository.commit("v1.0.0")
    repository.commit("v1.1.0")
    with pytest.raises(UsageError) as caught:
        describe(repository, asked)
    assert caught.value.exit_code == 2
    assert "1.1.0" in caught.value.do
    assert "1.0.0" in caught.value.do


def test_content_that_changes_while_it_is_built(repository: Repository) -> None:
    """What was described and approved is what is built, or nothing is."""
    repository.write("src/new.py", "one")
    described = describe(repository)
    repository.write("src/new.py", "two")
    with pytest.raises(GateRefused, match="changed while"):
        build(repository, described)
    assert list(repository.artifacts.iterdir()) == []


@pytest.mark.parametrize("target", ["/etc/passwd", "../README.md", "../../elsewhere"])
@pytest.mark.parametrize("is_committed", [True, False])
def test_links_out_of_the_release_are_refused(repository: Repository, target: str, is_committed: bool) -> None:
    """A link that would point at nothing on the host, or at something else, is refused."""
    (repository.path / "src" / "link").symlink_to(target)
    if is_committed:
        repository.commit()
    with pytest.raises(UsageError, match="link is a link to"):
        describe(repository)


@pytest.mark.parametrize("is_committed", [True, False])
def test_lfs_pointers_are_refused(repository: Repository, is_committed: bool) -> None:
    """A pointer in the place of a file is a release that cannot work."""
    repository.write("src/big.bin", "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n")
    if is_committed:
        repository.commit()
    with pytest.raises(UsageError, match=r"big\.bin is a Git LFS pointer"):
        describe(repository)


@pytest.mark.parametrize("is_committed", [True, False])
def test_submodules_are_refused(repository: Repository, tmp_path: Path, is_committed: bool) -> None:
    """A repository within the source is refused: as a submodule, and as a folder that lies there."""
    Repository(repository.path / "src" / "inner").commit()
    if is_committed:
        repository.git("-c", "advice.addEmbeddedRepo=false", "add", "src/inner")
        repository.git("commit", "--quiet", "-m", "embed")
    with pytest.raises(UsageError, match=r"^inner is a submodule"):
        describe(repository)


def test_odd_names_survive(repository: Repository) -> None:
    """Blanks, quotes, newlines and bytes that are no UTF-8, from the commit as from the work tree."""
    odd = ["a b", "quo'te\"", "new\nline", os.fsdecode(b"caf\xe9"), "-dash", "*"]
    for name in odd:
        repository.write(f"src/{name}")
    dirty = describe(repository)
    repository.commit()
    assert describe(repository).digest == dirty.digest
    with tarfile.open(build(repository, describe(repository)).archive, encoding="utf-8") as tar:
        assert sorted(tar.getnames()) == sorted([*odd, "app.py"])


def test_mistakes_are_short(tmp_path: Path, repository: Repository) -> None:
    """No repository, no commit, no such source, nothing in it, no git: each leaves with code 2 and a way on."""
    outside = tmp_path / "outside"
    outside.mkdir()
    empty = Repository(tmp_path / "empty")
    repository.write("void/x.pyc")
    cases = [
        (outside, ".", "not in a git work tree"),
        (empty.path, ".", "no commit yet"),
        (repository.path, "nowhere", "nowhere is not in commit"),
        (repository.path, "void", "void is not in commit"),
        (repository.path, "../outside", "outside of the repository"),
    ]
    for root, source, expected in cases:
        with pytest.raises(UsageError, match=expected) as caught:
            artifact.describe(root, source, artifacts=root / ".deploy" / "artifacts")
        assert caught.value.exit_code == 2
        assert caught.value.do
    with patch.dict(os.environ, {"PATH": str(outside)}), pytest.raises(UsageError, match="git is not installed"):
        describe(repository)


def test_another_repository_in_the_environment(repository: Repository, tmp_path: Path) -> None:
    """What a git hook sets about its own repository does not lead us astray."""
    expected = describe(repository)
    with patch.dict(os.environ, {"GIT_DIR": str(tmp_path / "none"), "GIT_WORK_TREE": str(tmp_path)}):
        assert describe(repository) == expected


def test_folder_that_cannot_be_written(repository: Repository) -> None:
    """A short error with code 7 and nothing left."""
    release = describe(repository)
    repository.write(".deploy", "a file")
    with pytest.raises(Unreachable, match="cannot write"):
        build(repository, release)


def test_project_below_the_top(tmp_path: Path) -> None:
    """A project in a folder of a larger repository finds its source and its state there."""
    repository = Repository(tmp_path / "mono")
    repository.write("shop/src/app.py")
    repository.commit()
    root = repository.path / "shop"
    repository.artifacts = root / ".deploy" / "artifacts"
    release = artifact.describe(root, "src", artifacts=repository.artifacts)
    artifact.build(root, "src", release, repository.artifacts)
    assert (names(release), release.dirty) == (["app.py"], False)
    whole = artifact.describe(root, ".", artifacts=repository.artifacts)
    assert not whole.dirty
