"""What goes into a release: a folder as a commit has it, or as the work tree has it."""

from __future__ import annotations

import os
import posixpath
import stat
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from ..errors import UsageError
from . import git
from .archive import Entry, order

_POINTERS = {
    b"version https://git-lfs.github.com/spec/": ("a Git LFS pointer, not the file itself", "git lfs pull"),
    b"\0GITCRYPT\0": ("encrypted by git-crypt", "git-crypt unlock"),
}
"""How content begins that only stands for something else; what it is, and what would bring the thing itself."""
_CHECK_SOURCE = "check deploy.source in invoke.yaml, and that its files are committed"


def of_commit(repository: Path, commit: str, folder: str) -> Iterator[Entry]:
    """The entries of ``folder`` (relative to the top) at a commit, from git's objects: filters and line endings
    of this machine have no say. Raises ``UsageError`` for what cannot be shipped."""
    tree = commit if folder == "." else f"{commit}:{folder}"
    try:
        rows = [row.split("\t", 1) for row in git.items(repository, "ls-tree", "-r", "-z", "--full-tree", tree)]
    except git.GitRefused as error:
        raise UsageError(f"{folder} is not in commit {commit[:12]}", do=_CHECK_SOURCE) from error
    found = sorted(((path, *facts.split(" ")) for facts, path in rows), key=lambda row: order(row[0]))
    _refuse_nothing(found, f"{folder} has no file in commit {commit[:12]}")
    with blobs(repository) as (questions, answers):
        for path, mode, kind, number in found:
            if kind != "blob":
                raise _submodule(path)
            yield _checked(Entry(path, _blob(questions, answers, number), mode == "100755", mode == "120000"))


def of_work_tree(repository: Path, folder: str, exclude: Sequence[str] = ()) -> Iterator[Entry]:
    """The entries of ``folder`` as it lies there: tracked and untracked files, without ignored ones, and without
    the folders of ``exclude`` (relative to the top). Raises ``UsageError`` for what cannot be shipped."""
    base = repository / folder
    paths = {
        path
        for path in git.items(base, "ls-files", "-co", "--exclude-standard", "-z")
        if not _below(folder, path, exclude)
    }
    found = sorted((path for path in paths if (base / path).is_symlink() or (base / path).exists()), key=order)
    _refuse_nothing(found, f"{base} has no file that git does not ignore")
    for path in found:
        yield _checked(_from_disk(base, path))


def _from_disk(base: Path, path: str) -> Entry:
    file = base / path
    mode = file.lstat().st_mode
    if stat.S_ISLNK(mode):
        target = os.readlink(file)  # noqa: PTH115  # a Path would turn ./a into a, which is not what git has
        return Entry(path, os.fsencode(target), is_link=True)
    if stat.S_ISDIR(mode):
        raise _submodule(path)
    if not stat.S_ISREG(mode):
        raise UsageError(f"{path} is neither a file nor a link", do="remove it, or add it to .gitignore")
    return Entry(path, file.read_bytes(), is_executable=bool(mode & stat.S_IXUSR))


def _checked(entry: Entry) -> Entry:
    if entry.is_link:
        target = os.fsdecode(entry.content)
        inside = posixpath.normpath(posixpath.join(posixpath.dirname(entry.path), target))
        if target.startswith("/") or inside == ".." or inside.startswith("../"):
            do = "replace it by what it points to; what releases share belongs into {shared} on the host"
            raise UsageError(f"{entry.path} is a link to {target}, which is not part of the release", do=do)
    for beginning, (what, do) in _POINTERS.items():
        if entry.content.startswith(beginning):
            raise UsageError(
                f"{entry.path} is {what}; it cannot be deployed", do=f"{do}, or leave it out of the source"
            )
    return entry


def _below(folder: str, path: str, exclude: Sequence[str]) -> bool:
    full = posixpath.normpath(posixpath.join(folder, path))
    return any(full == one or full.startswith(f"{one}/") for one in exclude)


def _submodule(path: str) -> UsageError:
    do = "add its files to this repository, or build them into the source before"
    return UsageError(
        f"{path.rstrip('/')} is a submodule or a repository of its own; its files would be missing", do=do
    )


def _refuse_nothing(found: Sequence[object], what: str) -> None:
    if not found:
        raise UsageError(what, do=_CHECK_SOURCE)


@contextmanager
def blobs(repository: Path) -> Iterator[tuple[IO[bytes], IO[bytes]]]:
    """``git cat-file --batch``, to write the numbers of objects to and to read their content from."""
    with subprocess.Popen(
        ["git", "cat-file", "--batch"], cwd=repository, env=git.environment(),
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    ) as process:  # fmt: skip
        assert process.stdin is not None  # both were asked for
        assert process.stdout is not None
        try:
            yield process.stdin, process.stdout
        finally:
            process.kill()


def _blob(questions: IO[bytes], answers: IO[bytes], number: str) -> bytes:
    questions.write(f"{number}\n".encode())
    questions.flush()
    heading = answers.readline().split()
    if len(heading) != 3:
        raise UsageError(f"git has lost the object {number}", do="git fsck")
    content = answers.read(int(heading[2]))
    answers.read(1)  # the newline after it
    return content
