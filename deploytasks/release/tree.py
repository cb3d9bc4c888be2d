"""The files of a repository, as a commit has them or as the work tree has them, without making an archive of them."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from ..errors import Unreachable
from . import git

_TIMEOUT = 60.0
"""Seconds, as for everything that git is asked."""


def paths(repository: Path, commit: str | None) -> list[str]:
    """All files, relative to the top; of the work tree without a ``commit``, ignored ones left out.

    Raises ``GitRefused`` when the commit is not there.
    """
    if commit:
        return git.items(repository, "ls-tree", "-r", "-z", "--name-only", "--full-tree", commit)
    found = git.items(repository, "ls-files", "-co", "--exclude-standard", "-z")
    return sorted({path for path in found if (repository / path).is_file()})


def texts(repository: Path, commit: str | None, wanted: Sequence[str]) -> Mapping[str, str]:
    """Path → text of those files that are there. What is no UTF-8 is read as far as it is."""
    if not wanted:
        return {}
    if commit is None:
        files = {path: repository / path for path in wanted}
        return {path: file.read_text(errors="replace") for path, file in files.items() if file.is_file()}
    named = [path for path in wanted if "\n" not in path]
    said = _batch(repository, "".join(f"{commit}:{path}\n" for path in named))
    found, at = {}, 0
    for path in named:
        end = said.index(b"\n", at)
        heading = said[at:end].split()
        at = end + 1
        if len(heading) == 3 and heading[1] == b"blob":
            size = int(heading[2])
            found[path] = said[at : at + size].decode(errors="replace")
        if len(heading) == 3 and heading[2].isdigit():
            at += int(heading[2]) + 1
    return found


def _batch(repository: Path, questions: str) -> bytes:
    try:
        done = subprocess.run(
            ["git", "cat-file", "--batch"], cwd=repository, env=git.environment(),
            input=questions.encode(errors="surrogateescape"), capture_output=True, timeout=_TIMEOUT, check=True,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError) as error:
        raise Unreachable(f"git does not hand out its files: {error}", state="nothing was changed") from error
    return done.stdout
