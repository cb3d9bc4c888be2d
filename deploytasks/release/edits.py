"""What a release changes in files: bytes before and after, and nothing else."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass

from ..errors import GateRefused

_VERSION = rb"(\d+(?:\.\d+)+(?:[.+-]?[0-9A-Za-z])*)"
"""What looks like a version: ``1.2.0``, ``1.2.0-rc.1``, ``1.2.0rc1``."""


@dataclass(frozen=True)
class Edit:
    """One tracked file. ``path``: relative to the top of the repository, with ``/``."""

    path: str
    mode: str
    """Git's: ``100644`` or ``100755``."""
    before: bytes
    """In the work tree, which may have other line ends than the blob."""
    after: bytes
    blob_before: str
    blob_after: str


def with_version(document: bytes, pattern: str, version: str, file: str) -> bytes:
    """The document with another version in the one line that begins like ``pattern``, whose ``{version}`` stands for
    it. Raises ``GateRefused`` when it is not exactly one line."""
    head, _, tail = (re.escape(part) for part in pattern.encode().partition(b"{version}"))
    found = list(re.finditer(rb"^[ \t]*" + head + _VERSION + tail, document, re.MULTILINE))
    if len(found) != 1:
        lines = ", ".join(str(document[: one.start()].count(b"\n") + 1) for one in found)
        raise GateRefused(
            f"{file}: {f'lines {lines} look' if found else 'no line looks'} like {pattern}, and one must",
            state="nothing was changed",
            do="mend the pattern in deploy.release.version_files",
        )
    start, end = found[0].span(1)
    return document[:start] + version.encode() + document[end:]


def difference(path: str, before: bytes, after: bytes) -> str:
    """The change as a unified diff. A carriage return shows as ``^M``, as git shows it."""
    old, new = _lines(before), _lines(after)
    return "\n".join(_told(line) for line in difflib.unified_diff(old, new, f"a/{path}", f"b/{path}"))


def _lines(document: bytes) -> list[str]:
    text = document.decode("utf-8", "replace").replace("\r", "^M")
    lines = text.split("\n")
    return [*(f"{line}\n" for line in lines[:-1]), *([lines[-1]] if lines[-1] else [])]


def _told(line: str) -> str:
    is_content = not line.startswith(("---", "+++", "@@"))
    return line[:-1] if line.endswith("\n") else f"{line}\n\\ No newline at end of file" if is_content else line
