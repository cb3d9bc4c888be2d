"""Releases: what would be cut, what was, what comes next, and what a version brings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..paint import Paint, table
from .reading import items, word

_KINDS = frozenset({"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"})
"""Of changes, as https://keepachangelog.com has them."""
_STEPS = {"push": "to push it", "undo": "to undo it", "forward": "to bring it to the newer versions"}


def planned(answer: Mapping[str, Any], paint: Paint) -> list[str]:
    """The exact difference of each file, then every command."""
    heading = (
        f"would release {word(answer, 'version')} from {word(answer, 'branch')} (before: {word(answer, 'previous')})"
    )
    lines = [paint(heading, "bold")]
    for each in _texts(answer, "differences"):
        lines += ["", *(_colored(line, paint) for line in each.split("\n"))]
    lines += ["", *(f"  {command}" for command in _texts(answer, "commands"))]
    lines += [f"  {answer['page']}"] if answer.get("page") else []
    lines += [paint(f"  message: {word(answer, 'message')}", "dim")]
    lines += [paint(f"  note: {warning}", "warn") for warning in _texts(answer, "warnings")]
    lines += [paint(f"  asks first: {answer['asks']}", "warn")] if answer.get("asks") else []
    return [*lines, "nothing was changed"]


def _colored(line: str, paint: Paint) -> str:
    is_name = line.startswith(("+++", "---"))
    return paint(line, "bold" if is_name else "good" if line[:1] == "+" else "bad" if line[:1] == "-" else "")


def released(answer: Mapping[str, Any], paint: Paint) -> list[str]:
    """What was made, and the commands that go on from there."""
    tag, commit = word(answer, "tag"), word(answer, "commit")[:12]
    out = f", pushed to {word(answer, 'remote')}" if answer.get("pushed") else ""
    lines = [
        f"{paint.mark('ok')} released {word(answer, 'version')}: {tag} at {commit} on {word(answer, 'branch')}{out}"
    ]
    lines += [f"  {answer['page']}"] if answer.get("page") else []
    rows = [(f"{_STEPS.get(word(each, 'step'), '')}:", word(each, "command")) for each in items(answer, "next")]
    return [*lines, *table(rows, "  ")]


def line(answer: Mapping[str, Any], paint: Paint) -> list[str]:
    """A hotfix line that is begun, or would be."""
    branch, tag = word(answer, "branch"), word(answer, "tag")
    if not answer.get("begun"):
        return [f"would begin the line of {tag}", f"  {word(answer, 'command')}", "nothing was changed"]
    return [
        f"{paint.mark('ok')} {branch} begins at {tag}, and is checked out; nothing is released yet",
        "  to bring the fix: git cherry-pick -x COMMIT, and a line under Unreleased in the changelog, committed",
        "  to release it:    the same command again",
    ]


def notes(answer: Mapping[str, Any], paint: Paint) -> list[str]:
    """The notes, as they are; on a terminal with the kinds of change in bold."""
    found = answer.get("notes")
    if not found:
        return [paint("nothing is said about it", "dim")]
    lines = str(found).strip("\n").split("\n")
    return [paint(line, "bold") if line.strip("#* ") in _KINDS else line for line in lines]


def _texts(answer: Mapping[str, Any], name: str) -> list[str]:
    found = answer.get(name)
    return [str(each) for each in found] if isinstance(found, list | tuple) else []
