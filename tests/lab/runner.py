"""Which lines of a log the runner of GitHub Actions obeys: its two ways of reading a command (``ActionCommand.cs``).

assert [("error", {"title": "a, b"}, "50 %")] == obeyed("::error title=a%2C b::50 %25")
"""

from __future__ import annotations

import re
from typing import NamedTuple

REGISTERED = frozenset(
    ("add-mask", "add-matcher", "add-path", "debug", "echo", "endgroup", "error", "group", "internal-set-repo-path")
) | {"notice", "remove-matcher", "save-state", "set-env", "set-output", "stop-commands", "warning"}
_OF_DATA = (("%0D", "\r"), ("%0A", "\n"), ("%25", "%"))
_OF_PROPERTY = (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%"))


class Command(NamedTuple):
    """One that was obeyed."""

    name: str
    properties: dict[str, str]
    text: str


def obeyed(log: str) -> list[Command]:
    """All commands in a log, as its lines come from a process: each ended by any kind of line break."""
    return [found for line in re.split(r"\r\n|\r|\n", log) if (found := _new(line) or _old(line)) is not None]


def _new(line: str) -> Command | None:
    line = line.lstrip()
    if not line.startswith("::") or (end := line.find("::", 2)) < 0:
        return None
    name, _, rest = line[2:end].partition(" ")
    if name not in REGISTERED:
        return None
    pairs = [pair.split("=", 1) for pair in rest.strip().split(",") if pair]
    properties = {pair[0]: _undone(pair[1], _OF_PROPERTY) for pair in pairs if len(pair) == 2 and pair[1]}
    return Command(name, properties, _undone(line[end + 2 :], _OF_DATA))


def _old(line: str) -> Command | None:
    if (at := line.find("##[")) < 0 or (end := line.find("]", at)) < 0:
        return None
    name = line[at + 3 : end].partition(" ")[0]
    return Command(name, {}, line[end + 1 :]) if name in REGISTERED else None


def _undone(text: str, escapes: tuple[tuple[str, str], ...]) -> str:
    for escape, meant in escapes:
        text = text.replace(escape, meant)
    return text


def outputs(text: str) -> dict[str, str]:
    """What the steps after this one see of a ``GITHUB_OUTPUT`` file; the last of a name counts."""
    found: dict[str, str] = {}
    lines = iter(text.split("\n"))
    for line in lines:
        if not line:
            continue
        name, heredoc, mark = line.partition("<<")
        if not heredoc or "=" in name:
            name, _, value = line.partition("=")
            found[name] = value
            continue
        kept = []
        for each in lines:
            if each == mark:
                break
            kept.append(each)
        else:
            raise AssertionError(f"{name} does not end")
        found[name] = "\n".join(kept)
    return found
