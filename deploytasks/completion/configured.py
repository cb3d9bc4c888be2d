"""What the project's ``invoke.yaml`` says, read in a moment: its few lines that matter are found without a parser."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

_KEY = re.compile(r"""^( *)(?:"([^"]+)"|'([^']+)'|([A-Za-z0-9_.-]+)) *:(?: +(.*))?$""")


def project_root(start: Path) -> Path:
    """The nearest folder, from ``start`` upwards, with a task file: Invoke's own way."""
    for folder in (start, *start.parents):
        if (folder / "tasks.py").exists() or (folder / "tasks" / "__init__.py").exists():
            return folder
    return start


def environments(root: Path) -> Sequence[str]:
    """The names of the environments, in their order."""
    for name in ("invoke.yaml", "invoke.yml"):
        if (root / name).exists():
            text = (root / name).read_text(encoding="utf-8")
            return block(text, "deploy", "environments") or list(_parsed(text).get("environments") or {})
    if (root / "invoke.json").exists():
        found = json.loads((root / "invoke.json").read_text(encoding="utf-8"))
        return list(found["deploy"]["environments"])
    return []


def state_folder(root: Path) -> str:
    """Where built releases lie, below the root."""
    for name in ("invoke.yaml", "invoke.yml"):
        if (root / name).exists():
            found = re.search(r"^  ?(?:  )?state: *([^\s#]+)", (root / name).read_text(encoding="utf-8"), re.MULTILINE)
            return found[1].strip("\"'") if found else ".deploy"
    return ".deploy"


def block(text: str, *path: str) -> list[str]:
    """The keys below a path of keys, as long as each is written on a line of its own; nothing where it is otherwise
    (``environments: {development: …}``)."""
    lines = list(_keys(text))
    at, indent = 0, -1
    for name in path:
        inner = _inner(lines, at, indent)
        found = next((number for number in inner if lines[number][1] == name), None)
        if found is None or lines[found][2]:
            return []
        at, indent = found + 1, lines[found][0]
    return [lines[number][1] for number in _inner(lines, at, indent)]


def _inner(lines: Sequence[tuple[int, str, str]], at: int, indent: int) -> Iterator[int]:
    """The keys one level below, from a line on."""
    level: int | None = None
    for number in range(at, len(lines)):
        own = lines[number][0]
        if own <= indent:
            return
        level = own if level is None else level
        if own == level:
            yield number


def _keys(text: str) -> Iterator[tuple[int, str, str]]:
    """Indent, key and value of each line that has them."""
    for line in text.splitlines():
        if found := _KEY.match(line):
            value = re.sub(r"(^|\s)#.*$", "", found[5] or "").strip()
            value = "" if re.fullmatch(r"[&!]\S+", value) else value  # an anchor is no value
            yield len(found[1]), found[2] or found[3] or found[4], value


def _parsed(text: str) -> Mapping[str, Any]:
    """The ``deploy:`` section by Invoke's own parser."""
    from invoke.vendor.yaml import safe_load

    found = safe_load(text) or {}  # type: ignore[no-untyped-call]  # a vendored parser
    section: Mapping[str, Any] = found.get("deploy") or {}
    return section
