"""The files by which a step in GitHub Actions tells the page of its run, and the steps after it, what came of it.

Nothing of it may stand in the way of what it is about: a file that cannot be written is mentioned once.
"""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Mapping
from pathlib import Path

from .. import redaction

SUMMARY, OUTPUT = "GITHUB_STEP_SUMMARY", "GITHUB_OUTPUT"
"""Variables with the paths of the files."""
LARGEST = 1 << 20
"""Bytes of a step's summary: of a larger one GitHub shows nothing at all."""
CUT = "\n\n*The rest did not fit into this summary: it is in the log, and in the ledger.*\n"
_mentioned: set[str] = set()


def summarize(markdown: str) -> None:
    """Add to the summary of this step, as much as there is room for."""
    markdown = redaction.clean(markdown)
    path = os.environ.get(SUMMARY)
    if not path:
        return
    try:
        there = Path(path).stat().st_size
    except OSError:
        there = 0  # the runner makes the file; whoever else does, does so by writing
    _append(SUMMARY, path, fitting(f"{markdown.rstrip()}\n\n", LARGEST - there))


def fitting(markdown: str, room: int) -> str:
    """As many whole lines as there is room for (bytes), with a word about the rest; nothing, if there is none."""
    if len(markdown.encode()) <= room:
        return markdown
    room -= len(CUT.encode())
    if room <= 0:
        return ""
    kept = markdown.encode()[:room].decode(errors="ignore")
    return kept[: kept.rfind("\n") + 1] + CUT


def output(values: Mapping[str, object]) -> None:
    """Tell the steps after this one: ``steps.ID.outputs.NAME``. What is empty is told as such."""
    path = os.environ.get(OUTPUT)
    if path:
        lines = (written(name, redaction.clean("" if value is None else str(value))) for name, value in values.items())
        _append(OUTPUT, path, "".join(lines))


def written(name: str, value: str) -> str:
    """A value between marks that nobody can know before: text cannot end it early and begin another."""
    mark = f"end_{secrets.token_hex(16)}"
    return f"{name}<<{mark}\n{value}\n{mark}\n"


def _append(variable: str, path: str, text: str) -> None:
    try:
        with Path(path).open("a", encoding="utf-8", errors="replace", newline="\n") as file:
            file.write(text)
    except (OSError, ValueError) as error:
        if variable not in _mentioned:
            _mentioned.add(variable)
            why = getattr(error, "strerror", None) or type(error).__name__
            sys.stderr.write(f"what ${variable} names cannot be written: {why}\n")
