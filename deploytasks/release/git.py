"""What we ask git, and how it is asked: by argument lists, without locks, without its user's preferences."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from ..errors import Unreachable, UsageError

_TIMEOUT = 60.0
"""Seconds. Local work; more means that something waits."""
FOREIGN = (
    "GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_OBJECT_DIRECTORY", "GIT_COMMON_DIR",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_QUARANTINE_PATH", "GIT_NAMESPACE", "GIT_SHALLOW_FILE", "GIT_GRAFT_FILE",
)  # fmt: skip
"""What a hook sets: it speaks of the repository of the hook."""


class GitRefused(UsageError):
    """Git ran and said no; ``said`` is why."""

    def __init__(self, command: str, said: str) -> None:
        self.said = said
        super().__init__(f"git {command}: {said}", do="see what `git status` says there")


def environment() -> dict[str, str]:
    """For git as we call it: read only (status writes the index otherwise), in English, never asking anyone, and of the
    objects themselves: `git replace` on this machine would have others' commits say something else here."""
    kept = {name: value for name, value in os.environ.items() if name not in FOREIGN}
    own = {"GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "GIT_PAGER": "cat", "GIT_NO_REPLACE_OBJECTS": "1"}
    return {**kept, "LC_ALL": "C", **own}


def ask(folder: Path, *arguments: str, given: bytes = b"") -> bytes:
    """What git prints, with ``given`` on its stdin. Raises ``GitRefused`` when it fails, ``UsageError`` when there is
    no git."""
    try:
        done = subprocess.run(
            ["git", *arguments], cwd=folder, env=environment(), input=given,
            capture_output=True, timeout=_TIMEOUT, check=False,
        )  # fmt: skip
    except FileNotFoundError as error:
        if not folder.is_dir():
            raise UsageError(f"there is no folder {folder}") from error
        raise UsageError("git is not installed, or not on PATH", do="install git") from error
    except subprocess.TimeoutExpired as error:
        raise Unreachable(
            f"git {arguments[0]} did not answer within {_TIMEOUT:g} s", state="nothing was changed"
        ) from error
    if done.returncode != 0:
        raise GitRefused(arguments[0], done.stderr.decode(errors="replace").strip() or f"code {done.returncode}")
    return done.stdout


def line(folder: Path, *arguments: str) -> str:
    """The one line that git prints."""
    return os.fsdecode(ask(folder, *arguments)).strip("\n")


def items(folder: Path, *arguments: str) -> list[str]:
    """What git prints with ``-z``."""
    return [os.fsdecode(item) for item in ask(folder, *arguments).split(b"\0") if item]


def top(folder: Path) -> Path:
    """The top folder of the work tree. Raises ``UsageError`` outside of one."""
    try:
        return Path(line(folder, "rev-parse", "--show-toplevel"))
    except GitRefused as error:
        if "dubious ownership" in error.said:
            do = f"git config --global --add safe.directory {folder}"
            raise UsageError(f"git does not trust {folder}: someone else owns it", do=do) from error
        do = "run `git init`, and commit what is to be deployed"
        raise UsageError(f"{folder} is not in a git work tree: a release is made from commits", do=do) from error


def head(repository: Path) -> str:
    """The commit that is checked out. Raises ``UsageError`` when there is none yet."""
    try:
        return line(repository, "rev-parse", "--verify", "HEAD^{commit}")
    except GitRefused as error:
        raise UsageError(f"{repository} has no commit yet", do="git add --all && git commit") from error


def is_dirty(repository: Path, folder: str = ".", exclude: Sequence[str] = ()) -> bool:
    """Whether there are ``changed`` files."""
    return bool(changed(repository, folder, exclude))


def changed(repository: Path, folder: str = ".", exclude: Sequence[str] = ()) -> list[str]:
    """The files below ``folder`` that are not as the commit has them, relative to the top; untracked ones count.

    ``folder`` and ``exclude`` are relative to the top.
    """
    paths = [_literal(folder), *(f":(exclude,literal){path}" for path in exclude)]
    options = ("--porcelain=v1", "-z", "--untracked-files=all", "--no-renames")
    return [item[3:] for item in items(repository, "status", *options, "--", *paths)]


def named(files: Sequence[str], most: int = 5) -> str:
    """The first of them, and how many more there are."""
    more = f" and {len(files) - most} more" if len(files) > most else ""
    return f"{', '.join(files[:most])}{more}"


def is_known(repository: Path, path: str) -> bool:
    """Whether git follows the changes of a file, named relative to the top."""
    return bool(items(repository, "ls-files", "-z", "--", _literal(path)))


def is_shallow(repository: Path) -> bool:
    """Whether history, and with it tags and counts, is cut off."""
    return line(repository, "rev-parse", "--is-shallow-repository") == "true"


def tags(repository: Path, merged_into: str | None = None) -> list[str]:
    """All tags, or those that a commit's history has. Not by ``git tag``, which obeys the user's column settings."""
    merged = [f"--merged={merged_into}"] if merged_into else []
    return os.fsdecode(ask(repository, "for-each-ref", *merged, "--format=%(refname:strip=2)", "refs/tags")).split(
        "\n"
    )[:-1]


def commit_of(repository: Path, tag: str) -> str | None:
    """The commit that a tag names."""
    try:
        return line(repository, "rev-parse", "--verify", "--quiet", f"refs/tags/{tag}^{{commit}}")
    except GitRefused:
        return None


def commits_since(repository: Path, tag: str | None, commit: str) -> int:
    """How many commits ``commit`` has that ``tag`` does not have (all of them, without a tag)."""
    return int(line(repository, "rev-list", "--count", f"refs/tags/{tag}..{commit}" if tag else commit))


def _literal(path: str) -> str:
    return "." if path == "." else f":(literal){path}"
