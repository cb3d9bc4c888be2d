"""Every file of a commit, or of an archive, with its content in pieces: for whoever only looks."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from . import git
from .contents import blobs
from .members import members

_PIECE = 1 << 20

Looked = tuple[str, Iterator[bytes]]
"""A path, and its content in pieces; what is not taken of it is passed over."""


def of_archive(archive: str) -> Iterator[Looked]:
    """The files of an archive. Raises ``Unfit`` for what is none of ours, ``OSError`` or ``EOFError`` for one that
    cannot be read."""
    for member, content in members(archive):
        if member.is_file:
            yield os.fsdecode(member.name), content


def of_commit(repository: Path, commit: str, without: str = "") -> Iterator[Looked]:
    """The files of a whole commit, but for those in the folder ``without`` (relative to the top). Submodules are
    passed over. Raises ``UsageError``."""
    rows = [row.split("\t", 1) for row in git.items(repository, "ls-tree", "-r", "-z", "--full-tree", commit)]
    wanted = [(path, facts.split(" ")[2]) for facts, path in rows if facts.split(" ")[1] == "blob"]
    with blobs(repository) as (questions, answers):
        for path, number in wanted:
            if without and path.startswith(f"{without}/"):
                continue
            questions.write(f"{number}\n".encode())
            questions.flush()
            content = _content(answers)
            yield path, content
            for _ in content:
                pass


def _content(answers: IO[bytes]) -> Iterator[bytes]:
    heading = answers.readline().split()
    if len(heading) != 3:
        return  # an object that is not here, as in a partial clone: fetched by nobody, shipped by nobody
    left = int(heading[2])
    while left:
        piece = answers.read(min(left, _PIECE))
        if not piece:
            return
        left -= len(piece)
        yield piece
    answers.read(1)  # the newline after it
