"""What a changelog says about a version: in the work tree, or at a commit."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import DeployError
from . import changelog, files, git

if TYPE_CHECKING:
    from ..settings.release import Release
    from .changelog.rendering import Style

LONGEST = 2000
"""Characters that a deployment carries."""


def shown(root: Path, rules: Release, version: str, tag: str, style: Style) -> str:
    """The notes of a version: from the changelog here, or else from that at its tag, for a line that is not checked
    out. Raises ``ChangelogRefused`` when neither has it."""
    here = files.content(root / rules.changelog) or b""
    try:
        return _rendered(here, rules, version, style)
    except changelog.ChangelogRefused:
        there = _at(root, rules.changelog, f"refs/tags/{tag}")
        if there is None:
            raise
        return _rendered(there, rules, version, style)


def carried(root: Path, rules: Release, commit: str, version: str) -> str:
    """What a deployment says about its version: its section at that commit, or, for a version that is none yet, what is
    unreleased there. Nothing where there is no such thing: no deployment fails for want of notes."""
    document = _at(root, rules.changelog, commit)
    for wanted in (version, "Unreleased") if document is not None else ():
        with suppress(DeployError, ValueError):
            text = _rendered(document or b"", rules, wanted, "text").strip()
            return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
    return ""


def _rendered(document: bytes, rules: Release, version: str, style: Style) -> str:
    found = changelog.notes(document, version, unreleased=rules.unreleased)
    return changelog.rendered(found, style, document=document)


def _at(root: Path, name: str, commit: str) -> bytes | None:
    """The changelog at a commit."""
    try:
        return git.ask(root, "show", f"{commit}:./{name}")
    except (DeployError, OSError):
        return None
